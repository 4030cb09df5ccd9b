// The analysis of a canary, read from its JSON, and what it says in words.
import type { Proposal, Rollout } from '../../../api/types';
import { flagField, listField, numberField, numbersField, textField, textsField } from '../../../lib/fields';
import { sentence } from '../../../lib/format';
import { shortCommit, stageOf } from '../evidence';

export const PHASES = ['running', 'success', 'failure', 'inconclusive'] as const;
export type Phase = (typeof PHASES)[number];

/** What both sides had at one time; null where there was no data. */
export interface Point {
  baseline: number | null;
  canary: number | null;
}

export interface Metric {
  name: string;
  phase: Phase;
  reason: string;
  required: boolean;
  /** What it is held against, in words. */
  thresholds: string[];
  /** Samples that had data, and how many there are to be. */
  taken: number;
  wanted: number;
  noData: number;
  /** The newest numbers. */
  baseline: number | null;
  canary: number | null;
  points: Point[];
}

export interface Analysis {
  phase: Phase;
  reason: string;
  metrics: Metric[];
}

/** Null before the first sample. */
export function analysisOf(found: unknown): Analysis | null {
  if (typeof found !== 'object' || found === null) return null;
  const metrics = listField(found, 'metrics').map(metricOf);
  return { phase: phaseOf(found), reason: textField(found, 'reason') ?? '', metrics };
}

/** What is not known is no success. */
const phaseOf = (found: unknown): Phase =>
  PHASES.find((phase) => phase === textField(found, 'phase')) ?? 'inconclusive';

function metricOf(found: unknown): Metric {
  const count = (name: string) => numberField(found, name) ?? 0;
  const points = listField(found, 'measurements').map((measured) => ({
    baseline: numberField(measured, 'baseline'),
    canary: numberField(measured, 'canary'),
  }));
  return {
    name: textField(found, 'name') ?? '',
    phase: phaseOf(found),
    reason: textField(found, 'reason') ?? '',
    required: flagField(found, 'required'),
    thresholds: textsField(found, 'thresholds'),
    taken: count('successful') + count('failed') + count('inconclusive'),
    wanted: count('samples'),
    noData: count('no_data'),
    baseline: numbersField(found, 'baseline').at(-1) ?? null,
    canary: numbersField(found, 'canary').at(-1) ?? null,
    points,
  };
}

export const PHASE_LOOKS: Record<Phase, { status: string; word: string }> = {
  running: { status: 'running', word: 'Measuring' },
  success: { status: 'completed', word: 'Success' },
  failure: { status: 'failed', word: 'Failure' },
  inconclusive: { status: 'inconclusive', word: 'Inconclusive' },
};

/** As many digits as somebody reads. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (value !== 0 && size < 0.0001) return value.toExponential(1);
  return value.toLocaleString('en', { maximumFractionDigits: size >= 100 ? 0 : size >= 1 ? 2 : 4 });
}

/** What came of the canary, as a sentence. */
export function verdictInWords(proposal: Proposal): string {
  const { rollout } = proposal;
  const stage = stageOf(proposal, 'canary');
  const reason = textField(stage?.evidence, 'reason') ?? '';
  if (textField(stage?.evidence, 'phase') === 'skipped') return `There was no canary. ${sentence(reason)}`;
  if (rollout === null) return 'Nothing was rolled out yet.';
  const analysis = analysisOf(rollout.analysis);
  if (analysis === null) {
    if (rollout.ended_at !== null) return 'It ended before a sample was taken.';
    return `The canary of ${shortCommit(rollout.commit)} has no sample yet.`;
  }
  const why = sentence(analysis.reason);
  switch (analysis.phase) {
    case 'running':
      return `${measuring(rollout)} ${why}`;
    case 'success':
      return `Success: ${analysis.reason === '' ? 'the canary is as good as it has to be.' : why}`;
    case 'failure':
      return `Failure: the canary is worse than it may be. ${why}`;
    case 'inconclusive':
      return `Inconclusive: the canary may be good or not, and a person decides. ${why}`;
  }
}

function measuring({ state, ended_at: ended }: Rollout): string {
  if (ended !== null) return 'The measuring was not finished.';
  return state === 'paused' ? 'The measuring stands still.' : 'The canary is being measured.';
}

/** Whether samples are being taken now. What is not may still have metrics whose samples have not come together. */
export const isMeasuring = (rollout: Rollout | null, analysis: Analysis): boolean =>
  rollout !== null && rollout.state === 'canary' && analysis.phase === 'running';

/** How a metric did, or that nobody knows. */
export function phaseLook(phase: Phase, measuring: boolean): { status: string; word: string } {
  return phase === 'running' && !measuring ? { status: 'stopped', word: 'Not finished' } : PHASE_LOOKS[phase];
}
