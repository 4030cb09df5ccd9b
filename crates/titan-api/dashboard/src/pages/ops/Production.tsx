// The top line of the ops pages: what production runs, and whether it is well.
import { useQuery } from '@tanstack/react-query';
import type { DeployTarget } from '../../api/types';
import { Age } from '../../components/Age';
import { CopyText } from '../../components/CopyText';
import { QueryView } from '../../components/QueryView';
import { Status } from '../../components/Status';
import { targetsQuery } from '../../data/ops';
import { shortCommit } from './evidence';
import classes from './Ops.module.css';

export function Production() {
  const query = useQuery(targetsQuery());
  return (
    <section aria-label="Production" className={classes.production} data-testid="production">
      <QueryView query={query} what="what production runs">
        {(targets) =>
          targets.length === 0 ? (
            <p className={classes.text}>
              Nothing is known of production. <code className="mono">TITAN_OPS_TARGET</code> of the worker says where
              changes are rolled out; without it they are merged and nothing is deployed.
            </p>
          ) : (
            targets.map((target) => <TargetLine key={target.name} target={target} />)
          )
        }
      </QueryView>
    </section>
  );
}

function TargetLine({ target }: { target: DeployTarget }) {
  const { name, commit, ready, reason, seen_at: seenAt } = target;
  return (
    <p className={classes.line} data-testid="target" data-target={name}>
      <strong>Production ({name}):</strong>{' '}
      {commit === null ? (
        'its commit is not known'
      ) : (
        <CopyText value={commit} label="Copy the commit of production" text={shortCommit(commit)} />
      )}
      <Status status={ready ? 'healthy' : 'failing'} label={ready ? 'Ready' : 'Not ready'} />
      {reason !== null && <span>{reason}</span>}
      <span className={classes.muted}>
        asked <Age at={seenAt} />
      </span>
    </p>
  );
}
