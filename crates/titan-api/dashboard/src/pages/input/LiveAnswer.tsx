// An answer that is not stored yet: waiting, being written, failed or stopped. It follows the run while the task lasts.
import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useDeferredValue, useEffect, useRef } from 'react';
import type { Run, Task } from '../../api/types';
import { Elapsed } from '../../components/Elapsed';
import { FailureText } from '../../components/FailureText';
import { HintText } from '../../components/HintText';
import { Markdown } from '../../components/Markdown';
import { Status } from '../../components/Status';
import { WaitNote } from '../../components/waiting/WaitNote';
import { statusOfWait, type Wait, waitInEvents, waitOf } from '../../components/waiting/wait';
import { useCancelTask, useExecuteTask } from '../../data/actions';
import { keys } from '../../data/keys';
import { runQuery } from '../../data/queries';
import { useNow } from '../../lib/clock';
import { formatCount } from '../../lib/format';
import { useOffline, useRunFeed } from '../../live/hooks';
import type { RunSnapshot } from '../../live/runFeed';
import classes from './InputPage.module.css';

const SILENT_AFTER_MS = 6000;

export function LiveAnswer({ projectId, task }: { projectId: string; task: Task }) {
  const active = task.execution_status === 'queued' || task.execution_status === 'in_progress';
  const feed = useRunFeed(active ? (task.latest_run?.id ?? null) : null);
  // The feed is gone once the task has ended; what was read so far stays until the stored answer takes its place.
  const last = useRef({ run: '', text: '' });
  const run = task.latest_run?.id ?? '';
  if (active && (feed.text !== '' || last.current.run !== run)) last.current = { run, text: feed.text };
  const text = useDeferredValue(active ? feed.text : last.current.text);
  useRefreshAtEnd(projectId, task.id, feed.endStatus);

  // It has ended and nothing was streamed here: the stored answer is on its way.
  if (task.execution_status === 'completed' && text === '') return null;
  return (
    <div className={classes.answer} data-testid="live-answer" data-status={task.execution_status}>
      {text !== '' && (
        <div data-testid="streaming-text" aria-busy={active}>
          <Markdown text={text} />
        </div>
      )}
      {active && <Progress task={task} feed={feed} />}
      {task.execution_status === 'failed' && <Failed projectId={projectId} task={task} />}
      {task.execution_status === 'canceled' && <p className={classes.note}>You stopped this answer.</p>}
      {task.execution_status === 'pending' && <p className={classes.note}>This task waits to be started.</p>}
    </div>
  );
}

/** The end of a run is told by its own stream, possibly before any hint; the stored answer is fetched at once. */
function useRefreshAtEnd(projectId: string, taskId: string, endStatus: string | null): void {
  const client = useQueryClient();
  useEffect(() => {
    if (endStatus === null) return;
    for (const key of [keys.messages(projectId), keys.tasks(projectId), keys.task(taskId), keys.stats(projectId)]) {
      void client.invalidateQueries({ queryKey: key });
    }
  }, [client, projectId, taskId, endStatus]);
}

/** The run is read only while something says that it waits: it changes with every word of an answer. */
function useWait(task: Task, feed: RunSnapshot): { wait: Wait; run: Run } | null {
  const runId = task.latest_run?.id ?? '';
  const hinted = task.hint?.code === 'waiting' || task.hint?.code === 'retrying';
  const waits = runId !== '' && (hinted || waitInEvents(feed.events) !== null);
  const { data: run } = useQuery({ ...runQuery(runId), enabled: waits });
  const wait = waits && run ? waitOf(run, feed.events) : null;
  return wait && run ? { wait, run } : null;
}

function Progress({ task, feed }: { task: Task; feed: RunSnapshot }) {
  const waiting = useWait(task, feed);
  const cancel = useCancelTask(task.project_id);
  const offline = useOffline();
  const now = useNow();
  const canceling = task.hint?.code === 'canceling';
  const running = task.execution_status === 'in_progress';
  const silence = feed.lastSignal === null ? 0 : now - feed.lastSignal;
  return (
    <div className={classes.progress}>
      <Status
        status={waiting ? statusOfWait(waiting.wait.on) : running ? 'running' : 'queued'}
        label={waiting ? 'Waiting' : running ? (feed.text ? 'Answering' : 'Thinking') : 'Queued'}
      />
      <span className={`${classes.muted} tnum`}>
        <Elapsed from={task.started_at ?? task.created_at} to={null} />
        {feed.heartbeat && ` · ${formatCount(feed.heartbeat.output_tokens)} tokens`}
        {feed.attempt > 1 && ` · attempt ${feed.attempt}`}
      </span>
      {running && !waiting && silence > SILENT_AFTER_MS && (
        <span className={classes.warn}>no signal for {Math.round(silence / 1000)} s</span>
      )}
      <Button
        size="compact-sm"
        variant="default"
        disabled={canceling || offline}
        loading={cancel.isPending}
        onClick={() => cancel.mutate(task.id)}
        aria-keyshortcuts="Escape"
      >
        {canceling ? 'Cancel requested' : 'Cancel'}
      </Button>
      {waiting ? <WaitNote wait={waiting.wait} run={waiting.run} /> : <HintText hint={task.hint} />}
    </div>
  );
}

function Failed({ projectId, task }: { projectId: string; task: Task }) {
  const execute = useExecuteTask(projectId);
  const offline = useOffline();
  return (
    <div className={classes.progress} role="alert">
      <Status status="failed" />
      <span className={classes.reason}>
        <FailureText text={task.failure_reason ?? 'No reason was given.'} />
      </span>
      <Button
        size="compact-sm"
        variant="default"
        disabled={offline}
        loading={execute.isPending}
        onClick={() => execute.mutate(task.id)}
      >
        Retry
      </Button>
    </div>
  );
}
