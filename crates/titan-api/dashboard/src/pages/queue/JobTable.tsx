// Jobs as rows: what, where, for whom, how often tried, since when or until when, and the one thing that can be done to it.
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { BulkAction, Job, Project } from '../../api/types';
import { ScrollBox } from '../../components/ScrollBox';
import { Status } from '../../components/Status';
import table from '../../components/Table.module.css';
import { ACTION_WORDS, useJobAction } from '../../data/queueActions';
import { useNow } from '../../lib/clock';
import { formatExact, shortId } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import { momentOf } from './moment';
import classes from './QueuePage.module.css';

export function JobTable({ jobs, projects }: { jobs: Job[]; projects: Project[] }) {
  const names = new Map(projects.map((project) => [project.id, project.name]));
  return (
    <ScrollBox className={table.tableBox} label="Jobs">
      <table className={`${table.table} ${table.dense}`}>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Job</th>
            <th scope="col">For</th>
            <th scope="col">Attempt</th>
            <th scope="col">When</th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <JobRow key={job.id} job={job} projectName={job.project_id ? names.get(job.project_id) : undefined} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

/** A dead letter has failed, and a job that waits does so for a limit. */
const LOOKS: Partial<Record<Job['state'], { status: string; label?: string }>> = {
  dead: { status: 'failed' },
  scheduled: { status: 'queued', label: 'Scheduled' },
  waiting: { status: 'queued', label: 'Waiting' },
};

function JobRow({ job, projectName }: { job: Job; projectName: string | undefined }) {
  return (
    <tr data-testid="job-row" data-job={job.id} data-state={job.state}>
      <td>
        <Status {...(LOOKS[job.state] ?? { status: job.state })} />
      </td>
      <td className={classes.wide}>
        {job.kind} <span className={`${table.muted} mono`}>{job.id}</span>
        {job.suspect && (
          <span className={table.tag} title="Workers died while they had it, so it is tried alone">
            suspect
          </span>
        )}
        <div className={table.muted}>
          {[`queue ${job.queue}`, job.key && `key ${job.key}`, job.limit_key && `limit ${job.limit_key}`]
            .filter(Boolean)
            .join(', ')}
        </div>
        {job.error && <div className={table.bad}>{job.error}</div>}
      </td>
      <td>
        <Origin job={job} projectName={projectName} />
      </td>
      <td className={`tnum ${classes.still}`}>
        {job.max_attempts ? `${job.attempt} of ${job.max_attempts}` : job.attempt}
        {job.rescues > 0 && (
          <div className={table.muted}>rescued {job.rescues === 1 ? 'once' : `${job.rescues} times`}</div>
        )}
      </td>
      <td className={classes.still}>
        <When job={job} />
        {job.worker_name && job.state === 'running' && <div className={table.muted}>by {job.worker_name}</div>}
      </td>
      <td className={classes.rowActions}>
        <Actions job={job} />
      </td>
    </tr>
  );
}

function Origin({ job, projectName }: { job: Job; projectName: string | undefined }) {
  if (job.project_id === null) return <span className={table.muted}>Titan itself</span>;
  const params = { projectId: job.project_id };
  return (
    <>
      <Link to="/projects/$projectId/progress" params={params}>
        {projectName ?? `Project ${shortId(job.project_id)}`}
      </Link>
      <div className={classes.links}>
        {job.task_id && (
          <Link to="/projects/$projectId/progress" params={params} search={{ task: job.task_id }}>
            Task {shortId(job.task_id)}
          </Link>
        )}
        {job.run_id && (
          <Link to="/runs/$runId" params={{ runId: job.run_id }}>
            Run {shortId(job.run_id)}
          </Link>
        )}
      </div>
    </>
  );
}

function When({ job }: { job: Job }) {
  const now = useNow();
  const { at, words } = momentOf(job, now);
  return (
    <time dateTime={at} title={formatExact(at)} className="tnum">
      {words}
    </time>
  );
}

/** What can be done to a job in this state. */
const ACTIONS: Record<Job['state'], BulkAction[]> = {
  ready: ['cancel'],
  scheduled: ['retry', 'cancel'],
  waiting: ['cancel'],
  running: ['cancel'],
  dead: ['redrive'],
  completed: [],
  failed: [],
  canceled: [],
};

function Actions({ job }: { job: Job }) {
  const act = useJobAction();
  const offline = useOffline();
  return ACTIONS[job.state].map((action) => (
    <Button
      key={action}
      size="compact-xs"
      variant="default"
      disabled={offline || act.isPending}
      loading={act.isPending && act.variables.action === action}
      onClick={() => act.mutate({ job, action })}
      aria-label={`${ACTION_WORDS[action]} job ${job.id}`}
    >
      {ACTION_WORDS[action]}
    </Button>
  ));
}
