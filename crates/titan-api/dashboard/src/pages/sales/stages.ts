// The stages of leads and the states of offers: their words, and the moves that the server allows.
import type { LeadStage, OfferState } from '../../api/types';
import { LEAD_STAGES } from '../../app/search';

export const STAGES: { value: LeadStage; label: string }[] = [
  { value: 'new', label: 'New' },
  { value: 'contacted', label: 'Contacted' },
  { value: 'qualified', label: 'Qualified' },
  { value: 'proposal', label: 'Proposal' },
  { value: 'won', label: 'Won' },
  { value: 'lost', label: 'Lost' },
];

export const stageWord = (stage: LeadStage): string => STAGES.find(({ value }) => value === stage)?.label ?? stage;

/** The look of a stage among the states there are. */
export const STAGE_LOOKS: Record<LeadStage, string> = {
  new: 'pending',
  contacted: 'in_progress',
  qualified: 'in_progress',
  proposal: 'review',
  won: 'completed',
  lost: 'canceled',
};

/** The server's rule: forward past any open stage, back by one, won from qualified on, lost while open. */
export function mayBecome(was: LeadStage, next: LeadStage): boolean {
  if (was === 'lost') return next === 'contacted';
  if (was === 'won') return next === 'proposal';
  if (next === 'lost') return true;
  const [from, to] = [LEAD_STAGES.indexOf(was), LEAD_STAGES.indexOf(next)];
  if (next === 'won') return from >= LEAD_STAGES.indexOf('qualified');
  return to > from || to + 1 === from;
}

export const movesFrom = (stage: LeadStage): LeadStage[] => LEAD_STAGES.filter((next) => mayBecome(stage, next));

export const OFFER_WORDS: Record<
  OfferState,
  { word: string; look: string; moves: { to: OfferState; verb: string }[] }
> = {
  draft: { word: 'Draft', look: 'pending', moves: [{ to: 'published', verb: 'Publish' }] },
  published: { word: 'Published', look: 'completed', moves: [{ to: 'withdrawn', verb: 'Withdraw' }] },
  withdrawn: {
    word: 'Withdrawn',
    look: 'canceled',
    moves: [
      { to: 'published', verb: 'Publish again' },
      { to: 'draft', verb: 'Make it a draft' },
    ],
  },
};

const UNITS: Record<string, string> = {
  once: '',
  hour: 'per hour',
  day: 'per day',
  month: 'per month',
  year: 'per year',
};

/** What stands behind the price. */
export const unitWords = (unit: string): string => UNITS[unit] ?? `per ${unit}`;
