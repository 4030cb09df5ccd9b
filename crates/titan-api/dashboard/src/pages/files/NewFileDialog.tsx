// Makes a file with a path and a text.
import { Button, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { asApiError } from '../../api/errors';
import { Dialog } from '../../components/Dialog';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useSaveFile } from '../../data/files';
import classes from './Files.module.css';

interface NewFileDialogProps {
  projectId: string;
  onClose: () => void;
  onMade: (path: string) => void;
}

export function NewFileDialog({ projectId, onClose, onMade }: NewFileDialogProps) {
  const [path, setPath] = useState('');
  const [content, setContent] = useState('');
  const save = useSaveFile(projectId);
  const refusal = save.error ? asApiError(save.error) : null;
  const there = refusal?.code === 'precondition_failed' ? 'There is a file of this name already.' : null;
  const wrong = there ?? refusal?.fieldMessage('path') ?? null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wanted = path.trim();
    if (wanted !== '' && !save.isPending)
      save.mutate({ path: wanted, content, tag: null }, { onSuccess: () => onMade(wanted) });
  };
  return (
    <Dialog onClose={onClose} title="New file">
      <form onSubmit={submit} className={classes.fields} noValidate>
        <TextInput
          label="Path"
          description="With its folders, such as docs/notes.md"
          value={path}
          error={wrong}
          data-autofocus
          autoComplete="off"
          onChange={(event) => setPath(event.currentTarget.value)}
        />
        <Textarea
          label="Text"
          className="mono"
          autosize
          minRows={6}
          maxRows={20}
          spellCheck={false}
          value={content}
          onChange={(event) => setContent(event.currentTarget.value)}
        />
        {refusal && wrong === null && <ErrorPanel error={refusal} compact />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={path.trim() === ''}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
