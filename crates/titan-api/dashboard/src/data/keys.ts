// The names of cached server data, and which of them a change hint makes stale.
import type { QueryKey } from '@tanstack/react-query';
import type { ChangeHint } from '../api/types';

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
  messages: (projectId: string) => ['messages', projectId] as const,
  system: ['system'] as const,
};

export function staleKeys(hint: ChangeHint): QueryKey[] {
  const project = hint.project_id;
  const inProject = (make: (id: string) => QueryKey): QueryKey[] => (project ? [make(project)] : []);
  switch (hint.kind) {
    case 'project':
      return [keys.projects, keys.project(hint.id), keys.stats(hint.id)];
    case 'task':
      return [keys.task(hint.id), keys.projects, ...inProject(keys.tasks), ...inProject(keys.stats)];
    case 'run':
      return [
        keys.run(hint.id),
        keys.logs(hint.id),
        keys.projects,
        ...inProject(keys.runs),
        ...inProject(keys.logs),
        ...inProject(keys.stats),
      ];
    case 'output':
      return [
        keys.output(hint.id),
        ...inProject(keys.outputs),
        ...inProject(keys.stats),
        ...(hint.run_id ? [keys.artifacts(hint.run_id)] : []),
      ];
    case 'memory':
      return [...inProject(keys.memories), ...inProject(keys.stats)];
    case 'message':
      return inProject(keys.messages);
    case 'worker':
      // Whether a task can move depends on the workers, so the reasons on its card may be others now.
      return [keys.system, ['tasks']];
    default:
      return [];
  }
}
