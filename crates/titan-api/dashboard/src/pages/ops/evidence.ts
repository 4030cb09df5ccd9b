// What the stages found, read from their JSON: each kind of stage has its own, and one that is older may lack a field.
import type { OpsStage, Proposal } from '../../api/types';
import { field, flagField, listField, numberField, textField, textsField } from '../../lib/fields';

export type Risk = 'low' | 'medium' | 'high';
const RISKS: readonly Risk[] = ['low', 'medium', 'high'];

export interface ChangedFile {
  path: string;
  /** `added`, `deleted`, `modified`, `type_changed` or `renamed`. */
  status: string;
  additions: number;
  deletions: number;
  binary: boolean;
  /** `allowed`, `protected` or `not_allowed`, by which pattern, and the same as a sentence. */
  verdict: string;
  pattern: string | null;
  reason: string;
}

export interface Difference {
  /** The run that has the differences as its output: a later one that went on after this stage has none. */
  run: string | null;
  branch: string | null;
  baseBranch: string | null;
  base: string | null;
  tree: string | null;
  nowItem: string | null;
  files: ChangedFile[];
  /** Hunks that stand elsewhere than their numbers say. */
  shifts: string[];
  risk: Risk | null;
  reasons: string[];
  truncated: boolean;
}

export interface Command {
  command: string;
  seconds: number | null;
  last: string[];
}

export interface Check {
  name: string;
  state: string;
  summary: string;
  page: string | null;
}

export const stageOf = (proposal: Proposal, name: string): OpsStage | undefined =>
  proposal.stages.find((stage) => stage.name === name);

const evidenceOf = (proposal: Proposal, name: string): unknown => stageOf(proposal, name)?.evidence ?? null;

/** Null until the first stage has ended, and in lists. */
export const differenceOf = (proposal: Proposal): Difference | null => differenceIn(evidenceOf(proposal, 'diff'));

/** In the evidence of the first stage. */
export function differenceIn(found: unknown): Difference | null {
  if (found === null) return null;
  return {
    run: textField(found, 'run'),
    branch: textField(found, 'branch'),
    baseBranch: textField(found, 'base_branch'),
    base: textField(found, 'base'),
    tree: textField(found, 'tree'),
    nowItem: textField(found, 'now_item'),
    files: listField(found, 'files').map(fileOf),
    shifts: textsField(found, 'shifts'),
    risk: RISKS.find((risk) => risk === textField(found, 'risk')) ?? null,
    reasons: textsField(found, 'reasons'),
    truncated: flagField(found, 'truncated'),
  };
}

function fileOf(found: unknown): ChangedFile {
  return {
    path: textField(found, 'path') ?? '',
    status: textField(found, 'status') ?? 'modified',
    additions: numberField(found, 'additions') ?? 0,
    deletions: numberField(found, 'deletions') ?? 0,
    binary: flagField(found, 'binary'),
    verdict: textField(found, 'verdict') ?? 'not_allowed',
    pattern: textField(found, 'pattern'),
    reason: textField(found, 'reason') ?? '',
  };
}

export interface PullRequest {
  number: number;
  page: string | null;
}

export function pullRequestOf(proposal: Proposal): PullRequest | null {
  const found = evidenceOf(proposal, 'pull request');
  const number = numberField(found, 'number') ?? proposal.rollout?.pull_number ?? null;
  return number === null ? null : { number, page: textField(found, 'page') };
}

export const commandsOf = (evidence: unknown): Command[] =>
  listField(evidence, 'commands').map((found) => ({
    command: textField(found, 'command') ?? '',
    seconds: numberField(found, 'seconds'),
    last: textsField(found, 'last'),
  }));

/** Null when nobody was to ask for them. */
export function checksOf(evidence: unknown): Check[] | null {
  const found = field(evidence, 'checks');
  if (!flagField(found, 'wanted')) return null;
  return listField(found, 'checks').map((check) => ({
    name: textField(check, 'name') ?? '',
    state: textField(check, 'state') ?? '',
    summary: textField(check, 'summary') ?? '',
    page: textField(check, 'page'),
  }));
}

/** The beginning of a commit's id is enough for people. */
export const shortCommit = (commit: string): string => commit.slice(0, 12);
