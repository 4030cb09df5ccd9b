// Files of a message: those that are to go with it, each with a way to take it back, and those that went.
import { CloseButton, Loader } from '@mantine/core';
import { IconFile } from '@tabler/icons-react';
import { attachmentUrl } from '../../api/calls';
import type { Attachment } from '../../api/types';
import { isImage } from '../../lib/files';
import { formatBytes } from '../../lib/format';
import classes from './InputPage.module.css';
import type { Attachments } from './useAttachments';

interface DraftFilesProps {
  files: readonly Attachment[];
  attachments: Attachments;
  onRemove: (id: string) => void;
}

export function DraftFiles({ files, attachments, onRemove }: DraftFilesProps) {
  const { sending, refused, drop } = attachments;
  if (files.length + sending.length + refused.length === 0) return null;
  return (
    <>
      <ul className={classes.files} aria-label="Attached files">
        {files.map((file) => (
          <li key={file.id} className={classes.file} data-testid="draft-file">
            <IconFile size={14} aria-hidden />
            <span className={classes.fileName}>{file.name}</span>
            <span className={classes.muted}>{formatBytes(file.size)}</span>
            <CloseButton size="xs" aria-label={`Remove ${file.name}`} onClick={() => onRemove(file.id)} />
          </li>
        ))}
        {sending.map((file) => (
          <li key={file.key} className={classes.file} data-testid="sending-file">
            {file.failure === null ? <Loader size={12} aria-label="Sending" /> : <IconFile size={14} aria-hidden />}
            <span className={classes.fileName}>{file.name}</span>
            {file.failure !== null && <span className={classes.fileFailure}>{file.failure}</span>}
            <CloseButton size="xs" aria-label={`Remove ${file.name}`} onClick={() => drop(file.key)} />
          </li>
        ))}
      </ul>
      {refused.length > 0 && (
        <p role="alert" className={classes.fileFailure}>
          {refused.join(' ')}
        </p>
      )}
    </>
  );
}

/** On a message: images as they are, other files by name. */
export function SentFiles({ files }: { files: readonly Attachment[] }) {
  if (files.length === 0) return null;
  return (
    <ul className={classes.files} aria-label="Attached files">
      {files.map((file) => (
        <li key={file.id} className={classes.file} data-testid="message-file">
          <a href={attachmentUrl(file.id)} target="_blank" rel="noreferrer" className={classes.fileLink}>
            {isImage(file.media_type) ? (
              <img src={attachmentUrl(file.id)} alt={file.name} className={classes.thumbnail} loading="lazy" />
            ) : (
              <>
                <IconFile size={14} aria-hidden />
                <span className={classes.fileName}>{file.name}</span>
              </>
            )}
          </a>
          <span className={classes.muted}>{formatBytes(file.size)}</span>
        </li>
      ))}
    </ul>
  );
}
