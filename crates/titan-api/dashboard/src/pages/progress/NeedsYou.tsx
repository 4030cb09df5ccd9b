// What waits for a person, with the buttons right there: results to review, tasks that failed or are blocked.
import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Output, Task } from '../../api/types';
import { Panel } from '../../components/Panel';
import { Status } from '../../components/Status';
import { useDecideOutput, useExecuteTask } from '../../data/actions';
import { outputsQuery, statsQuery } from '../../data/queries';
import { useOffline } from '../../live/hooks';
import classes from './ProgressPage.module.css';

const SHOWN = 5;

interface NeedsYouProps {
  projectId: string;
  tasks: Task[];
  failedTotal: number;
}

export function NeedsYou({ projectId, tasks, failedTotal }: NeedsYouProps) {
  const pending = useInfiniteQuery(outputsQuery(projectId, 'pending'));
  const stats = useQuery(statsQuery(projectId));
  const outputs = pending.data?.pages[0]?.items ?? [];
  const stuck = distinct(
    tasks.filter((task) => task.execution_status === 'failed' || task.execution_status === 'blocked'),
  );
  const reviews = stats.data?.outputs.pending ?? outputs.length;
  const total = reviews + Math.max(failedTotal, stuck.filter((task) => task.execution_status === 'failed').length);
  const shownTasks = stuck.slice(0, SHOWN);
  const shownOutputs = outputs.slice(0, Math.max(SHOWN - shownTasks.length, 2));
  if (shownTasks.length + shownOutputs.length === 0) return null;
  return (
    <Panel
      title="Needs you"
      tone="person"
      flush
      testId="needs-you"
      aside={<span className="tnum">{total.toLocaleString('en')}</span>}
    >
      <ul className={classes.rows}>
        {shownTasks.map((task) => (
          <StuckTask key={task.id} task={task} />
        ))}
        {shownOutputs.map((output) => (
          <ReviewRow key={output.id} output={output} />
        ))}
      </ul>
      {reviews > shownOutputs.length && (
        <div className={classes.row}>
          <Link to="/projects/$projectId/output" params={{ projectId }} search={{ review: 'pending' }}>
            All {reviews.toLocaleString('en')} results to review
          </Link>
        </div>
      )}
    </Panel>
  );
}

function StuckTask({ task }: { task: Task }) {
  const execute = useExecuteTask(task.project_id);
  const offline = useOffline();
  return (
    <li className={classes.row} data-testid="needs-task">
      <span className={classes.state}>
        <Status status={task.execution_status} />
      </span>
      <div className={classes.grow}>
        <Link
          to="/projects/$projectId/progress"
          params={{ projectId: task.project_id }}
          search={{ task: task.id }}
          resetScroll={false}
          className={`${classes.link} ${classes.clip}`}
        >
          {task.title}
        </Link>
        <span className={`${classes.muted} ${classes.clip}`}>
          {task.failure_reason ?? task.blocked_reason ?? 'No reason was given.'}
        </span>
      </div>
      {task.execution_status === 'failed' && (
        <Button
          size="compact-sm"
          variant="default"
          disabled={offline}
          loading={execute.isPending}
          onClick={() => execute.mutate(task.id)}
          aria-label={`Retry: ${task.title}`}
        >
          Retry
        </Button>
      )}
    </li>
  );
}

function ReviewRow({ output }: { output: Output }) {
  const decide = useDecideOutput();
  const offline = useOffline();
  return (
    <li className={classes.row} data-testid="needs-output">
      <span className={classes.state}>
        <Status status="review" />
      </span>
      <div className={classes.grow}>
        <Link
          to="/projects/$projectId/output"
          params={{ projectId: output.project_id }}
          search={{ output: output.id }}
          className={`${classes.link} ${classes.clip}`}
        >
          {output.name}
        </Link>
        <span className={`${classes.muted} ${classes.clip}`}>{output.preview?.trim() || output.media_type}</span>
      </div>
      <Button
        size="compact-sm"
        disabled={offline}
        loading={decide.isPending}
        onClick={() => decide.mutate({ output, decision: 'approve', comment: '' })}
        aria-label={`Approve: ${output.name}`}
      >
        Approve
      </Button>
      <Button
        size="compact-sm"
        variant="default"
        component={Link}
        to={`/projects/${output.project_id}/output?output=${output.id}`}
        aria-label={`Open: ${output.name}`}
      >
        Open
      </Button>
    </li>
  );
}

function distinct(tasks: Task[]): Task[] {
  return [...new Map(tasks.map((task) => [task.id, task])).values()];
}
