// What became of a rollout whose run has failed, and what is left for a person.
import type { Proposal, Rollout } from '../../api/types';
import { stageOf } from './evidence';

/** Null: nothing was rolled out by the run that failed, or there is nothing to undo. */
export function afterFailure(proposal: Proposal): string | null {
  const { rollout, reason } = proposal;
  if (rollout === null || !isOfThisRun(proposal, rollout)) return null;
  switch (rollout.state) {
    case 'promoted':
    case 'rollback_failed':
      return null;
    case 'rolling_back':
      return 'It is being rolled back.';
    case 'rolled_back': {
      const more = rollout.reason === null ? '' : beyond(rollout.reason, reason);
      return `It was rolled back: production (${rollout.target}) is as it was${more === '' ? '' : `; ${more}`}.`;
    }
    default:
      return 'It is rolled back within some seconds.';
  }
}

/** Its own, or one that it has begun and a rollback has taken over: no task is done again while one is taken back. */
function isOfThisRun(proposal: Proposal, rollout: Rollout): boolean {
  if (rollout.run_id === proposal.run_id) return true;
  const began = stageOf(proposal, 'canary')?.started_at ?? null;
  const takenOver = rollout.state === 'rolling_back' || rollout.state === 'rolled_back';
  return takenOver && began !== null && Date.parse(rollout.began_at) >= Date.parse(began);
}

/** What a text says more than the reason for the failure, which stands before it: pull request 13 is to be merged by a person. */
function beyond(text: string, reason: string | null): string {
  const known = (reason ?? '').replace(/[. ]+$/, '');
  return text.replace(known, '').replace(/^[\s;:,.]+|[\s;:,.]+$/g, '');
}
