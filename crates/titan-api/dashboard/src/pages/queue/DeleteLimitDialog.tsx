// Deleting a limit. The server refuses while jobs wait for it, and says so here.
import { Button } from '@mantine/core';
import type { Limit } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useDeleteLimit } from '../../data/queueActions';
import { useOffline } from '../../live/hooks';
import classes from './QueuePage.module.css';

export function DeleteLimitDialog({ limit, onClose }: { limit: Limit; onClose: () => void }) {
  const remove = useDeleteLimit();
  const offline = useOffline();
  return (
    <Dialog onClose={onClose} title="Delete the limit">
      <div className={classes.fields}>
        <p className={classes.text}>
          This deletes <strong>{limit.key}</strong>. New work cannot name it any more; what was admitted goes on.
        </p>
        {remove.error && <ErrorPanel error={remove.error} compact />}
        <div className={classes.buttons}>
          <Button variant="default" data-autofocus onClick={onClose}>
            Keep it
          </Button>
          <Button
            color="bad"
            disabled={offline}
            loading={remove.isPending}
            onClick={() => remove.mutate(limit.key, { onSuccess: onClose })}
          >
            Delete limit
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
