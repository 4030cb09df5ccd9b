// One file: read, changed, deleted. What somebody else changed meanwhile is never written over, and what was typed is kept
// until it is saved or discarded.
import { Anchor, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { fileUrl } from '../../api/calls';
import type { FileEntry } from '../../api/types';
import { Empty } from '../../components/Empty';
import { Markdown } from '../../components/Markdown';
import { QueryView } from '../../components/QueryView';
import { fileTextQuery } from '../../data/files';
import { formatBytes } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import { fence } from '../output/previewKind';
import { DeleteFileDialog } from './DeleteFileDialog';
import { FileEditor } from './FileEditor';
import classes from './Files.module.css';
import { keepFileDraft, useFileDraft } from './fileDrafts';
import { editable, withoutMark } from './fileText';
import { isBinary, isImage, MOST_SHOWN, nameOf } from './tree';

interface FilePaneProps {
  projectId: string;
  path: string;
  /** Null when it is there no more. */
  file: FileEntry | null;
  onGone: () => void;
}

export function FilePane({ projectId, path, file, onGone }: FilePaneProps) {
  const draft = useFileDraft(projectId, path);
  const [began, setBegan] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const offline = useOffline();
  if (file === null && draft === null) {
    return <Empty title={`There is no file ${path}`}>It was deleted or renamed since.</Empty>;
  }
  const close = () => {
    setBegan(false);
    // The button that was pressed goes away.
    heading.current?.focus();
  };
  return (
    <section className={classes.pane} aria-label={path} data-testid="file">
      <header className={classes.paneHead}>
        <h2 className={classes.path} ref={heading} tabIndex={-1}>
          {path}
        </h2>
        {file && (
          <span className={`${classes.muted} tnum`}>
            {formatBytes(file.size)}
            {file.executable && ', executable'}
          </span>
        )}
        <span className={classes.spacer} />
        {file && (
          <Anchor href={fileUrl(projectId, path)} download={nameOf(path)} size="sm">
            Download
          </Anchor>
        )}
        {file && draft === null && (
          <>
            <EditButton projectId={projectId} file={file} onBegin={() => setBegan(true)} />
            <Button
              size="compact-sm"
              variant="default"
              color="bad"
              disabled={offline}
              onClick={() => setDeleting(true)}
            >
              Delete
            </Button>
          </>
        )}
      </header>
      {draft !== null ? (
        <FileEditor
          projectId={projectId}
          path={path}
          file={file}
          draft={draft}
          focused={began}
          onSaved={close}
          onDiscarded={file === null ? onGone : close}
        />
      ) : (
        file && <Shown projectId={projectId} file={file} />
      )}
      {deleting && file && (
        <DeleteFileDialog projectId={projectId} file={file} onClose={() => setDeleting(false)} onDeleted={onGone} />
      )}
    </section>
  );
}

const isShown = (file: FileEntry) => !isImage(file.path) && file.size <= MOST_SHOWN;

const useText = (projectId: string, file: FileEntry) =>
  useQuery({ ...fileTextQuery(projectId, file.path, file.id), enabled: isShown(file) });

function EditButton({ projectId, file, onBegin }: { projectId: string; file: FileEntry; onBegin: () => void }) {
  const { data } = useText(projectId, file);
  const offline = useOffline();
  if (data === undefined || isBinary(data)) return null;
  const read = editable(data);
  if (read === null) {
    return <span className={classes.muted}>Its lines end in two ways, which an edit here would change.</span>;
  }
  return (
    <Button
      size="compact-sm"
      variant="default"
      disabled={offline}
      onClick={() => {
        onBegin();
        keepFileDraft(projectId, file.path, { ...read, tag: file.id });
      }}
    >
      Edit
    </Button>
  );
}

function Shown({ projectId, file }: { projectId: string; file: FileEntry }) {
  const query = useText(projectId, file);
  if (isShown(file)) {
    return (
      <QueryView query={query} what="the file">
        {(content: string) => <Content path={file.path} text={withoutMark(content)} />}
      </QueryView>
    );
  }
  if (isImage(file.path)) {
    return <img src={`${fileUrl(projectId, file.path)}?id=${file.id}`} alt={file.path} className={classes.image} />;
  }
  return <Empty title="It is too large to be shown here">Download it to look at it.</Empty>;
}

function Content({ path, text }: { path: string; text: string }) {
  if (text === '') return <Empty title="This file is empty" />;
  if (isBinary(text)) return <Empty title="This is no text">Download it to open it.</Empty>;
  if (/\.(md|markdown)$/i.test(path)) return <Markdown text={text} />;
  return <Markdown text={fence(text, nameOf(path))} />;
}
