// Why a proposal has failed, and what is left to do; or why it does not move. What it asks stands below.
import { useQuery } from '@tanstack/react-query';
import type { Hint, Proposal } from '../../api/types';
import { FailureText } from '../../components/FailureText';
import { HintText } from '../../components/HintText';
import { runQuery } from '../../data/queries';
import { sentence } from '../../lib/format';
import { afterFailure } from './failure';
import { questionOf } from './gates';
import { Linked } from './Linked';
import classes from './Ops.module.css';

/** Then the rollout knows why. */
const TAKEN_BACK: readonly Proposal['state'][] = ['rejected', 'rolling_back', 'rolled_back'];

export function Why({ proposal }: { proposal: Proposal }) {
  const { run_id: runId, state, reason } = proposal;
  const run = useQuery({ ...runQuery(runId ?? ''), enabled: runId !== null && state === 'running' });
  if (state === 'failed' || state === 'rollback_failed') return <Failed proposal={proposal} />;
  if (questionOf(proposal) !== null) return null;
  const why = reason ?? (TAKEN_BACK.includes(state) ? (proposal.rollout?.reason ?? null) : null);
  const hint = run.data?.hint ?? null;
  return (
    <>
      {why !== null && (
        <p className={classes.reason} data-testid="proposal-reason">
          <Linked text={sentence(why)} />
        </p>
      )}
      {state === 'running' && !saysTheSame(hint, why) && <HintText hint={hint} />}
    </>
  );
}

function Failed({ proposal }: { proposal: Proposal }) {
  const { state, reason, rollout } = proposal;
  const failed = state === 'failed';
  const text = sentence((failed ? null : rollout?.reason) ?? reason ?? 'Nobody knows why');
  const after = failed ? afterFailure(proposal) : 'docs/OPS.md says what to do, under “A rollback failed”.';
  return (
    <div className={classes.error} role="alert" data-testid="proposal-error">
      <strong>{failed ? 'It failed.' : 'Its rollback has failed.'}</strong>{' '}
      <FailureText text={text}>
        <Linked text={text} />
      </FailureText>
      {after !== null && (
        <p data-testid="after-failure">
          <Linked text={after} />
        </p>
      )}
    </div>
  );
}

/** The run of what is paused waits for the same reason. */
const saysTheSame = (hint: Hint | null, why: string | null): boolean =>
  hint !== null && why !== null && hint.message.toLowerCase().includes(why.toLowerCase());
