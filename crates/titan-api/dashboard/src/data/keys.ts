// The names of cached server data, and which of them a change hint makes stale.
import type { QueryKey } from '@tanstack/react-query';
import type { ChangeHint } from '../api/types';

/** The project of Titan itself, whose tasks are proposals. */
export const OPS_PROJECT = '00007461-6e00-7000-8000-000000000001';

export const keys = {
  projects: ['projects'] as const,
  project: (id: string) => ['project', id] as const,
  stats: (projectId: string) => ['stats', projectId] as const,
  tasks: (projectId: string) => ['tasks', projectId] as const,
  task: (id: string) => ['task', id] as const,
  runs: (projectId: string) => ['runs', projectId] as const,
  run: (id: string) => ['run', id] as const,
  logs: (scopeId: string) => ['logs', scopeId] as const,
  outputs: (projectId: string) => ['outputs', projectId] as const,
  output: (id: string) => ['output', id] as const,
  artifacts: (runId: string) => ['artifacts', runId] as const,
  memories: (projectId: string) => ['memories', projectId] as const,
  /** The files of a project and their history. */
  files: (projectId: string) => ['files', projectId] as const,
  messages: (projectId: string) => ['messages', projectId] as const,
  /** Versions of the plan, comparisons of them, and the charter. */
  plans: (projectId: string) => ['plans', projectId] as const,
  contacts: (projectId: string) => ['contacts', projectId] as const,
  documents: (projectId: string) => ['documents', projectId] as const,
  offers: (projectId: string) => ['offers', projectId] as const,
  leads: (projectId: string) => ['leads', projectId] as const,
  /** A hint about a lead may be about its notes. */
  notes: (leadId: string) => ['lead-notes', leadId] as const,
  /** What models may cost; a call counts for its run, its task, its project and the installation alike. */
  budgets: ['budget'] as const,
  budget: (scope: string, id: string) => ['budget', scope, id] as const,
  calls: (runId: string) => ['calls', runId] as const,
  /** The catalogue, and what is being installed into it. */
  templates: ['templates'] as const,
  preview: (projectId: string) => ['preview', projectId] as const,
  publications: (projectId: string) => ['publications', projectId] as const,
  /** Changes to Titan's own code. */
  ops: ['ops'] as const,
  proposals: ['ops', 'list'] as const,
  proposal: (id?: string) => (id === undefined ? (['ops', 'one'] as const) : (['ops', 'one', id] as const)),
  rollouts: ['ops', 'rollouts'] as const,
  targets: ['ops', 'targets'] as const,
  system: ['system'] as const,
  /** Queues, jobs and limits: what changes one of them mostly changes the others. */
  queue: ['queue'] as const,
};

/** What to fetch again, and how much time to leave between two fetches while hints keep coming. */
export interface Stale {
  key: QueryKey;
  apartMs: number;
}

/** What a person is watching right now. */
const LIVE_MS = 300;
/** A run sends a hint for every piece of its text; the project around it moves far less often. */
const AROUND_A_RUN_MS = 800;
const BAR_MS = 2000;

export function staleKeys(hint: ChangeHint): Stale[] {
  const project = hint.project_id;
  const own = (...list: QueryKey[]): Stale[] => list.map((key) => ({ key, apartMs: LIVE_MS }));
  const inProject = (...makers: ((id: string) => QueryKey)[]): Stale[] =>
    project === null ? [] : own(...makers.map((make) => make(project)));
  const bar: Stale = { key: keys.projects, apartMs: BAR_MS };
  switch (hint.kind) {
    case 'project':
      return own(keys.projects, keys.project(hint.id), keys.stats(hint.id));
    case 'task':
      // A task may have come with a message, from another tab or another client.
      return [
        ...own(keys.task(hint.id), ...(project === OPS_PROJECT ? [keys.ops] : [])),
        ...inProject(keys.tasks, keys.stats, keys.messages, keys.plans),
        { key: keys.queue, apartMs: AROUND_A_RUN_MS },
        bar,
      ];
    case 'run': {
      const around = inProject(keys.tasks, keys.runs, keys.stats).map(({ key }) => ({ key, apartMs: AROUND_A_RUN_MS }));
      const paid = [
        { key: keys.calls(hint.id), apartMs: AROUND_A_RUN_MS },
        { key: keys.budgets, apartMs: BAR_MS },
      ];
      // The last step of a pipeline publishes.
      const made = inProject(keys.publications).map(({ key }) => ({ key, apartMs: AROUND_A_RUN_MS }));
      // The steps of the run are the stages of a proposal.
      const stages = project === OPS_PROJECT ? [keys.proposals, keys.proposal()] : [];
      const proposed = stages.map((key) => ({ key, apartMs: AROUND_A_RUN_MS }));
      const of = [...around, ...made, ...paid, ...proposed, bar];
      return [...own(keys.run(hint.id), keys.logs(hint.id)), ...inProject(keys.logs), ...of];
    }
    case 'output': {
      const ofRun = hint.run_id ? own(keys.artifacts(hint.run_id)) : own(['artifacts']);
      return [...own(keys.output(hint.id)), ...inProject(keys.outputs, keys.stats), ...ofRun];
    }
    case 'memory':
      return inProject(keys.memories, keys.stats);
    case 'files':
      return inProject(keys.files);
    case 'preview':
      return project === null ? own(['preview']) : inProject(keys.preview);
    case 'message':
      return inProject(keys.messages);
    case 'plan':
      return inProject(keys.plans);
    case 'contact':
      return project === null ? own(['contacts']) : inProject(keys.contacts);
    case 'document':
      return inProject(keys.documents);
    case 'offer':
      return inProject(keys.offers, keys.leads);
    case 'lead':
      // An offer says how many leads it has.
      if (project === null) return own(['leads'], ['offers']);
      return [...own(keys.notes(hint.id)), ...inProject(keys.leads, keys.offers)];
    case 'template':
      return own(keys.templates);
    case 'queue':
      // A paused queue is a reason why a task does not move.
      return own(keys.queue, ['tasks']);
    case 'worker':
      // Whether a task can move depends on the workers, so the reasons on its card may be others now.
      return own(keys.system, keys.queue, ['tasks']);
    default:
      return [];
  }
}
