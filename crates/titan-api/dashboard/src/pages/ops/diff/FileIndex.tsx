// The files of a proposal by their folders, beside their differences: what the rules say about each, what was viewed, and a way there.
import { UnstyledButton } from '@mantine/core';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { Counts } from './Counts';
import classes from './Diff.module.css';
import type { Entry } from './entries';
import { byFolder } from './folders';
import { VerdictIcon, VerdictWord } from './Verdict';

interface FileIndexProps {
  entries: readonly Entry[];
  isViewed: (entry: Entry) => boolean;
  onGo: (path: string) => void;
}

export function FileIndex({ entries, isViewed, onGo }: FileIndexProps) {
  return (
    <nav aria-label="Changed files" className={classes.index} data-testid="file-index">
      {byFolder(entries).map(({ folder, files }) => (
        <section key={folder}>
          <h3 className={`${classes.folder} mono`}>{folder === '' ? '/' : folder}</h3>
          <ul>
            {files.map(({ name, entry }) => (
              <li key={entry.file.path}>
                <IndexEntry name={name} entry={entry} viewed={isViewed(entry)} onGo={() => onGo(entry.file.path)} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

interface IndexEntryProps {
  name: string;
  entry: Entry;
  viewed: boolean;
  onGo: () => void;
}

function IndexEntry({ name, entry: { file, fault }, viewed, onGo }: IndexEntryProps) {
  return (
    <UnstyledButton className={classes.entry ?? ''} title={file.reason} onClick={onGo} data-verdict={file.verdict}>
      <VerdictIcon file={file} />
      <span className={`${classes.entryName} mono`}>{name}</span>
      <span className={classes.entryFacts}>
        <VerdictWord file={file} />
        <Counts additions={file.additions} deletions={file.deletions} />
        {viewed && (
          <>
            <IconCheck size={15} aria-hidden className={classes.seen ?? ''} />
            <span className="sr-only">viewed</span>
          </>
        )}
        {fault !== null && (
          <>
            <IconAlertTriangle size={15} aria-hidden className={classes.fenced ?? ''} />
            <span className="sr-only">not shown as a whole</span>
          </>
        )}
      </span>
    </UnstyledButton>
  );
}
