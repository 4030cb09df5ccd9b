// What waits for a person, with the buttons right there: results to review, tasks that failed or are blocked.
import { Button } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Output, Run, Task } from '../../api/types';
import { Panel } from '../../components/Panel';
import { Status } from '../../components/Status';
import { RaiseBudget } from '../../components/waiting/RaiseBudget';
import { placeOf } from '../../components/waiting/WaitNote';
import { waitOfRun } from '../../components/waiting/wait';
import { useDecideOutput, useExecuteTask } from '../../data/actions';
import { spendingQuery } from '../../data/budgets';
import { outputsQuery, runsQuery, statsQuery } from '../../data/queries';
import { plural } from '../../lib/format';
import { plainMarkdown } from '../../lib/markdown';
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
  const held = useHeld(projectId);
  const total =
    (held ? 1 : 0) + reviews + Math.max(failedTotal, stuck.filter((task) => task.execution_status === 'failed').length);
  const shownTasks = stuck.slice(0, SHOWN);
  const shownOutputs = outputs.slice(0, Math.max(SHOWN - shownTasks.length, 2));
  if (!held && shownTasks.length + shownOutputs.length === 0) return null;
  return (
    <Panel
      title="Needs you"
      tone="person"
      flush
      testId="needs-you"
      aside={<span className="tnum">{total.toLocaleString('en')}</span>}
    >
      <ul className={classes.rows}>
        {held && <HeldRow projectId={projectId} held={held} />}
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

interface Held {
  count: number;
  /** One of them, if it is among the newest: its reason is the others' too, as a rule. */
  run: Run | null;
}

/** The runs that wait for a budget. One decision lets them all go on, so together they are one thing to decide. */
function useHeld(projectId: string): Held | null {
  const runs = useQuery(runsQuery(projectId));
  const spending = useQuery(spendingQuery({ scope: 'project', id: projectId }));
  const waiting = runs.data?.items.filter((run) => waitOfRun(run)?.on === 'budget') ?? [];
  const count = Math.max(waiting.length, spending.data?.waiting_runs ?? 0);
  return count === 0 ? null : { count, run: waiting[0] ?? null };
}

function HeldRow({ projectId, held: { count, run } }: { projectId: string; held: Held }) {
  const wait = run && waitOfRun(run);
  return (
    <li className={classes.row} data-testid="needs-budget">
      <span className={classes.state}>
        <Status status="waiting" />
      </span>
      <div className={classes.grow}>
        {run ? (
          <Link to="/runs/$runId" params={{ runId: run.id }} className={classes.link}>
            {plural(count, 'run waits', 'runs wait')} for a budget
          </Link>
        ) : (
          <span>{plural(count, 'run waits', 'runs wait')} for a budget</span>
        )}
        {wait && <span className={`${classes.muted} ${classes.clip}`}>{wait.reason}</span>}
      </div>
      <RaiseBudget place={run && wait ? placeOf(wait, run) : { scope: 'project', id: projectId }} />
    </li>
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
        <span className={`${classes.muted} ${classes.clip}`}>{beginningOf(output)}</span>
      </div>
      <span className={classes.buttons}>
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
      </span>
    </li>
  );
}

/** On one line there is no room for the marks of Markdown. */
function beginningOf({ preview, media_type }: Output): string {
  const text = preview?.trim() || media_type;
  return media_type.startsWith('text/markdown') ? plainMarkdown(text) : text;
}

function distinct(tasks: Task[]): Task[] {
  return [...new Map(tasks.map((task) => [task.id, task])).values()];
}
