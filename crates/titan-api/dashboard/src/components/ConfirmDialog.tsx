// Asks before something is done that cannot be undone, and stays open with the reason when it fails.
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useOffline } from '../live/hooks';
import { Dialog } from './Dialog';
import { ErrorPanel } from './ErrorPanel';
import classes from './Form.module.css';

interface ConfirmDialogProps {
  title: string;
  /** What the button says that does it. */
  verb: string;
  children: ReactNode;
  action: { error: Error | null; isPending: boolean };
  onConfirm: () => void;
  onClose: () => void;
}

export function ConfirmDialog({ title, verb, children, action, onConfirm, onClose }: ConfirmDialogProps) {
  const offline = useOffline();
  return (
    <Dialog onClose={onClose} title={title}>
      {children}
      {action.error && <ErrorPanel error={action.error} compact />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="bad" disabled={offline} loading={action.isPending} onClick={onConfirm}>
          {verb}
        </Button>
      </div>
    </Dialog>
  );
}
