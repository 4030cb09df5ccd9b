// A draft of which no version came: why, and the way on.
import { Button } from '@mantine/core';
import type { PlanDraft } from '../../api/types';
import { FailureText } from '../../components/FailureText';
import { Panel } from '../../components/Panel';
import { useExecuteTask } from '../../data/actions';
import { useOffline } from '../../live/hooks';
import classes from './Plan.module.css';

export function FailedDraft({ projectId, draft }: { projectId: string; draft: PlanDraft }) {
  const again = useExecuteTask(projectId);
  const offline = useOffline();
  const canceled = draft.execution_status === 'canceled';
  return (
    <Panel title={canceled ? 'The draft was canceled' : 'There is no plan of it'} testId="draft-failed">
      <p className={classes.text} role={canceled ? undefined : 'alert'}>
        {canceled ? (
          'Nothing of it was kept. Ask for another one below.'
        ) : (
          <FailureText text={draft.failure_reason ?? 'No reason was given.'} />
        )}
      </p>
      {!canceled && (
        <Button
          size="compact-sm"
          variant="default"
          disabled={offline}
          loading={again.isPending}
          onClick={() => again.mutate(draft.task_id)}
        >
          Try again
        </Button>
      )}
    </Panel>
  );
}
