// What the run is, how it stands, why it does not move, and the way to stop or repeat it.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Run, RunEvent } from '../../api/types';
import { BudgetBar } from '../../components/budget/BudgetBar';
import { CopyText } from '../../components/CopyText';
import { FailureText } from '../../components/FailureText';
import { HintText } from '../../components/HintText';
import { RunStatus } from '../../components/RunStatus';
import { WaitNote } from '../../components/waiting/WaitNote';
import { waitOf } from '../../components/waiting/wait';
import { useCancelRun, useExecuteTask } from '../../data/actions';
import { taskQuery } from '../../data/queries';
import { useOffline } from '../../live/hooks';
import classes from './RunPage.module.css';
import { StageBar } from './StageBar';
import { isRunActive } from './useRunEvents';

export function RunHeader({ run, events }: { run: Run; events: readonly RunEvent[] }) {
  const wait = waitOf(run, events);
  const task = useQuery({ ...taskQuery(run.task_id ?? ''), enabled: run.task_id !== null });
  return (
    <header className={classes.header}>
      <div className={classes.titleRow}>
        <h1 className={classes.title}>{task.data?.title ?? `Run of ${run.workflow}`}</h1>
        <RunStatus run={run} />
        <span className={classes.spacer} />
        <RunActions
          run={run}
          latest={task.data?.latest_run?.id === run.id}
          failed={task.data?.execution_status === 'failed'}
        />
      </div>
      <p className={classes.facts}>
        <span>
          Run <CopyText value={run.id} label="Copy the run id" />
        </span>
        <span>workflow {run.workflow}</span>
        {run.task_id && (
          <Link
            to="/projects/$projectId/progress"
            params={{ projectId: run.project_id }}
            search={{ task: run.task_id }}
          >
            Task
          </Link>
        )}
        {run.retry_of && (
          <Link to="/runs/$runId" params={{ runId: run.retry_of }}>
            Retry of an earlier run
          </Link>
        )}
        {run.parent_run_id && (
          <Link to="/runs/$runId" params={{ runId: run.parent_run_id }}>
            Parent run
          </Link>
        )}
        {run.trace_id && (
          <span>
            trace <CopyText value={run.trace_id} label="Copy the trace id" />
          </span>
        )}
      </p>
      <StageBar stage={run.stage} status={run.status} />
      {isRunActive(run) && <BudgetBar place={{ scope: 'run', id: run.id }} limitWord="Limit this run" />}
      {wait ? <WaitNote wait={wait} run={run} /> : <HintText hint={run.hint} />}
      {run.error && (
        <div className={classes.error} role="alert" data-testid="run-error">
          <strong>This run failed.</strong> <FailureText text={run.error} />
        </div>
      )}
    </header>
  );
}

function RunActions({ run, latest, failed }: { run: Run; latest: boolean; failed: boolean }) {
  const cancel = useCancelRun();
  const execute = useExecuteTask(run.project_id);
  const offline = useOffline();
  const stopping = run.cancel_requested_at !== null;
  if (isRunActive(run)) {
    return (
      <Button
        variant="default"
        disabled={stopping || offline}
        loading={cancel.isPending}
        onClick={() => cancel.mutate(run.id)}
      >
        {stopping ? 'Cancel requested' : 'Cancel'}
      </Button>
    );
  }
  if (run.task_id === null || !latest || !failed) return null;
  const taskId = run.task_id;
  return (
    <Button variant="default" disabled={offline} loading={execute.isPending} onClick={() => execute.mutate(taskId)}>
      Retry
    </Button>
  );
}
