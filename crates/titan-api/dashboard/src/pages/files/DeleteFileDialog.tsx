// Deletes a file, after a question.
import type { FileEntry } from '../../api/types';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { useDeleteFile } from '../../data/files';

interface DeleteFileDialogProps {
  projectId: string;
  file: FileEntry;
  onClose: () => void;
  onDeleted: () => void;
}

export function DeleteFileDialog({ projectId, file, onClose, onDeleted }: DeleteFileDialogProps) {
  const remove = useDeleteFile(projectId);
  return (
    <ConfirmDialog
      title={`Delete ${file.path}?`}
      verb="Delete"
      action={remove}
      onConfirm={() => remove.mutate({ path: file.path, tag: file.id }, { onSuccess: onDeleted })}
      onClose={onClose}
    >
      <p>What it was stays in the history.</p>
    </ConfirmDialog>
  );
}
