// The sections of a plan while it is written. What a model writes may have any shape until the server has checked all of it,
// so it is read here with nothing taken for granted.
import type { RunEvent } from '../../api/types';
import { numberField, textField } from '../../lib/fields';

export interface TaskInView {
  key: string;
  title: string;
  executionType: string;
  needs: string[];
  parent: string | null;
}

/** What the sections are called. */
export const TITLES: Record<string, string> = {
  wish: 'Wish',
  goal: 'Goal',
  resources: 'What is there',
  gaps: 'What is missing',
  assumptions: 'Taken for granted',
  questions: 'Open questions',
  tasks: 'Tasks',
  risks: 'Risks',
  cost: 'Cost',
  template: 'Template',
};

/** What of a plan can be shown. */
export interface PlanInView {
  goal?: string;
  resources?: string[];
  gaps?: string[];
  assumptions?: string[];
  questions?: string[];
  tasks?: TaskInView[];
  risks?: string[];
  cost?: string;
  template?: string;
}

export interface DraftInView {
  plan: PlanInView;
  /** 1 for the first answer, more for those that mend it. */
  round: number;
  /** Why it is being mended. */
  repair: string | null;
}

export function draftOf(events: readonly RunEvent[]): DraftInView {
  const newest = Math.max(0, ...events.map((event) => rank(event) ?? 0));
  const draft: DraftInView = { plan: {}, round: 1, repair: null };
  for (const event of events) {
    if (event.kind === 'plan.repaired') draft.repair = event.message;
    if (rank(event) !== newest) continue;
    draft.round = numberField(event.data, 'round') ?? 1;
    const section = textField(event.data, 'section');
    if (section !== null) draft.plan = { ...draft.plan, ...inView(section, writtenValue(event.data)) };
  }
  return draft;
}

/** Of several attempts and rounds only the last is shown. */
function rank(event: RunEvent): number | null {
  if (event.kind !== 'plan.section') return null;
  return (numberField(event.data, 'attempt') ?? 1) * 100 + (numberField(event.data, 'round') ?? 1);
}

const writtenValue = (data: unknown): unknown =>
  typeof data === 'object' && data !== null ? (data as Record<string, unknown>).value : undefined;

/** A checked plan goes the same way, so that both look alike. */
export function planInView(content: object): PlanInView {
  return Object.assign({}, ...Object.entries(content).map(([section, value]) => inView(section, value)));
}

function inView(section: string, value: unknown): PlanInView {
  switch (section) {
    case 'goal':
      return typeof value === 'string' ? { goal: value } : {};
    case 'resources':
    case 'gaps':
    case 'assumptions':
      return { [section]: list(value).filter((entry) => typeof entry === 'string') };
    case 'questions':
      return { questions: list(value).flatMap((entry) => textField(entry, 'question') ?? []) };
    case 'risks':
      return { risks: list(value).flatMap(riskOf) };
    case 'tasks':
      return { tasks: list(value).flatMap(taskOf) };
    case 'cost':
      return costOf(value);
    case 'template': {
      const reference = textField(value, 'ref');
      const reason = textField(value, 'reason');
      return reference === null ? {} : { template: reason === null ? reference : `${reference}: ${reason}` };
    }
    default:
      return {};
  }
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function riskOf(entry: unknown): string[] {
  const risk = textField(entry, 'risk');
  const response = textField(entry, 'response');
  return risk === null ? [] : [response === null ? risk : `${risk} — ${response}`];
}

function taskOf(entry: unknown): TaskInView[] {
  const key = textField(entry, 'key');
  const title = textField(entry, 'title');
  if (key === null || title === null) return [];
  const needs = list((entry as Record<string, unknown>).needs).filter((need) => typeof need === 'string');
  const executionType = textField(entry, 'execution_type') ?? 'manual';
  return [{ key, title, executionType, needs, parent: textField(entry, 'parent') }];
}

function costOf(value: unknown): PlanInView {
  const [low, high] = [numberField(value, 'low'), numberField(value, 'high')];
  const [currency, basis] = [textField(value, 'currency'), textField(value, 'basis')];
  if (low === null || high === null || currency === null) return {};
  const range = low === high ? `${money(low)} ${currency}` : `${money(low)} to ${money(high)} ${currency}`;
  return { cost: basis === null ? range : `${range}: ${basis}` };
}

const money = (amount: number): string =>
  amount.toLocaleString('en', { minimumFractionDigits: Number.isInteger(amount) ? 0 : 2, maximumFractionDigits: 2 });

/** What an entry of a list says, which a comparison knows by its key; the first of the versions that has it tells. */
export function entryName(section: string, key: string, ...versions: unknown[]): string {
  const name = section === 'tasks' ? 'title' : section === 'questions' ? 'question' : null;
  if (name === null) return key;
  const entry = versions.flatMap(list).find((one) => textField(one, 'key') === key);
  return textField(entry, name) ?? key;
}

/** A section that is no list, in words. */
export function sectionText(section: string, value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return value;
  const { cost, template } = inView(section, value);
  if (cost !== undefined) return cost;
  if (template === undefined) return JSON.stringify(value, null, 2);
  const inputs = (value as Record<string, unknown>).inputs;
  const given = typeof inputs === 'object' && inputs !== null ? Object.entries(inputs) : [];
  const lines = given.map(([name, input]) => `${name}: ${typeof input === 'string' ? input : JSON.stringify(input)}`);
  return [template, ...lines].join('\n');
}

export interface Sum {
  /** Without groups. */
  tasks: number;
  groups: number;
  alone: number;
  byHand: number;
}

/** What an approval would make. */
export function sumOf(tasks: readonly TaskInView[]): Sum {
  const groups = new Set(tasks.map((task) => task.parent));
  const own = tasks.filter((task) => !groups.has(task.key));
  const alone = own.filter((task) => task.executionType === 'fully_automated').length;
  return { tasks: own.length, groups: tasks.length - own.length, alone, byHand: own.length - alone };
}
