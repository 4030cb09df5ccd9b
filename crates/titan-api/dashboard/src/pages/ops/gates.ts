// How a proposal and each of its gates stand, in words and as a state that has a look.
import type { Ask, OpsStage, Proposal } from '../../api/types';
import { statusOfWait } from '../../components/waiting/wait';
import { textField } from '../../lib/fields';

export interface Look {
  /** A name that `Status` knows. */
  status: string;
  word: string;
}

/** Its word completes "test: ...". */
export function gateOf(stage: OpsStage): Look {
  const { status, waiting_on: on } = stage;
  switch (status) {
    case 'pending':
      return { status: 'pending', word: 'not yet' };
    case 'ready':
      return { status: 'queued', word: 'waits for a worker' };
    case 'running':
      if (on === 'approval') return { status: 'waiting_for_approval', word: 'needs approval' };
      // A rollout that stands still, which a person has to resume.
      if (on === 'input') return { status: 'paused', word: 'paused' };
      return on === null ? { status: 'running', word: 'running' } : { status: statusOfWait(on), word: 'waiting' };
    case 'completed':
      return passedOf(stage);
    default:
      return { status, word: status };
  }
}

/** There may be no canary, and a person may have let one pass that found nothing out. */
function passedOf({ evidence }: OpsStage): Look {
  const phase = textField(evidence, 'phase');
  if (phase === 'skipped') return { status: 'skipped', word: 'skipped' };
  if (phase !== 'inconclusive') return { status: 'completed', word: 'passed' };
  const by = textField(evidence, 'approved_by');
  return { status: 'completed', word: by === null ? 'inconclusive' : `inconclusive, let pass by ${by}` };
}

export const gateInWords = (stage: OpsStage): string => `${stage.name}: ${gateOf(stage).word}`;

const WORDS: Partial<Record<Proposal['state'], Look>> = {
  waiting_for_approval: { status: 'waiting_for_approval', word: 'Needs approval' },
  done: { status: 'done', word: 'Done' },
  rejected: { status: 'rejected', word: 'Rejected' },
  failed: { status: 'failed', word: 'Failed' },
  canceled: { status: 'canceled', word: 'Canceled' },
  rolling_back: { status: 'rolling_back', word: 'Rolling back' },
  rolled_back: { status: 'rolled_back', word: 'Rolled back' },
  rollback_failed: { status: 'rollback_failed', word: 'Rollback failed' },
};

const ROLLING_OUT: Partial<Record<string, Look>> = {
  canary: { status: 'canary', word: 'Canary' },
  paused: { status: 'paused', word: 'Paused' },
  promoting: { status: 'promoting', word: 'Promoting' },
};

/** How it stands, as closely as one word can say. */
export function stateOf(proposal: Proposal): Look {
  const { state, rollout, stages } = proposal;
  if (state === 'done' && rollout?.state === 'promoted') return { status: 'promoted', word: 'Promoted' };
  const known = WORDS[state];
  if (known !== undefined) return known;
  const rollingOut = ROLLING_OUT[rollout?.state ?? ''];
  if (rollingOut !== undefined) return rollingOut;
  if (stages.every((stage) => stage.started_at === null)) return { status: 'queued', word: 'Queued' };
  return { status: 'running', word: 'Running' };
}

/** What it asks. One that is ended or taken back may have a step that still waits, and asks nothing any more. */
export const questionOf = ({ state, asks }: Proposal): Ask | null => (state === 'waiting_for_approval' ? asks : null);

/** What a gate asks, in a few words. */
export const GATE_WORDS = {
  pull_request: 'May there be a pull request?',
  canary: 'The canary found nothing out: may it go on?',
  merge: 'May it be merged and deployed?',
} as const;
