// The files of a proposal by their folders, beside their differences: what the rules say about each, what was viewed, and a way there.
import { UnstyledButton } from '@mantine/core';
import { IconCheck, IconLock, IconShieldCheck } from '@tabler/icons-react';
import type { ChangedFile } from '../evidence';
import { Counts } from './Counts';
import classes from './Diff.module.css';
import { verdictWord } from './FileDiff';
import { byFolder } from './folders';

export interface Entry {
  file: ChangedFile;
  viewed: boolean;
}

interface FileIndexProps {
  entries: readonly Entry[];
  onGo: (path: string) => void;
}

export function FileIndex({ entries, onGo }: FileIndexProps) {
  return (
    <nav aria-label="Changed files" className={classes.index} data-testid="file-index">
      {byFolder(entries).map(({ folder, files }) => (
        <section key={folder}>
          <h3 className={`${classes.folder} mono`}>{folder === '' ? '/' : folder}</h3>
          <ul>
            {files.map(({ name, entry }) => (
              <li key={entry.file.path}>
                <IndexEntry name={name} entry={entry} onGo={() => onGo(entry.file.path)} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

function IndexEntry({ name, entry: { file, viewed }, onGo }: { name: string; entry: Entry; onGo: () => void }) {
  const allowed = file.verdict === 'allowed';
  const Icon = allowed ? IconShieldCheck : IconLock;
  return (
    <UnstyledButton className={classes.entry ?? ''} title={file.reason} onClick={onGo} data-verdict={file.verdict}>
      <Icon size={15} aria-hidden className={allowed ? undefined : (classes.fenced ?? '')} />
      <span className={`${classes.entryName} mono`}>{name}</span>
      <span className={allowed ? 'sr-only' : classes.fenced}>{verdictWord(file)}</span>
      <Counts additions={file.additions} deletions={file.deletions} />
      {viewed && (
        <>
          <IconCheck size={15} aria-hidden className={classes.seen ?? ''} />
          <span className="sr-only">viewed</span>
        </>
      )}
    </UnstyledButton>
  );
}
