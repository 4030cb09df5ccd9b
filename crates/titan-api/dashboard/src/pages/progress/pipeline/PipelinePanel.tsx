// How a project is made of its template: the five stages, what the current one says, what failed and the way on, and where
// the result can be seen.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Run, Task } from '../../../api/types';
import { FailureText } from '../../../components/FailureText';
import { HintText } from '../../../components/HintText';
import { Panel } from '../../../components/Panel';
import { QueryView } from '../../../components/QueryView';
import { RunStatus } from '../../../components/RunStatus';
import { WaitNote } from '../../../components/waiting/WaitNote';
import { waitOfRun } from '../../../components/waiting/wait';
import { useCancelRun, useExecuteTask } from '../../../data/actions';
import { useStartPipeline } from '../../../data/pipelines';
import { runQuery } from '../../../data/queries';
import { useRequestKey } from '../../../lib/requestKey';
import { useOffline } from '../../../live/hooks';
import { isRunActive, useRunEvents } from '../../run/useRunEvents';
import classes from './Pipeline.module.css';
import { Result } from './Result';
import { StageLog } from './StageLog';
import { StageRow } from './StageRow';
import { complaintOf, failureOf, orderOf, type StageName, stagesOf, usesBuild } from './stages';

export default function PipelinePanel({ task }: { task: Task }) {
  const runId = task.latest_run?.id ?? '';
  const query = useQuery(runQuery(runId));
  return (
    <Panel
      title="Pipeline"
      testId="pipeline"
      aside={
        <span className={classes.aside}>
          {query.data && <RunStatus run={query.data} />}
          <Link to="/runs/$runId" params={{ runId }}>
            Open the run
          </Link>
          {query.data && <Actions task={task} run={query.data} />}
        </span>
      }
    >
      <QueryView query={query} what="the pipeline">
        {(run) => <Pipeline key={run.id} task={task} run={run} />}
      </QueryView>
    </Panel>
  );
}

function Pipeline({ task, run }: { task: Task; run: Run }) {
  const [picked, setPicked] = useState<StageName | null>(null);
  const stages = stagesOf(run);
  const current = stages.find((stage) => stage.current) ?? null;
  const shown = stages.find(({ name }) => name === picked) ?? current;
  const wait = waitOfRun(run);
  return (
    <div className={classes.pipeline}>
      <StageRow
        stages={stages}
        shown={shown?.name ?? null}
        onPick={(name) => setPicked(name === picked ? null : name)}
      />
      <p className="sr-only" aria-live="polite">
        {current ? `${current.label}: ${current.word ?? current.status}` : 'All stages are completed'}
      </p>
      {wait ? <WaitNote wait={wait} run={run} /> : <HintText hint={run.hint} />}
      <Failure task={task} run={run} />
      <Result projectId={task.project_id} target={orderOf(task).target ?? 'preview'} />
      {shown && <StageLog key={shown.name} run={run} stage={shown} />}
    </div>
  );
}

/** Why it failed, as the server says, and the lines in which the tool itself said so first. */
function Failure({ task, run }: { task: Task; run: Run }) {
  const execute = useExecuteTask(task.project_id);
  const offline = useOffline();
  const failure = failureOf(run);
  if (failure === null) {
    if (run.status !== 'failed' || run.error === null) return null;
    return (
      <div className={classes.failure} role="alert">
        <FailureText text={run.error} />
      </div>
    );
  }
  const { stage, reason } = failure;
  return (
    <div className={classes.failure} role="alert" data-testid="pipeline-failure">
      <div className={classes.reason}>
        <strong>{stage.label} failed.</strong> <FailureText text={reason} />
        <Complaint run={run} seq={stage.seq} reason={reason} />
        {usesBuild(stage.name) && (
          <p className={classes.muted}>
            Retrying goes on with what was built. If you have changed files since, start over instead.
          </p>
        )}
      </div>
      <Button
        size="compact-md"
        disabled={offline}
        loading={execute.isPending}
        title="The stages before it are kept"
        onClick={() => execute.mutate(task.id)}
      >
        Retry from {stage.name}
      </Button>
    </div>
  );
}

function Complaint({ run, seq, reason }: { run: Run; seq: number; reason: string }) {
  const { events } = useRunEvents(run);
  const lines = useMemo(() => complaintOf(events, seq, reason), [events, seq, reason]);
  return lines.length === 0 ? null : <p className={classes.complaint}>{lines.join('\n')}</p>;
}

/** While it runs it can be stopped; afterwards it can be done again with the files as they are now. */
function Actions({ task, run }: { task: Task; run: Run }) {
  const cancel = useCancelRun();
  const again = useStartPipeline(task.project_id);
  const key = useRequestKey();
  const offline = useOffline();
  if (isRunActive(run)) {
    const stopping = run.cancel_requested_at !== null;
    return (
      <Button
        size="compact-sm"
        variant="default"
        disabled={stopping || offline}
        loading={cancel.isPending}
        onClick={() => cancel.mutate(run.id)}
      >
        {stopping ? 'Cancel requested' : 'Cancel'}
      </Button>
    );
  }
  // One follows each run at the most, however often the button is pressed and whatever answer is lost.
  const startOver = () => {
    const input = orderOf(task);
    again.mutate({ input, key: key([run.id, input]) });
  };
  return (
    <Button
      size="compact-sm"
      variant="default"
      disabled={offline}
      loading={again.isPending}
      title="All stages, with the files as they are now"
      onClick={startOver}
    >
      Start over
    </Button>
  );
}
