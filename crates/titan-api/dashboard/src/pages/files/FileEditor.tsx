// The text of a file while it is changed. What is typed is kept outside of here, so that leaving throws nothing away.
import { Button, Textarea } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { asApiError } from '../../api/errors';
import type { FileEntry } from '../../api/types';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useSaveFile } from '../../data/files';
import { useOffline } from '../../live/hooks';
import classes from './Files.module.css';
import { type FileDraft, keepFileDraft, saved } from './fileDrafts';
import { contentOf } from './fileText';

interface FileEditorProps {
  projectId: string;
  path: string;
  /** Null when somebody else has deleted or renamed it. */
  file: FileEntry | null;
  draft: FileDraft;
  /** Whether a person has just asked for it, and goes on typing. */
  focused: boolean;
  onSaved: () => void;
  onDiscarded: () => void;
}

export function FileEditor({ projectId, path, file, draft, focused, onSaved, onDiscarded }: FileEditorProps) {
  const save = useSaveFile(projectId);
  const offline = useOffline();
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (focused) field.current?.focus();
  }, [focused]);
  const id = file?.id ?? null;
  // While it is saved, the list may have the new file before the answer comes.
  const stale = !save.isPending && draft.tag !== id;
  const refused = save.error !== null && asApiError(save.error).code === 'precondition_failed';
  const change = (change: Partial<FileDraft>) => keepFileDraft(projectId, path, { ...draft, ...change });
  const takeOver = () => {
    save.reset();
    change({ tag: id });
    field.current?.focus();
  };
  const submit = () => {
    if (save.isPending || stale || offline) return;
    const { text, form, tag } = draft;
    save.mutateAsync({ path, content: contentOf(text, form), tag }).then(
      () => {
        onSaved();
        saved(projectId, path, text);
      },
      // Shown below.
      () => undefined,
    );
  };
  return (
    <form
      className={classes.editor}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Textarea
        ref={field}
        aria-label={`The text of ${path}`}
        className="mono"
        autosize
        minRows={12}
        maxRows={40}
        spellCheck={false}
        value={draft.text}
        readOnly={save.isPending}
        onChange={(event) => change({ text: event.currentTarget.value })}
        onKeyDown={(event) => {
          if ((event.ctrlKey || event.metaKey) && event.key === 's') {
            event.preventDefault();
            submit();
          }
        }}
      />
      {(stale || refused) && (
        <p role="alert" className={classes.stale}>
          {file === null
            ? 'Somebody else has deleted or renamed this file since you began. What you have written is still here.'
            : 'Somebody else has changed this file since you began.'}{' '}
          <Button size="compact-sm" variant="default" onClick={takeOver}>
            {file === null ? 'Make it again' : 'Write over it'}
          </Button>
        </p>
      )}
      {save.error && !refused && <ErrorPanel error={save.error} compact />}
      <div className={classes.buttons}>
        <Button
          variant="default"
          disabled={save.isPending}
          onClick={() => {
            onDiscarded();
            keepFileDraft(projectId, path, null);
          }}
        >
          Discard
        </Button>
        <Button type="submit" loading={save.isPending} disabled={offline || stale}>
          Save
        </Button>
      </div>
    </form>
  );
}
