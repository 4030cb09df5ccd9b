// One file of a proposal: what the rules say about it, its tick, and its differences.
import { Button, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { memo, useId, useRef, useState } from 'react';
import { plural } from '../../../lib/format';
import ops from '../Ops.module.css';
import { Counts } from './Counts';
import classes from './Diff.module.css';
import { Differences } from './Differences';
import type { Entry } from './entries';
import { FileFault } from './FileFault';
import type { DiffLook } from './look';
import { Verdict } from './Verdict';
import type { Viewed } from './viewed';

interface FileDiffProps {
  entry: Entry;
  look: DiffLook;
  viewed: boolean;
  onView: Viewed['set'];
}

/** It may have thousands of lines, and the proposal around it is asked for every few seconds. */
export const FileDiff = memo(function FileDiff({ entry, look, viewed, onView }: FileDiffProps) {
  const { file, part, seen, fault, shown, folded } = entry;
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? !(viewed || folded !== null);
  const body = useId();
  const opens = useRef<HTMLButtonElement>(null);
  const Chevron = open ? IconChevronDown : IconChevronRight;
  const moved = part !== undefined && part.path !== part.oldPath ? part : null;
  const show = () => {
    setChosen(true);
    // The button that was pressed is gone then.
    opens.current?.focus();
  };
  return (
    <article className={classes.file} data-testid="diff-file" data-path={file.path} aria-label={file.path}>
      <div className={classes.fileRow}>
        <UnstyledButton
          ref={opens}
          className={classes.fileName ?? ''}
          aria-expanded={open}
          aria-controls={body}
          data-opens
          onClick={() => setChosen(!open)}
        >
          <Chevron size={16} aria-hidden />
          <span className="mono">{file.path}</span>
        </UnstyledButton>
        <span className={ops.muted}>{file.status.replace('_', ' ')}</span>
        <Counts additions={file.additions} deletions={file.deletions} />
        {fault === null && (
          <label className={classes.tick}>
            <input
              type="checkbox"
              aria-label={`Viewed: ${file.path}`}
              checked={viewed}
              onChange={(event) => {
                onView(file.path, seen, event.currentTarget.checked);
                setChosen(null);
              }}
            />
            Viewed
          </label>
        )}
      </div>
      <Verdict file={file} />
      <FileFault entry={entry} />
      {folded !== null && !open && !viewed && part !== undefined && (
        <p className={classes.note} data-testid="large">
          {folded === 'large' ? 'It is large' : 'Enough is open above'}:{' '}
          {plural(shown.additions + shown.deletions, 'changed line')}.
          <Button size="compact-xs" variant="default" onClick={show}>
            Show them
          </Button>
        </p>
      )}
      <div id={body} hidden={!open}>
        {moved && (
          <p className={ops.muted}>
            {moved.oldPath} became {moved.path}.
          </p>
        )}
        {open && part !== undefined && <Differences part={part} look={look} label={`Differences of ${file.path}`} />}
      </div>
    </article>
  );
});
