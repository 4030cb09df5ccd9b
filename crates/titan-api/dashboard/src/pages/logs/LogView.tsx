// Log lines with filter, search, follow and download, for a project or for one run.
import { Button } from '@mantine/core';
import { type UIEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type Components, Virtuoso, type VirtuosoHandle } from 'react-virtuoso';
import type { LogFilter, LogScope } from '../../api/calls';
import type { LogLine } from '../../api/types';
import { Empty } from '../../components/Empty';
import { ErrorPanel } from '../../components/ErrorPanel';
import { QueryView } from '../../components/QueryView';
import { useShortcuts } from '../../lib/shortcuts';
import { readStored, writeStored } from '../../lib/storage';
import { LogRow } from './LogRow';
import { LogToolbar } from './LogToolbar';
import classes from './LogView.module.css';
import { lineKey } from './logBuffer';
import { useLogs } from './useLogs';

/** Far from both ends, so that lines can be put in front without negative positions. */
const START_INDEX = 10_000_000;
const WRAP = 'titan.logs-wrap';

interface OlderState {
  busy: boolean;
  more: boolean;
  dropped: number;
}

/** Kept outside the component: a new component type on each render would mount the list anew. */
const PARTS: Components<LogLine, OlderState> = {
  Header: ({ context }) => (context ? <OlderNote {...context} /> : null),
};

interface LogViewProps {
  scope: LogScope;
  filter: LogFilter;
  onFilter: (filter: LogFilter) => void;
  showRun?: boolean;
}

export function LogView({ scope, filter, onFilter, showRun = false }: LogViewProps) {
  const { newest, buffer, loadOlder, older } = useLogs(scope, filter);
  const list = useRef<VirtuosoHandle>(null);
  const search = useRef<HTMLInputElement>(null);
  const [following, setFollowing] = useState(true);
  const [seen, setSeen] = useState(0);
  const [wrap, setWrap] = useState(() => readStored(WRAP) !== 'off');
  useEffect(() => writeStored(WRAP, wrap ? null : 'off'), [wrap]);

  const { appended } = buffer;
  useEffect(() => {
    if (following) setSeen(appended);
  }, [following, appended]);
  const unseen = following ? 0 : Math.max(0, appended - seen);

  const follow = useCallback(() => {
    setFollowing(true);
    list.current?.scrollToIndex({ index: 'LAST', align: 'end' });
  }, []);
  // Only a person's own scrolling up pauses: new lines also leave the end behind for a moment before it is followed.
  const lastTop = useRef(0);
  const onScroll = (event: UIEvent<HTMLDivElement>) => {
    const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
    if (scrollTop < lastTop.current - 4 && scrollHeight - scrollTop - clientHeight > 40) setFollowing(false);
    lastTop.current = scrollTop;
  };
  const onBottom = (bottom: boolean) => {
    if (bottom) setFollowing(true);
  };
  const bindings = useMemo(
    () => ({
      f: () => (following ? setFollowing(false) : follow()),
      w: () => setWrap((on) => !on),
      '/': () => search.current?.focus(),
      'Shift+G': follow,
    }),
    [following, follow],
  );
  useShortcuts(bindings);

  const filtered = filter.level !== 'debug' || filter.q !== '';
  return (
    <div className={classes.view}>
      <LogToolbar
        scope={scope}
        filter={filter}
        onFilter={onFilter}
        searchRef={search}
        total={newest.data ? buffer.total : null}
        following={following}
        unseen={unseen}
        onFollow={follow}
        onPause={() => setFollowing(false)}
        wrap={wrap}
        onWrap={setWrap}
      />
      {older.error && <ErrorPanel error={older.error} onRetry={() => void loadOlder()} compact />}
      <QueryView query={newest} what="log lines">
        {() =>
          buffer.lines.length === 0 ? (
            <NoLines filtered={filtered} onClear={() => onFilter({ level: 'debug', q: '' })} />
          ) : (
            <Virtuoso
              ref={list}
              className={classes.list ?? ''}
              data={buffer.lines}
              firstItemIndex={START_INDEX - buffer.prepended}
              initialTopMostItemIndex={{ index: 'LAST', align: 'end' }}
              computeItemKey={(_index, line) => lineKey(line)}
              itemContent={(_index, line) => <LogRow line={line} wrap={wrap} showRun={showRun} search={filter.q} />}
              followOutput={following ? 'auto' : false}
              atBottomThreshold={40}
              atBottomStateChange={onBottom}
              startReached={() => void loadOlder()}
              onScroll={onScroll}
              increaseViewportBy={400}
              context={{ busy: older.busy, more: buffer.olderCursor !== null, dropped: buffer.dropped }}
              components={PARTS}
              role="group"
              aria-label="Log lines"
              data-testid="log-lines"
            />
          )
        }
      </QueryView>
    </div>
  );
}

function OlderNote({ busy, more, dropped }: OlderState) {
  if (dropped > 0)
    return <p className={classes.note}>{dropped.toLocaleString('en')} older lines were let go to save memory.</p>;
  if (busy) return <p className={classes.note}>Loading older lines</p>;
  return <p className={classes.note}>{more ? 'Scroll up for older lines.' : 'This is the first line.'}</p>;
}

function NoLines({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (!filtered) return <Empty title="No log lines yet">They appear here as soon as a run starts.</Empty>;
  return (
    <Empty
      title="No line matches"
      action={
        <Button variant="default" onClick={onClear}>
          Clear filter
        </Button>
      }
    >
      No stored line has this level and this text.
    </Empty>
  );
}
