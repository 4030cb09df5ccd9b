// Takes an installed version of a template away, after a question.
import * as api from '../../api/calls';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';

interface UninstallDialogProps {
  reference: string;
  onClose: () => void;
  onGone: () => void;
}

export function UninstallDialog({ reference, onClose, onGone }: UninstallDialogProps) {
  const uninstall = useChange(api.uninstallTemplate, [keys.templates], () => `${reference} is uninstalled`);
  return (
    <ConfirmDialog
      title="Uninstall this template?"
      verb="Uninstall"
      action={uninstall}
      onConfirm={() => uninstall.mutate(reference, { onSuccess: onGone })}
      onClose={onClose}
    >
      <p>
        <strong>{reference}</strong> leaves the catalogue. Runs that were begun with it keep their files; a project that
        names it cannot be made of it once more until it is installed again.
      </p>
    </ConfirmDialog>
  );
}
