// What the rules say about a path: whether a proposal may change it.
import { IconLock, IconShieldCheck } from '@tabler/icons-react';
import type { ChangedFile } from '../evidence';
import classes from './Diff.module.css';

const WORDS: Record<string, string> = { allowed: 'Allowed', protected: 'Protected' };

const isAllowed = ({ verdict }: ChangedFile): boolean => verdict === 'allowed';
const wordOf = ({ verdict }: ChangedFile): string => WORDS[verdict] ?? 'Not allowed';

export function VerdictIcon({ file }: { file: ChangedFile }) {
  const Icon = isAllowed(file) ? IconShieldCheck : IconLock;
  return <Icon size={15} aria-hidden className={isAllowed(file) ? undefined : (classes.fenced ?? '')} />;
}

/** In a word, which is seen where it may not be changed. */
export function VerdictWord({ file }: { file: ChangedFile }) {
  return <span className={isAllowed(file) ? 'sr-only' : classes.fenced}>{wordOf(file)}</span>;
}

/** With the pattern that decided and its reason. */
export function Verdict({ file }: { file: ChangedFile }) {
  return (
    <p className={classes.verdict} data-verdict={file.verdict}>
      <VerdictIcon file={file} />
      <strong>{wordOf(file)}</strong>
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
