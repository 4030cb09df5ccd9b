// Which jobs are meant: as the address says it, as the API wants it, and in words a person can check before many jobs are
// changed at once.
import type { JobFilter } from '../../api/calls';
import type { BulkAction, BulkFilter, JobState, Queue } from '../../api/types';

/** `active` is what the API lists without a state: all that is still to be done. */
export type Tab = 'active' | 'ready' | 'scheduled' | 'waiting' | 'running' | 'dead' | 'history';

interface TabLook {
  tab: Tab;
  label: string;
  /** What stands in it, in one sentence. */
  lead: string;
}

export const TABS: TabLook[] = [
  { tab: 'active', label: 'All active', lead: 'Everything that is still to be done.' },
  { tab: 'ready', label: 'Ready', lead: 'A worker with a free slot takes these next.' },
  { tab: 'scheduled', label: 'Scheduled', lead: 'These begin at a set time, or are tried again then.' },
  { tab: 'waiting', label: 'Waiting', lead: 'A limit holds these back until others have ended.' },
  { tab: 'running', label: 'Running', lead: 'Workers are at these now.' },
  { tab: 'dead', label: 'Failed', lead: 'Dead letters: they failed for good, and nobody has tried them again.' },
  { tab: 'history', label: 'History', lead: 'What has ended, the newest first.' },
];

export type Outcome = 'completed' | 'failed' | 'canceled';
const OUTCOMES: readonly JobState[] = ['completed', 'failed', 'canceled'] satisfies Outcome[];
export const isOutcome = (state: JobState | undefined): state is Outcome =>
  state !== undefined && OUTCOMES.includes(state);

export function tabOf(filter: JobFilter): Tab {
  if (isOutcome(filter.state)) return 'history';
  return filter.state ?? 'active';
}

/** The same queue, kind and project under another tab. */
export function onTab({ state: _, ...rest }: JobFilter, tab: Tab): JobFilter {
  if (tab === 'active') return rest;
  return { ...rest, state: tab === 'history' ? 'completed' : tab };
}

/** Changes one part; an empty text takes it out. */
export function withPart(filter: JobFilter, part: 'queue' | 'kind' | 'project', value: string): JobFilter {
  const { [part]: _, ...rest } = filter;
  const said = value.trim();
  return said === '' ? rest : { ...rest, [part]: said };
}

export const isNarrowed = (filter: JobFilter): boolean =>
  filter.queue !== undefined || filter.kind !== undefined || filter.project !== undefined;

/** What can be done to all jobs of a tab at once. */
export function bulkActions(tab: Tab): BulkAction[] {
  if (tab === 'dead') return ['redrive'];
  if (tab === 'history') return [];
  if (tab === 'active' || tab === 'scheduled') return ['retry', 'cancel'];
  return ['cancel'];
}

/** The API refuses an empty filter, so that nobody cancels everything by leaving something out. */
export function bulkFilter({ state, queue, kind, project }: JobFilter, action: BulkAction): BulkFilter {
  const filter: BulkFilter = {
    // Only dead letters are redriven: the action says the state.
    ...(state === undefined || action === 'redrive' ? {} : { state }),
    ...(queue === undefined ? {} : { queue }),
    ...(kind === undefined ? {} : { kind }),
    ...(project === undefined ? {} : { project_id: project }),
  };
  return Object.keys(filter).length === 0 ? { all: true } : filter;
}

const NOUNS: Record<Tab, [one: string, many: string]> = {
  active: ['active job', 'active jobs'],
  ready: ['ready job', 'ready jobs'],
  scheduled: ['scheduled job', 'scheduled jobs'],
  waiting: ['waiting job', 'waiting jobs'],
  running: ['running job', 'running jobs'],
  dead: ['dead letter', 'dead letters'],
  history: ['ended job', 'ended jobs'],
};

/** "1 ready job", "1,240 scheduled jobs". Only jobs that wait for their time can be told to run now. */
export function jobsInWords(count: number, tab: Tab, action: BulkAction): string {
  const [one, many] = NOUNS[action === 'retry' ? 'scheduled' : tab];
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** "in the queue default, of the kind chat, of the project Shop"; or that nothing narrows it. */
export function filterInWords(filter: JobFilter, projectName: string | undefined): string {
  const parts = [
    filter.queue === undefined ? null : `in the queue “${filter.queue}”`,
    filter.kind === undefined ? null : `of the kind “${filter.kind}”`,
    filter.project === undefined ? null : `of the project “${projectName ?? filter.project}”`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? 'in all queues, of all kinds and projects' : parts.join(', ');
}

/**
 * How many jobs stand under a tab, as the queues say it. They count neither by kind nor by project nor what has ended:
 * then there is no number, rather than a wrong one.
 */
export function tabCount(tab: Tab, filter: JobFilter, queues: Queue[] | undefined): number | null {
  if (queues === undefined || tab === 'history' || filter.kind !== undefined || filter.project !== undefined)
    return null;
  const meant = queues.filter((queue) => filter.queue === undefined || queue.name === filter.queue);
  const of = (queue: Queue) =>
    tab === 'active' ? queue.ready + queue.scheduled + queue.waiting + queue.running : queue[tab];
  return meant.reduce((sum, queue) => sum + of(queue), 0);
}
