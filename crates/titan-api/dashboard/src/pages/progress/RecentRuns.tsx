// The last runs: a row of states, newest right, and the same as a short list.
import { Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Run } from '../../api/types';
import { Age } from '../../components/Age';
import { Elapsed } from '../../components/Elapsed';
import { Empty } from '../../components/Empty';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { RunStatus } from '../../components/RunStatus';
import { lookOf } from '../../components/Status';
import { runsQuery } from '../../data/queries';
import { formatCount, shortId } from '../../lib/format';
import classes from './ProgressPage.module.css';

const LISTED = 8;

export function RecentRuns({ projectId }: { projectId: string }) {
  const query = useQuery(runsQuery(projectId));
  const runs = query.data?.items ?? [];
  return (
    <div id="runs">
      <Panel title="Recent runs" flush testId="recent-runs" aside={runs.length > 0 && <StateRow runs={runs} />}>
        <QueryView query={query} what="runs">
          {() =>
            runs.length === 0 ? (
              <Empty title="No runs yet">A run appears here as soon as a task is started.</Empty>
            ) : (
              <ul className={classes.rows}>
                {runs.slice(0, LISTED).map((run) => (
                  <RunLine key={run.id} run={run} />
                ))}
              </ul>
            )
          }
        </QueryView>
      </Panel>
    </div>
  );
}

function StateRow({ runs }: { runs: Run[] }) {
  return (
    <ul className={classes.icons} aria-label="Last runs, newest last">
      {[...runs].reverse().map((run) => (
        <li key={run.id}>
          <Tooltip label={`${lookOf(run.status).word}, run ${shortId(run.id)}`}>
            <Link
              to="/runs/$runId"
              params={{ runId: run.id }}
              className={classes.iconLink}
              aria-label={`Run ${shortId(run.id)}: ${lookOf(run.status).word}`}
            >
              <RunStatus run={run} iconOnly />
            </Link>
          </Tooltip>
        </li>
      ))}
    </ul>
  );
}

function RunLine({ run }: { run: Run }) {
  return (
    <li className={classes.row} data-testid="run-row">
      <span className={classes.state}>
        <RunStatus run={run} />
      </span>
      <div className={classes.grow}>
        <Link to="/runs/$runId" params={{ runId: run.id }} className={classes.link}>
          Run {shortId(run.id)}
        </Link>{' '}
        <span className={classes.muted}>{run.workflow}</span>
        {run.error && <span className={`${classes.muted} ${classes.clip}`}>{run.error}</span>}
      </div>
      <span className={classes.muted}>
        <Elapsed from={run.started_at} to={run.finished_at} />
        {' · '}
        {formatCount(run.usage.input_tokens + run.usage.output_tokens)} tokens
      </span>
      <span className={classes.muted}>
        <Age at={run.created_at} />
      </span>
    </li>
  );
}
