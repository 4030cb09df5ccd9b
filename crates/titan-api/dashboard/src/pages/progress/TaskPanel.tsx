// One task, over the page it was opened from: state and reason, what it was asked, its runs and its log, and the
// actions that its state allows.
import { Button, Drawer } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Run, Task, TaskLogEntry } from '../../api/types';
import { Age } from '../../components/Age';
import { BudgetBar } from '../../components/budget/BudgetBar';
import { CopyText } from '../../components/CopyText';
import { HintText } from '../../components/HintText';
import { QueryView } from '../../components/QueryView';
import { RunStatus } from '../../components/RunStatus';
import { Status } from '../../components/Status';
import { useCancelTask, useCompleteTask, useExecuteTask } from '../../data/actions';
import { taskLogQuery, taskQuery, taskRunsQuery } from '../../data/queries';
import { textField } from '../../lib/fields';
import { formatClock, shortId } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import classes from './ProgressPage.module.css';

interface TaskPanelProps {
  taskId: string;
  projectId: string;
  onClose: () => void;
}

export default function TaskPanel({ taskId, projectId, onClose }: TaskPanelProps) {
  const task = useQuery(taskQuery(taskId));
  const runs = useQuery(taskRunsQuery(projectId, taskId));
  const log = useQuery(taskLogQuery(taskId));
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={480}
      title={task.data?.title ?? 'Task'}
      closeButtonProps={{ 'aria-label': 'Close the task' }}
      transitionProps={{ duration: 180 }}
      data-testid="task-panel"
    >
      <div className={classes.stack}>
        <QueryView query={task} what="the task">
          {(data) => <TaskFacts task={data} />}
        </QueryView>
        <section aria-label="Runs of this task">
          <h3 className={classes.heading}>Runs</h3>
          <QueryView query={runs} what="runs">
            {(data) => <TaskRuns runs={data.items} />}
          </QueryView>
        </section>
        <section aria-label="Execution log">
          <h3 className={classes.heading}>Execution log</h3>
          <QueryView query={log} what="the log">
            {(data) => <TaskLog entries={data} />}
          </QueryView>
        </section>
      </div>
    </Drawer>
  );
}

function TaskFacts({ task }: { task: Task }) {
  const content = textField(task.payload, 'content');
  const reason = task.failure_reason ?? task.blocked_reason;
  return (
    <>
      <div>
        <Status status={task.execution_status} />
        <HintText hint={task.hint} />
        {reason && <HintText hint={{ code: task.execution_status, message: reason }} />}
      </div>
      <TaskActions task={task} />
      <BudgetBar place={{ scope: 'task', id: task.id }} limitWord="Limit this task" />
      {content && (
        <section aria-label="Message">
          <h3 className={classes.heading}>Message</h3>
          <p className={classes.pre}>{content}</p>
        </section>
      )}
      <dl className={classes.facts}>
        <dt>Task</dt>
        <dd>
          <CopyText value={task.id} label="Copy the task id" />
        </dd>
        <dt>Type</dt>
        <dd>{task.type}</dd>
        <dt>Runs by itself</dt>
        <dd>{task.execution_type.replaceAll('_', ' ')}</dd>
        <dt>Priority</dt>
        <dd className="tnum">{task.priority}</dd>
        <dt>Retries</dt>
        <dd className="tnum">
          {task.retry_count} of {task.max_retries}
        </dd>
        <dt>Created</dt>
        <dd>
          <Age at={task.created_at} />
        </dd>
        {task.completed_at && (
          <>
            <dt>Ended</dt>
            <dd>
              <Age at={task.completed_at} />
            </dd>
          </>
        )}
      </dl>
    </>
  );
}

// What failed may be given up, so that others can do without it.
const CANCELABLE = ['pending', 'queued', 'in_progress', 'paused', 'blocked', 'failed'];

function TaskActions({ task }: { task: Task }) {
  const cancel = useCancelTask(task.project_id);
  const execute = useExecuteTask(task.project_id);
  const complete = useCompleteTask(task.project_id);
  const offline = useOffline();
  const canceling = task.hint?.code === 'canceling';
  const startable = task.execution_status === 'pending' || task.execution_status === 'failed';
  const waits = task.hint?.code === 'needs';
  const byHand = task.execution_status === 'pending' && task.execution_type === 'manual';
  if (task.type === 'group') return <p className={classes.muted}>A group: it is done when the tasks in it are.</p>;
  return (
    <div className={classes.buttons}>
      {startable && (
        <Button
          size="compact-md"
          disabled={offline}
          loading={execute.isPending}
          onClick={() => execute.mutate(task.id)}
        >
          {task.execution_status === 'failed' ? 'Retry' : 'Run'}
        </Button>
      )}
      {byHand && (
        <Button
          size="compact-md"
          variant="default"
          disabled={offline || waits}
          loading={complete.isPending}
          title={waits ? task.hint?.message : 'You have done it yourself'}
          onClick={() => complete.mutate(task.id)}
        >
          Done
        </Button>
      )}
      {CANCELABLE.includes(task.execution_status) && (
        <Button
          size="compact-md"
          variant="default"
          disabled={offline || canceling}
          loading={cancel.isPending}
          onClick={() => cancel.mutate(task.id)}
        >
          {canceling ? 'Cancel requested' : 'Cancel'}
        </Button>
      )}
      {task.latest_run && (
        <Button size="compact-md" variant="default" component={Link} to={`/runs/${task.latest_run.id}`}>
          Open run
        </Button>
      )}
    </div>
  );
}

function TaskRuns({ runs }: { runs: Run[] }) {
  if (runs.length === 0) return <p className={classes.none}>It has not run yet.</p>;
  return (
    <ul className={classes.rows}>
      {runs.map((run) => (
        <li key={run.id} className={classes.row}>
          <RunStatus run={run} />
          <Link to="/runs/$runId" params={{ runId: run.id }} className={`${classes.link} ${classes.grow}`}>
            Run {shortId(run.id)}
          </Link>
          <span className={classes.muted}>
            <Age at={run.created_at} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function TaskLog({ entries }: { entries: TaskLogEntry[] }) {
  if (entries.length === 0) return <p className={classes.none}>Nothing has happened yet.</p>;
  return (
    <ol className={classes.rows}>
      {entries.map((entry, index) => (
        <li key={index} className={classes.row}>
          <span className={`${classes.muted} tnum`}>{formatClock(entry.timestamp, true)}</span>
          <span className={classes.grow}>
            {entry.event.replaceAll('_', ' ')}
            {entry.executor_type && <span className={classes.muted}> by {entry.executor_type}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
