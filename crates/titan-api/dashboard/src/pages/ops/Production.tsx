// The top line of the ops pages: what production runs, since when, and whether it is well.
import { useQuery } from '@tanstack/react-query';
import type { DeployTarget } from '../../api/types';
import { Age } from '../../components/Age';
import { CopyText } from '../../components/CopyText';
import { QueryView } from '../../components/QueryView';
import { Status } from '../../components/Status';
import { targetsQuery } from '../../data/ops';
import { useNow } from '../../lib/clock';
import { formatExact, formatSince } from '../../lib/format';
import { shortCommit } from './evidence';
import classes from './Ops.module.css';

export function Production() {
  const query = useQuery(targetsQuery());
  return (
    <section aria-label="Production" className={classes.production} data-testid="production">
      <QueryView query={query} what="what production runs">
        {({ items, at }) =>
          items.length === 0 ? (
            <p className={classes.text}>
              Nothing is known of production. <code className="mono">TITAN_OPS_TARGET</code> of the worker says where
              changes are rolled out; without it they are merged and nothing is deployed.
            </p>
          ) : (
            items.map((target) => (
              <TargetLine key={target.name} target={target} at={at} answeredAt={query.dataUpdatedAt} />
            ))
          )
        }
      </QueryView>
    </section>
  );
}

/** A worker asks every half minute. After so long nobody does any more, and what was answered says nothing of now. */
const KNOWN_FOR_MS = 3 * 60_000;

interface TargetLineProps {
  target: DeployTarget;
  /** When Titan told of it, by its own clock and by the one of this browser. */
  at: number;
  answeredAt: number;
}

function TargetLine({ target, at, answeredAt }: TargetLineProps) {
  const now = useNow();
  const { name, seen_at: seenAt } = target;
  const asked = <Age at={new Date(answeredAt - Math.max(0, at - Date.parse(seenAt))).toISOString()} />;
  const old = now - answeredAt > KNOWN_FOR_MS;
  const known = !old && at - Date.parse(seenAt) <= KNOWN_FOR_MS;
  return (
    <p className={classes.line} data-testid="target" data-target={name} data-known={known}>
      <strong>Production ({name}):</strong> {known ? <Answer target={target} now={now} /> : 'not known now'}
      <span className={classes.muted}>
        {known ? 'asked' : 'asked last'} {asked}
        {!known && <Before target={target} old={old} />}
      </span>
    </p>
  );
}

/** What it answered when it was asked last, and why nobody knows more. */
function Before({ target: { commit }, old }: { target: DeployTarget; old: boolean }) {
  return (
    <>
      , when it answered {commit === null ? 'no commit' : <CommitOf commit={commit} />}:{' '}
      {old ? 'this page has not heard from Titan since' : 'no worker that knows it has asked since'}
    </>
  );
}

const CommitOf = ({ commit }: { commit: string }) => (
  <CopyText value={commit} label="Copy the commit of production" text={shortCommit(commit)} />
);

function Answer({ target: { commit, ready, reason, since }, now }: { target: DeployTarget; now: number }) {
  return (
    <>
      {commit === null ? <span>its commit is not known</span> : <CommitOf commit={commit} />}
      <Status status={ready ? 'healthy' : 'failing'} label={ready ? 'Ready' : 'Not ready'} />
      {since !== null && (
        <span>
          since{' '}
          <time dateTime={since} title={formatExact(since)} className="tnum">
            {formatSince(since, now)}
          </time>
        </span>
      )}
      {reason !== null && <span>{reason}</span>}
    </>
  );
}
