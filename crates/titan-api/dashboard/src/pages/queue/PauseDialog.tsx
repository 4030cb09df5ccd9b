// Pausing a queue, with the reason that others will read.
import { Button, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Dialog } from '../../components/Dialog';
import { ErrorPanel } from '../../components/ErrorPanel';
import { usePauseQueue } from '../../data/queueActions';
import { useOffline } from '../../live/hooks';
import classes from './QueuePage.module.css';

export function PauseDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const pause = usePauseQueue();
  const offline = useOffline();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!pause.isPending) pause.mutate({ name, reason }, { onSuccess: onClose });
  };
  return (
    <Dialog onClose={onClose} title={`Pause the queue ${name}`}>
      <form onSubmit={submit} className={classes.fields}>
        <p className={classes.text}>
          What runs now is finished. Nothing else of this queue begins until it is resumed; what comes in is kept.
        </p>
        <TextInput
          label="Reason"
          description="Whoever wonders why nothing moves will read it. It may stay empty."
          data-autofocus
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          autoComplete="off"
        />
        {pause.error && <ErrorPanel error={pause.error} compact />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Keep it running
          </Button>
          <Button type="submit" disabled={offline} loading={pause.isPending}>
            Pause
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
