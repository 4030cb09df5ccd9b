// A rollout as the steps that it takes, with the times of each as far as they were written down.
import type { Proposal, Rollout } from '../../../api/types';
import { stageOf } from '../evidence';
import { analysisOf, PHASE_LOOKS } from './analysis';

export interface RolloutStep {
  name: string;
  /** A name that `Status` knows, and its word. */
  status: string;
  word: string;
  from: string | null;
  /** Null while it lasts. */
  to: string | null;
  /** Where it stands now. */
  current: boolean;
}

interface Times {
  from: string | null;
  to: string | null;
}

const STEPS = ['Canary', 'Approval', 'Promoting', 'Promoted'] as const;
const PROMOTED = STEPS.indexOf('Promoted');
const TAKEN_BACK = ['rolling_back', 'rolled_back', 'rollback_failed'];

export function stepsOf(proposal: Proposal, rollout: Rollout): RolloutStep[] {
  const back = TAKEN_BACK.includes(rollout.state);
  const at = reached(proposal, rollout);
  const times = timesOf(proposal, rollout, at);
  const steps = STEPS.map((name, index): RolloutStep => {
    const time = times[index] ?? { from: null, to: null };
    if (index > at)
      return { name, status: 'pending', word: back ? 'Not reached' : 'Not yet', from: null, to: null, current: false };
    if (index < at || at === PROMOTED)
      return { name, ...passed(name, proposal, rollout), ...time, current: index === at && !back };
    if (back) return { name, ...stopped(name, rollout), ...time, to: time.to ?? rollout.updated_at, current: false };
    return { name, ...lasting(rollout), ...time, to: null, current: true };
  });
  // What was never promoted has no such step when it is taken back.
  return back ? [...steps.slice(0, at === PROMOTED ? undefined : -1), takenBack(rollout)] : steps;
}

const decidedAt = ({ decision }: Proposal, { commit }: Rollout): string | null =>
  decision?.decision === 'approved' && decision.subject === commit ? decision.created_at : null;

/** The index of the step at which it stands, or stood when it was taken back. */
function reached(proposal: Proposal, rollout: Rollout): number {
  const measured = stageOf(proposal, 'canary')?.status === 'completed';
  switch (rollout.state) {
    case 'canary':
      return 0;
    case 'paused':
      return measured ? 1 : 0;
    case 'approval':
      return 1;
    case 'promoting':
      return 2;
    case 'promoted':
      return PROMOTED;
    default:
      if (stageOf(proposal, 'promote')?.status === 'completed') return PROMOTED;
      if (rollout.merged_as !== null || (measured && decidedAt(proposal, rollout) !== null)) return 2;
      return measured ? 1 : 0;
  }
}

function timesOf(proposal: Proposal, rollout: Rollout, at: number): Times[] {
  const canary = stageOf(proposal, 'canary');
  const promote = stageOf(proposal, 'promote');
  const decided = decidedAt(proposal, rollout);
  const measured = canary?.finished_at ?? null;
  const inProduction = rollout.state === 'promoted' ? rollout.ended_at : null;
  return [
    { from: canary?.started_at ?? rollout.began_at, to: measured },
    { from: measured ?? promote?.started_at ?? null, to: at > 1 ? (decided ?? promote?.started_at ?? null) : null },
    { from: decided ?? promote?.started_at ?? null, to: promote?.finished_at ?? rollout.ended_at },
    { from: inProduction, to: inProduction },
  ];
}

type Look = Pick<RolloutStep, 'status' | 'word'>;

function passed(name: string, proposal: Proposal, rollout: Rollout): Look {
  if (name === 'Approval') {
    const { decision } = proposal;
    if (decidedAt(proposal, rollout) === null) return { status: 'skipped', word: 'Not needed' };
    return { status: 'approved', word: `Approved by ${decision?.decided_by ?? 'somebody'}` };
  }
  const phase = analysisOf(rollout.analysis)?.phase;
  if (name === 'Canary' && phase === 'inconclusive') return PHASE_LOOKS.inconclusive;
  if (name !== 'Promoted') return { status: 'completed', word: 'Passed' };
  return { status: 'promoted', word: rollout.state === 'promoted' ? 'In production' : 'It was in production' };
}

/** What failed says so; the rest was merely as far as it came. */
function stopped(name: string, rollout: Rollout): Look {
  const phase = analysisOf(rollout.analysis)?.phase;
  if (name === 'Canary' && (phase === 'failure' || phase === 'inconclusive')) return PHASE_LOOKS[phase];
  return { status: 'stopped', word: 'Stopped here' };
}

function lasting({ state, paused_by: by, analysis }: Rollout): Look {
  if (by !== null) return { status: 'paused', word: `Paused by ${by}` };
  if (state === 'approval') return { status: 'waiting_for_approval', word: 'Needs approval' };
  if (state === 'paused')
    return analysisOf(analysis)?.phase === 'inconclusive'
      ? PHASE_LOOKS.inconclusive
      : { status: 'paused', word: 'Paused' };
  return state === 'promoting' ? { status: 'promoting', word: 'Running' } : { status: 'canary', word: 'Measuring' };
}

function takenBack({ state, updated_at: since, ended_at: ended }: Rollout): RolloutStep {
  const at = { status: state, from: ended ?? since, to: ended, current: true };
  if (state === 'rolling_back') return { name: 'Rolling back', word: 'Running', ...at };
  if (state === 'rolled_back') return { name: 'Rolled back', word: 'Production is as it was', ...at };
  return { name: 'Rollback failed', word: 'A person has to look', ...at };
}
