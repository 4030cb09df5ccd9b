// The queue in numbers, and which Titan this is.
import type { Health } from '../../api/types';
import { CopyText } from '../../components/CopyText';
import { Status } from '../../components/Status';
import { formatDuration } from '../../lib/format';
import classes from './SystemPage.module.css';

export function HealthFacts({ health }: { health: Health }) {
  const { queue } = health;
  const well = health.status === 'ok';
  return (
    <dl className={classes.facts}>
      <Fact label="State">
        <Status status={well ? 'healthy' : 'failing'} label={well ? undefined : health.status} />
      </Fact>
      <Fact label="Database">{health.database}</Fact>
      <Fact label="Ready jobs">{queue?.ready.toLocaleString('en') ?? UNKNOWN}</Fact>
      <Fact label="Running jobs">{queue?.running.toLocaleString('en') ?? UNKNOWN}</Fact>
      <Fact label="Scheduled jobs">{queue?.scheduled.toLocaleString('en') ?? UNKNOWN}</Fact>
      <Fact label="Oldest ready job">{queue ? oldest(queue.oldest_ready_seconds) : UNKNOWN}</Fact>
      <Fact label="Up for">{formatDuration(health.uptime_seconds * 1000)}</Fact>
      <Fact label="Version">{health.version}</Fact>
      {health.commit && (
        <Fact label="Commit">
          <CopyText value={health.commit} label="Copy the commit" text={health.commit.slice(0, 8)} />
        </Fact>
      )}
    </dl>
  );
}

/** Without its database the server cannot count the queue. */
const UNKNOWN = 'not known';

const oldest = (seconds: number | null): string =>
  seconds === null ? 'none waits' : `waits ${formatDuration(seconds * 1000)}`;

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd className="tnum">{children}</dd>
    </div>
  );
}
