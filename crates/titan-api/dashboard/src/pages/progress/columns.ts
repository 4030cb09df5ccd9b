// Which tasks stand in which column of the board, as pure data.
import type { ExecutionStatus, ProjectStats, Task } from '../../api/types';
import { compareTimes } from '../../lib/times';

export interface ColumnSpec {
  id: string;
  title: string;
  statuses: ExecutionStatus[];
  /** The column shows at most this many cards; its count is the true one. */
  limit: number;
  empty: string;
}

export const COLUMNS: ColumnSpec[] = [
  { id: 'todo', title: 'To do', statuses: ['pending'], limit: 100, empty: 'Nothing waits to be started.' },
  { id: 'queued', title: 'Queued', statuses: ['queued'], limit: 100, empty: 'Nothing waits for a worker.' },
  { id: 'progress', title: 'In progress', statuses: ['in_progress'], limit: 100, empty: 'Nothing runs now.' },
  { id: 'waiting', title: 'Waiting', statuses: ['paused', 'blocked'], limit: 100, empty: 'Nothing is held up.' },
  {
    id: 'done',
    title: 'Done',
    statuses: ['completed', 'failed', 'canceled'],
    limit: 20,
    empty: 'Nothing is done yet.',
  },
];

export function columnTotal(column: ColumnSpec, stats: ProjectStats): number {
  return column.statuses.reduce((sum, status) => sum + stats.tasks[status], 0);
}

/** The column's cards out of lists that may overlap, newest first. */
export function columnTasks(column: ColumnSpec, lists: readonly (readonly Task[])[]): Task[] {
  const byId = new Map<string, Task>();
  for (const list of lists) {
    for (const task of list) if (column.statuses.includes(task.execution_status)) byId.set(task.id, task);
  }
  const stamp = (task: Task) => (column.id === 'done' ? task.completed_at : null) ?? task.created_at;
  return [...byId.values()]
    .sort((a, b) => compareTimes(stamp(b), stamp(a)) || b.id.localeCompare(a.id))
    .slice(0, column.limit);
}

/** The statuses of which the newest tasks lack some: they have to be asked for on their own. */
export function missingStatuses(newest: readonly Task[], stats: ProjectStats): ExecutionStatus[] {
  return COLUMNS.flatMap((column) =>
    column.statuses.filter((status) => {
      const known = newest.filter((task) => task.execution_status === status).length;
      return known < Math.min(stats.tasks[status], column.limit);
    }),
  );
}
