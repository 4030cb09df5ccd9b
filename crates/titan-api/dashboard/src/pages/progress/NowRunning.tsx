// The runs that are under way or wait for a worker.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Run } from '../../api/types';
import { Elapsed } from '../../components/Elapsed';
import { HintText } from '../../components/HintText';
import { Panel } from '../../components/Panel';
import { RunStatus } from '../../components/RunStatus';
import { WaitNote } from '../../components/waiting/WaitNote';
import { waitOfRun } from '../../components/waiting/wait';
import { useCancelRun } from '../../data/actions';
import { runsQuery, statsQuery } from '../../data/queries';
import { formatCount, shortId } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import classes from './ProgressPage.module.css';

const SHOWN = 5;

export function NowRunning({ projectId }: { projectId: string }) {
  const { data } = useQuery(runsQuery(projectId));
  const stats = useQuery(statsQuery(projectId));
  const active = data?.items.filter((run) => run.status === 'running' || run.status === 'queued') ?? [];
  if (active.length === 0) return null;
  const counts = stats.data?.runs;
  const total = counts ? counts.running + counts.queued : active.length;
  const ordered = [...active].sort((a, b) => Number(b.status === 'running') - Number(a.status === 'running'));
  return (
    <Panel title="Now" flush testId="now" aside={<span className="tnum">{Math.max(total, active.length)}</span>}>
      <ul className={classes.rows}>
        {ordered.slice(0, SHOWN).map((run) => (
          <RunRow key={run.id} run={run} />
        ))}
      </ul>
    </Panel>
  );
}

function RunRow({ run }: { run: Run }) {
  const cancel = useCancelRun();
  const offline = useOffline();
  const stopping = run.cancel_requested_at !== null;
  const wait = waitOfRun(run);
  return (
    <li className={classes.row}>
      <span className={classes.state}>
        <RunStatus run={run} />
      </span>
      <div className={classes.grow}>
        <Link to="/runs/$runId" params={{ runId: run.id }} className={classes.link}>
          Run {shortId(run.id)} · {run.workflow}
        </Link>
        {wait ? <WaitNote wait={wait} run={run} /> : <HintText hint={run.hint} />}
      </div>
      <span className={classes.muted}>
        <Elapsed from={run.started_at ?? run.created_at} to={run.finished_at} />
        {run.usage.output_tokens > 0 && ` · ${formatCount(run.usage.output_tokens)} tokens`}
        {run.attempt > 1 && ` · attempt ${run.attempt}`}
      </span>
      <Button
        size="compact-sm"
        variant="default"
        disabled={stopping || offline}
        loading={cancel.isPending}
        onClick={() => cancel.mutate(run.id)}
      >
        {stopping ? 'Cancel requested' : 'Cancel'}
      </Button>
    </li>
  );
}
