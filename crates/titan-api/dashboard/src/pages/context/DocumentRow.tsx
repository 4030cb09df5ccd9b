// One document: what it is, how far it is read and how it begins.
import { ActionIcon } from '@mantine/core';
import { IconDownload, IconTrash } from '@tabler/icons-react';
import { documentUrl } from '../../api/calls';
import type { Document } from '../../api/types';
import { Age } from '../../components/Age';
import classes from '../../components/List.module.css';
import { Status } from '../../components/Status';
import { formatBytes } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import { STATES, textWords } from './documents';

interface DocumentRowProps {
  document: Document;
  onDelete: (document: Document) => void;
}

export function DocumentRow({ document, onDelete }: DocumentRowProps) {
  const offline = useOffline();
  const state = STATES[document.state];
  const text = textWords(document);
  return (
    <li className={classes.row} data-testid="document" data-state={document.state}>
      <div className={classes.text}>
        <p className={classes.name}>{document.name}</p>
        <p className={classes.facts}>
          <Status status={state.look} label={state.word} />
          <span>{document.format}</span>
          <span>{formatBytes(document.size)}</span>
          {text !== null && <span>{text}</span>}
          <Age at={document.created_at} />
        </p>
        {document.reason && <p className={`${classes.excerpt} ${classes.bad}`}>It cannot be read: {document.reason}</p>}
        {document.preview && <p className={classes.excerpt}>{shortened(document.preview)}</p>}
      </div>
      <ActionIcon
        component="a"
        href={documentUrl(document.id)}
        download
        variant="subtle"
        color="gray"
        size={32}
        aria-label={`Download ${document.name}`}
      >
        <IconDownload size={17} />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={32}
        disabled={offline}
        onClick={() => onDelete(document)}
        aria-label={`Delete ${document.name}`}
      >
        <IconTrash size={17} />
      </ActionIcon>
    </li>
  );
}

const PREVIEW = 220;

/** A row needs only a glance of it. */
function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= PREVIEW ? line : `${line.slice(0, PREVIEW).trimEnd()}…`;
}
