// What the address may carry beside the path. Unknown or broken values fall back, so an old link still opens.
import type { JobFilter } from '../api/calls';
import type { LeadStage, LogLevel, Review } from '../api/types';

export interface TaskSearch {
  task?: string;
}
export interface LogSearch {
  level?: LogLevel;
  q?: string;
}
export interface OutputSearch {
  segment?: 'files' | 'memory';
  review?: Review;
  output?: string;
  /** What is looked for in the memory. */
  q?: string;
  /** The file that is shown. */
  file?: string;
}
/** What the Input tab shows beside the conversation. */
const CONTEXT = ['documents', 'contacts'] as const;
export interface InputSearch {
  segment?: (typeof CONTEXT)[number];
  q?: string;
}
export const LEAD_STAGES = ['new', 'contacted', 'qualified', 'proposal', 'won', 'lost'] as const;
export interface SalesSearch {
  segment?: 'leads';
  stage?: LeadStage;
  q?: string;
}
export interface PlanSearch {
  /** The version that is shown; the newest when none is named. */
  version?: number;
  /** The version that it is compared with. */
  against?: number;
}
export interface TemplateSearch {
  q?: string;
  /** The one that is open: a name, or a name with a version. */
  template?: string;
}
/** The views of a run beside its events. */
export const RUN_VIEWS = ['turns', 'logs', 'outputs'] as const;
export type RunViewName = (typeof RUN_VIEWS)[number];
export interface RunSearch {
  view?: RunViewName;
}

/** The views of a proposal beside its differences. */
export const PROPOSAL_VIEWS = ['gates', 'rollout', 'audit'] as const;
export type ProposalViewName = (typeof PROPOSAL_VIEWS)[number];
export interface ProposalSearch {
  view?: ProposalViewName;
}

const JOB_STATES = ['ready', 'scheduled', 'waiting', 'running', 'completed', 'failed', 'canceled', 'dead'] as const;

const text = (value: unknown): string | undefined => {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' ? String(value) : undefined;
};
const whole = (value: unknown): number | undefined => {
  const number = Number(value);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
};
const oneOf = <T extends string>(value: unknown, allowed: readonly T[]): T | undefined =>
  allowed.find((candidate) => candidate === value);

export const taskSearch = (raw: Record<string, unknown>): TaskSearch => compact({ task: text(raw.task) });
export const logSearch = (raw: Record<string, unknown>): LogSearch =>
  compact({ level: oneOf(raw.level, ['debug', 'info', 'warn', 'error'] as const), q: text(raw.q) });
export const outputSearch = (raw: Record<string, unknown>): OutputSearch =>
  compact({
    segment: oneOf(raw.segment, ['files', 'memory'] as const),
    review: oneOf(raw.review, ['pending', 'approved', 'rejected'] as const),
    output: text(raw.output),
    q: text(raw.q),
    file: text(raw.file),
  });
export const inputSearch = (raw: Record<string, unknown>): InputSearch =>
  compact({ segment: oneOf(raw.segment, CONTEXT), q: text(raw.q) });
export const salesSearch = (raw: Record<string, unknown>): SalesSearch =>
  compact({
    segment: oneOf(raw.segment, ['leads'] as const),
    stage: oneOf(raw.stage, LEAD_STAGES),
    q: text(raw.q),
  });
export const planSearch = (raw: Record<string, unknown>): PlanSearch =>
  compact({ version: whole(raw.version), against: whole(raw.against) });
export const templateSearch = (raw: Record<string, unknown>): TemplateSearch =>
  compact({ q: text(raw.q), template: text(raw.template) });
export const runSearch = (raw: Record<string, unknown>): RunSearch => compact({ view: oneOf(raw.view, RUN_VIEWS) });

export const proposalSearch = (raw: Record<string, unknown>): ProposalSearch =>
  compact({ view: oneOf(raw.view, PROPOSAL_VIEWS) });

/** The filter of the job list. A queue or a kind that looks like a number is a word all the same. */
export const queueSearch = (raw: Record<string, unknown>): JobFilter =>
  compact({
    state: oneOf(raw.state, JOB_STATES),
    queue: text(raw.queue),
    kind: text(raw.kind),
    project: text(raw.project),
  });

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function compact<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Defined<T>;
}
