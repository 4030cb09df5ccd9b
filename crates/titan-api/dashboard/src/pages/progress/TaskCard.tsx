// A task on the board: what it is, how it stands, and why it does not move.
import { Link } from '@tanstack/react-router';
import type { Task } from '../../api/types';
import { Age } from '../../components/Age';
import { HintText } from '../../components/HintText';
import { Status } from '../../components/Status';
import classes from './ProgressPage.module.css';

export function TaskCard({ task }: { task: Task }) {
  return (
    <Link
      to="/projects/$projectId/progress"
      params={{ projectId: task.project_id }}
      search={{ task: task.id }}
      resetScroll={false}
      className={classes.cardLink}
      data-testid="task-card"
      data-task={task.id}
    >
      <p className={classes.cardTitle}>{task.title}</p>
      <div className={classes.cardFacts}>
        <Status status={task.execution_status} />
        <span className={classes.muted}>{task.type}</span>
        {task.priority !== 0 && <span className={classes.muted}>priority {task.priority}</span>}
        {task.retry_count > 0 && (
          <span className={classes.muted}>
            retry {task.retry_count} of {task.max_retries}
          </span>
        )}
        <span className={classes.muted}>
          <Age at={task.completed_at ?? task.started_at ?? task.created_at} />
        </span>
      </div>
      <Reason task={task} />
    </Link>
  );
}

function Reason({ task }: { task: Task }) {
  if (task.hint) return <HintText hint={task.hint} />;
  const reason =
    task.execution_status === 'failed'
      ? task.failure_reason
      : task.execution_status === 'blocked'
        ? task.blocked_reason
        : null;
  return reason ? <HintText hint={{ code: task.execution_status, message: reason }} /> : null;
}
