// Deletes a file, after a question.
import { Button, Modal } from '@mantine/core';
import type { FileEntry } from '../../api/types';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useDeleteFile } from '../../data/files';
import classes from './Files.module.css';

interface DeleteFileDialogProps {
  projectId: string;
  file: FileEntry;
  onClose: () => void;
  onDeleted: () => void;
}

export function DeleteFileDialog({ projectId, file, onClose, onDeleted }: DeleteFileDialogProps) {
  const remove = useDeleteFile(projectId);
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Delete ${file.path}?`}
      closeButtonProps={{ 'aria-label': 'Close the dialog' }}
    >
      <p>What it was stays in the history.</p>
      {remove.error && <ErrorPanel error={remove.error} compact />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button
          color="bad"
          loading={remove.isPending}
          onClick={() => remove.mutate({ path: file.path, tag: file.id }, { onSuccess: onDeleted })}
        >
          Delete
        </Button>
      </div>
    </Modal>
  );
}
