// Level, search with the true number of hits, follow or pause, wrap, download.
import { Anchor, Button, SegmentedControl, Switch, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconPlayerPause, IconPlayerTrackNext, IconSearch } from '@tabler/icons-react';
import { type RefObject, useEffect, useState } from 'react';
import { type LogFilter, type LogScope, logDownloadUrl } from '../../api/calls';
import type { LogLevel } from '../../api/types';
import classes from './LogView.module.css';
import { linesInAll } from './logBuffer';

const LEVELS: { value: LogLevel; label: string }[] = [
  { value: 'debug', label: 'All' },
  { value: 'info', label: 'Info' },
  { value: 'warn', label: 'Warn' },
  { value: 'error', label: 'Error' },
];

interface LogToolbarProps {
  scope: LogScope;
  filter: LogFilter;
  onFilter: (filter: LogFilter) => void;
  searchRef: RefObject<HTMLInputElement | null>;
  /** Null while it is not known. */
  total: number | null;
  following: boolean;
  unseen: number;
  onFollow: () => void;
  onPause: () => void;
  wrap: boolean;
  onWrap: (wrap: boolean) => void;
}

export function LogToolbar(props: LogToolbarProps) {
  const { scope, filter, onFilter, total, following, unseen } = props;
  const [text, setText] = useState(filter.q);
  const apply = useDebouncedCallback((q: string) => onFilter({ ...filter, q }), 250);
  // The address may change by itself: Back, or Clear filter.
  useEffect(() => setText(filter.q), [filter.q]);

  return (
    <div className={classes.toolbar} role="toolbar" aria-label="Log filters">
      <SegmentedControl
        size="xs"
        data={LEVELS}
        value={filter.level}
        onChange={(level) => onFilter({ ...filter, level: level as LogLevel })}
        aria-label="Level, at least"
      />
      <TextInput
        ref={props.searchRef}
        className={classes.search ?? ''}
        size="xs"
        type="search"
        aria-label="Search the log"
        placeholder="Search"
        leftSection={<IconSearch size={15} aria-hidden />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          apply(event.currentTarget.value.trim());
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <span className={`${classes.total} tnum`} role="status" data-testid="log-total">
        {total === null ? '' : linesInAll(total)}
      </span>
      <span className={classes.spacer} />
      {following ? (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlayerPause size={14} />}
          onClick={props.onPause}
          aria-keyshortcuts="f"
        >
          Following
        </Button>
      ) : (
        <Button
          size="compact-sm"
          leftSection={<IconPlayerTrackNext size={14} />}
          onClick={props.onFollow}
          aria-keyshortcuts="f"
        >
          {unseen > 0 ? `Paused, ${unseen.toLocaleString('en')} new` : 'Paused, follow'}
        </Button>
      )}
      <Switch
        size="xs"
        label="Wrap"
        checked={props.wrap}
        onChange={(event) => props.onWrap(event.currentTarget.checked)}
      />
      <span className={classes.downloads}>
        <Anchor href={logDownloadUrl(scope, filter, 'text')} download size="sm">
          Download text
        </Anchor>
        <Anchor href={logDownloadUrl(scope, filter, 'jsonl')} download size="sm" aria-label="Download JSON lines">
          JSON
        </Anchor>
      </span>
    </div>
  );
}
