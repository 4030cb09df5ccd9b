// Forgets one memory, after a question.
import { Button } from '@mantine/core';
import type { Memory } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useForgetMemory } from '../../data/memoryActions';
import classes from './Memory.module.css';

interface ForgetDialogProps {
  projectId: string;
  memory: Memory;
  onClose: () => void;
}

export function ForgetDialog({ projectId, memory, onClose }: ForgetDialogProps) {
  const forget = useForgetMemory(projectId);
  return (
    <Dialog onClose={onClose} title="Forget this?">
      <blockquote className={classes.quote}>{memory.content.slice(0, 400)}</blockquote>
      <p>It cannot be undone. Answers given so far stay as they are.</p>
      {forget.error && <ErrorPanel error={forget.error} compact />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="bad" loading={forget.isPending} onClick={() => forget.mutate(memory, { onSuccess: onClose })}>
          Forget
        </Button>
      </div>
    </Dialog>
  );
}
