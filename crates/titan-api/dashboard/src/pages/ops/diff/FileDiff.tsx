// One file of a proposal: what the rules say about it, its tick, and its differences.
import { Button, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconLock, IconShieldCheck } from '@tabler/icons-react';
import { useId, useState } from 'react';
import { plural } from '../../../lib/format';
import type { ChangedFile } from '../evidence';
import ops from '../Ops.module.css';
import { Counts } from './Counts';
import classes from './Diff.module.css';
import { Differences } from './Differences';
import type { DiffLook } from './look';
import type { DiffPart } from './parts';

/** Longer ones are opened by whoever wants to read them. */
const OPEN_UP_TO = 400;

interface FileDiffProps {
  file: ChangedFile;
  /** Undefined when the differences end before it. */
  part: DiffPart | undefined;
  look: DiffLook;
  viewed: boolean;
  onView: (viewed: boolean) => void;
}

export function FileDiff({ file, part, look, viewed, onView }: FileDiffProps) {
  const lines = file.additions + file.deletions;
  const large = lines > OPEN_UP_TO;
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? !(viewed || large);
  const body = useId();
  const Chevron = open ? IconChevronDown : IconChevronRight;
  const moved = part !== undefined && part.path !== part.oldPath ? part : null;
  return (
    <article className={classes.file} data-testid="diff-file" data-path={file.path} aria-label={file.path}>
      <div className={classes.fileRow}>
        <UnstyledButton
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
        <label className={classes.tick}>
          <input
            type="checkbox"
            aria-label={`Viewed: ${file.path}`}
            checked={viewed}
            disabled={part === undefined}
            onChange={(event) => {
              onView(event.currentTarget.checked);
              setChosen(null);
            }}
          />
          Viewed
        </label>
      </div>
      <Verdict file={file} />
      {large && !open && !viewed && part !== undefined && (
        <p className={classes.note} data-testid="large">
          It is large: {plural(lines, 'changed line')}.
          <Button size="compact-xs" variant="default" onClick={() => setChosen(true)}>
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
        {part === undefined && <p className={ops.muted}>It is not shown: the differences end before it.</p>}
        {open && part !== undefined && <Differences part={part} look={look} label={`Differences of ${file.path}`} />}
      </div>
    </article>
  );
}

/** What the rules say about its path. */
function Verdict({ file }: { file: ChangedFile }) {
  const allowed = file.verdict === 'allowed';
  const Icon = allowed ? IconShieldCheck : IconLock;
  return (
    <p className={classes.verdict} data-verdict={file.verdict}>
      <Icon size={15} aria-hidden />
      <strong>{verdictWord(file)}</strong>
      {file.pattern !== null && (
        <span>
          by <code className="mono">{file.pattern}</code>
        </span>
      )}
      <span>{file.reason}</span>
      {file.binary && <span>It is no text.</span>}
    </p>
  );
}

export function verdictWord({ verdict }: ChangedFile): string {
  if (verdict === 'allowed') return 'Allowed';
  return verdict === 'protected' ? 'Protected' : 'Not allowed';
}
