// One file: read, changed, deleted. What somebody else changed meanwhile is never written over.
import { Anchor, Button, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { fileUrl } from '../../api/calls';
import { asApiError } from '../../api/errors';
import type { FileEntry } from '../../api/types';
import { Empty } from '../../components/Empty';
import { ErrorPanel } from '../../components/ErrorPanel';
import { Markdown } from '../../components/Markdown';
import { QueryView } from '../../components/QueryView';
import { fileTextQuery, useSaveFile } from '../../data/files';
import { formatBytes } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import { fence } from '../output/previewKind';
import { DeleteFileDialog } from './DeleteFileDialog';
import classes from './Files.module.css';
import { isBinary, isImage, MOST_SHOWN, nameOf } from './tree';

interface FilePaneProps {
  projectId: string;
  file: FileEntry;
  onGone: () => void;
}

export function FilePane({ projectId, file, onGone }: FilePaneProps) {
  // The text that is being changed, and what it was when that began.
  const [draft, setDraft] = useState<{ text: string; tag: string } | null>(null);
  const [deleting, setDeleting] = useState(false);
  const shown = !isImage(file.path) && file.size <= MOST_SHOWN;
  const query = useQuery({ ...fileTextQuery(projectId, file.path, file.id), enabled: shown });
  const offline = useOffline();
  const text = query.data;
  const editable = shown && text !== undefined && !isBinary(text);
  return (
    <section className={classes.pane} aria-label={file.path} data-testid="file">
      <header className={classes.paneHead}>
        <h2 className={classes.path}>{file.path}</h2>
        <span className={`${classes.muted} tnum`}>
          {formatBytes(file.size)}
          {file.executable && ', executable'}
        </span>
        <span className={classes.spacer} />
        <Anchor href={fileUrl(projectId, file.path)} download={nameOf(file.path)} size="sm">
          Download
        </Anchor>
        {draft === null && editable && (
          <Button
            size="compact-sm"
            variant="default"
            disabled={offline}
            onClick={() => setDraft({ text, tag: file.id })}
          >
            Edit
          </Button>
        )}
        {draft === null && (
          <Button size="compact-sm" variant="default" color="bad" disabled={offline} onClick={() => setDeleting(true)}>
            Delete
          </Button>
        )}
      </header>
      {draft !== null ? (
        <Editor
          projectId={projectId}
          file={file}
          draft={draft}
          onChange={(changed) => setDraft({ ...draft, text: changed })}
          onTakeOver={() => setDraft({ ...draft, tag: file.id })}
          onClose={() => setDraft(null)}
        />
      ) : shown ? (
        <QueryView query={query} what="the file">
          {(content: string) => <Content path={file.path} text={content} />}
        </QueryView>
      ) : isImage(file.path) ? (
        <img src={`${fileUrl(projectId, file.path)}?id=${file.id}`} alt={file.path} className={classes.image} />
      ) : (
        <Empty title="It is too large to be shown here">Download it to look at it.</Empty>
      )}
      {deleting && (
        <DeleteFileDialog projectId={projectId} file={file} onClose={() => setDeleting(false)} onDeleted={onGone} />
      )}
    </section>
  );
}

function Content({ path, text }: { path: string; text: string }) {
  if (text === '') return <Empty title="This file is empty" />;
  if (isBinary(text)) return <Empty title="This is no text">Download it to open it.</Empty>;
  if (/\.(md|markdown)$/i.test(path)) return <Markdown text={text} />;
  return <Markdown text={fence(text, nameOf(path))} />;
}

interface EditorProps {
  projectId: string;
  file: FileEntry;
  draft: { text: string; tag: string };
  onChange: (text: string) => void;
  /** The person has seen that it was changed, and means to write over it. */
  onTakeOver: () => void;
  onClose: () => void;
}

function Editor({ projectId, file, draft, onChange, onTakeOver, onClose }: EditorProps) {
  const save = useSaveFile(projectId);
  const offline = useOffline();
  const stale = draft.tag !== file.id;
  const submit = () => {
    if (!save.isPending && !stale)
      save.mutate({ path: file.path, content: draft.text, tag: draft.tag }, { onSuccess: onClose });
  };
  const refused = save.error !== null && asApiError(save.error).code === 'precondition_failed';
  return (
    <form
      className={classes.editor}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Textarea
        aria-label={`The text of ${file.path}`}
        className="mono"
        autosize
        minRows={12}
        maxRows={40}
        spellCheck={false}
        value={draft.text}
        data-autofocus
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if ((event.ctrlKey || event.metaKey) && event.key === 's') {
            event.preventDefault();
            submit();
          }
        }}
      />
      {(stale || refused) && (
        <p role="alert" className={classes.stale}>
          Somebody else has changed this file since you began.{' '}
          <Button size="compact-sm" variant="default" onClick={onTakeOver}>
            Write over it
          </Button>
        </p>
      )}
      {save.error && !refused && <ErrorPanel error={save.error} compact />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Discard
        </Button>
        <Button type="submit" loading={save.isPending} disabled={offline || stale}>
          Save
        </Button>
      </div>
    </form>
  );
}
