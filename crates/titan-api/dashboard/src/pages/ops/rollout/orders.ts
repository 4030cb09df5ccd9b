// What a person may order now about a rollout, and why not. The server has the last word; this is so that nobody has to try.
import type { Proposal } from '../../../api/types';
import { differenceOf, pullRequestOf, shortCommit, stageOf } from '../evidence';
import { questionOf } from '../gates';
import { analysisOf } from './analysis';

export type Order = 'promote' | 'pause' | 'resume' | 'rollBack';
/** Always these words. */
export const ORDER_WORDS: Record<Order, string> = {
  promote: 'Promote',
  pause: 'Pause',
  resume: 'Resume',
  rollBack: 'Roll back',
};

/** Whoever is at this machine: there is no sign-in yet. */
const ME = 'local';
export const isMine = (proposal: Proposal): boolean => proposal.author === ME;
export const PROPOSED_BY_YOU = 'You proposed this';

/** What is asked was answered, and the run has not looked yet. */
export const isDecided = (proposal: Proposal): boolean =>
  proposal.decision !== null && proposal.decision.subject === questionOf(proposal)?.subject;

/** Null: it can be ordered; otherwise why it cannot. */
export type WhyNot = string | null;

const BEFORE_THE_MERGE = ['canary', 'paused', 'approval'];
const OVER: Record<string, string> = {
  promoting: 'It is being promoted',
  promoted: 'It is promoted',
  rolling_back: 'It is being rolled back',
  rolled_back: 'It was rolled back',
  rollback_failed: 'Its rollback has failed',
};

export function whyNot(proposal: Proposal, order: Order): WhyNot {
  switch (order) {
    case 'promote':
      return whyNotPromote(proposal);
    case 'pause':
      return whyNotPause(proposal);
    case 'resume':
      return whyNotResume(proposal);
    case 'rollBack':
      return whyNotRollBack(proposal);
  }
}

function whyNotPromote(proposal: Proposal): WhyNot {
  const { rollout } = proposal;
  const asks = questionOf(proposal);
  if (isDecided(proposal)) return 'It was decided';
  if (asks !== null && asks.gate !== 'pull_request') return isMine(proposal) ? PROPOSED_BY_YOU : null;
  if (rollout === null) return 'It is not that far';
  if (OVER[rollout.state] !== undefined) return OVER[rollout.state] ?? null;
  if (rollout.paused_by !== null) return `Paused by ${rollout.paused_by}`;
  return rollout.state === 'canary' ? 'The canary is still being measured' : 'It does not ask for it now';
}

function whyNotPause({ rollout }: Proposal): WhyNot {
  if (rollout === null) return 'Nothing is being rolled out';
  if (!BEFORE_THE_MERGE.includes(rollout.state)) return OVER[rollout.state] ?? 'It is too late';
  if (rollout.paused_by !== null) return `Paused by ${rollout.paused_by}`;
  return rollout.state === 'paused' ? 'It stands still already' : null;
}

function whyNotResume({ rollout }: Proposal): WhyNot {
  if (rollout === null) return 'Nothing is being rolled out';
  if (!BEFORE_THE_MERGE.includes(rollout.state)) return OVER[rollout.state] ?? 'It is too late';
  return rollout.paused_by !== null || rollout.state === 'paused' ? null : 'It is not paused';
}

function whyNotRollBack(proposal: Proposal): WhyNot {
  const { rollout, state } = proposal;
  if (rollout !== null) {
    const over = rollout.state === 'rolling_back' || rollout.state === 'rolled_back';
    return over ? (OVER[rollout.state] ?? null) : null;
  }
  if (pullRequestOf(proposal) === null) return 'It has no pull request: cancel its run instead';
  return state === 'rejected' || state === 'canceled' ? 'It has ended' : null;
}

/** What happens when it is ordered, before somebody does. */
export function consequence(proposal: Proposal, order: Order): string {
  const { rollout } = proposal;
  const target = rollout?.target ?? 'production';
  const good = rollout === null ? 'what it runs' : shortCommit(rollout.last_good);
  switch (order) {
    case 'promote':
      return promotion(proposal);
    case 'pause':
      return `Nothing more is measured, merged or deployed until somebody resumes it. ${standing(rollout, target, good)}`;
    case 'resume':
      if (rollout?.state === 'paused' && analysisOf(rollout.analysis)?.phase === 'inconclusive')
        return 'The canary is measured anew, from the first sample.';
      return 'It goes on where it stood still.';
    case 'rollBack':
      return takingBack(proposal, target, good);
  }
}

/** There a canary runs in production's place. */
const IN_PLACE = ['render'];

function standing(rollout: Proposal['rollout'], target: string, good: string): string {
  if (rollout !== null && IN_PLACE.includes(rollout.target))
    return `Production (${target}) may run the canary by now, and ran ${good} before.`;
  return `Production (${target}) stays on ${good}.`;
}

function promotion(proposal: Proposal): string {
  const { asks, rollout } = proposal;
  const commit = shortCommit(rollout?.commit ?? asks?.subject ?? '');
  const pull = pullRequestOf(proposal);
  const branch = differenceOf(proposal)?.baseBranch ?? 'the base branch';
  const merge = `Commit ${commit} is merged into ${branch}${pull === null ? '' : ` as pull request ${pull.number}`}`;
  if (rollout === null) return `${merge}. There is no target, so nothing is deployed.`;
  return `${merge} and goes to production (${rollout.target}), which ran ${shortCommit(rollout.last_good)} before.`;
}

function takingBack(proposal: Proposal, target: string, good: string): string {
  const { rollout } = proposal;
  const pull = pullRequestOf(proposal);
  const close = pull === null ? '' : ` Pull request ${pull.number} is closed.`;
  const isDeployed =
    rollout !== null && (rollout.merged_as !== null || stageOf(proposal, 'promote')?.status === 'completed');
  if (isDeployed)
    return `Production (${target}) gets ${good} again; then a pull request takes the change out of the code.`;
  if (rollout === null) {
    const isMerged = stageOf(proposal, 'promote')?.status === 'completed';
    return isMerged ? 'A pull request takes the change out of the code.' : `Nothing was deployed.${close}`;
  }
  if (IN_PLACE.includes(rollout.target)) return `Production (${target}) gets ${good} again.${close}`;
  return `The canary ends and production (${target}) stays on ${good}.${close}`;
}
