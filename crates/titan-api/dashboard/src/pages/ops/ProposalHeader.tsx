// What a proposal is, how it stands and why, who made it, and how closely one should look at it.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Hint, Proposal, Rollout } from '../../api/types';
import { Age } from '../../components/Age';
import { CopyText } from '../../components/CopyText';
import { FailureText } from '../../components/FailureText';
import { HintText } from '../../components/HintText';
import { Markdown } from '../../components/Markdown';
import { Status } from '../../components/Status';
import { runQuery } from '../../data/queries';
import { sentence, shortId } from '../../lib/format';
import { differenceOf, pullRequestOf } from './evidence';
import { GateDots } from './GateDots';
import { questionOf, stateOf } from './gates';
import { Linked } from './Linked';
import classes from './Ops.module.css';
import { OutsideLink } from './OutsideLink';
import { RiskTag } from './RiskTag';

export function ProposalHeader({ proposal }: { proposal: Proposal }) {
  const look = stateOf(proposal);
  const difference = differenceOf(proposal);
  const now = difference?.nowItem ?? proposal.now_item;
  const pull = pullRequestOf(proposal);
  return (
    <header className={classes.header}>
      <div className={classes.titleRow} data-testid="proposal-title">
        <h1 className={classes.title}>{proposal.title}</h1>
        <Status status={look.status} label={look.word} />
        <GateDots stages={proposal.stages} />
      </div>
      <p className={classes.facts}>
        <span>
          proposed by {proposal.author} <Age at={proposal.created_at} />
        </span>
        {now !== null && <span>for “{now}”</span>}
        {proposal.run_id !== null && (
          <Link to="/runs/$runId" params={{ runId: proposal.run_id }}>
            Run {shortId(proposal.run_id)}
          </Link>
        )}
        {pull !== null && <OutsideLink href={pull.page}>Pull request {pull.number}</OutsideLink>}
        <span>
          Proposal <CopyText value={proposal.id} label="Copy the id of the proposal" />
        </span>
      </p>
      {difference !== null && difference.risk !== null && (
        <p className={classes.risks}>
          <RiskTag risk={difference.risk} />
          {difference.reasons.length > 0 && <span>{difference.reasons.join('; ')}</span>}
        </p>
      )}
      <Why proposal={proposal} />
      <Decided proposal={proposal} />
      {proposal.description !== '' && (
        <div className={classes.description}>
          <Markdown text={proposal.description} />
        </div>
      )}
    </header>
  );
}

/** Then the rollout knows why. */
const TAKEN_BACK: readonly Proposal['state'][] = ['rejected', 'rolling_back', 'rolled_back'];

/** Why it failed, or why it does not move; what it asks stands below. */
function Why({ proposal }: { proposal: Proposal }) {
  const { run_id: runId, state, reason } = proposal;
  const run = useQuery({ ...runQuery(runId ?? ''), enabled: runId !== null && state === 'running' });
  if (state === 'failed' || state === 'rollback_failed') {
    return (
      <div className={classes.error} role="alert" data-testid="proposal-error">
        <strong>{state === 'failed' ? 'It failed.' : 'Its rollback has failed.'}</strong>{' '}
        <FailureText
          text={sentence((state === 'failed' ? null : proposal.rollout?.reason) ?? reason ?? 'Nobody knows why')}
        />
        {state === 'rollback_failed' ? (
          <p>docs/OPS.md says what to do, under “A rollback failed”.</p>
        ) : (
          proposal.rollout !== null && <p>{afterFailure(proposal.rollout)}</p>
        )}
      </div>
    );
  }
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

/** The run of what is paused waits for the same reason. */
const saysTheSame = (hint: Hint | null, why: string | null): boolean =>
  hint !== null && why !== null && hint.message.toLowerCase().includes(why.toLowerCase());

/** What becomes of a rollout whose run has failed. */
function afterFailure({ state, target }: Rollout): string {
  if (state === 'rolled_back') return `It was rolled back: production (${target}) is as it was.`;
  if (state === 'rolling_back') return 'It is being rolled back.';
  return 'It is rolled back within some seconds.';
}

function Decided({ proposal: { decision } }: { proposal: Proposal }) {
  if (decision === null) return null;
  const { decision: verdict, decided_by: by, comment, created_at: at } = decision;
  return (
    <div className={classes.decided} data-testid="decision">
      {verdict === 'approved' ? 'Approved' : 'Rejected'} by {by} <Age at={at} />
      {comment !== null && <blockquote className={classes.comment}>{comment}</blockquote>}
    </div>
  );
}
