import { describe, expect, it } from 'vitest';
import type { ExecutionStatus } from '../../api/types';
import { aTask, statsOf } from '../../test/fixtures';
import { COLUMNS, columnTasks, columnTotal, missingStatuses } from './columns';

const column = (id: string) => {
  const found = COLUMNS.find((entry) => entry.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};

describe('board columns', () => {
  it('give every status exactly one place', () => {
    const all: ExecutionStatus[] = [
      'pending',
      'queued',
      'in_progress',
      'paused',
      'blocked',
      'completed',
      'failed',
      'canceled',
    ];
    for (const status of all) expect(COLUMNS.filter((entry) => entry.statuses.includes(status))).toHaveLength(1);
  });

  it('count what the server counts, not what is loaded', () => {
    expect(columnTotal(column('done'), statsOf({ completed: 900, failed: 3, canceled: 1 }))).toBe(904);
  });

  it('show a task once, with the newest first', () => {
    const older = aTask({ id: 'a', created_at: '2026-11-21T09:00:00Z' });
    const newer = aTask({ id: 'b', created_at: '2026-11-21T10:00:00Z' });
    expect(columnTasks(column('queued'), [[older, newer], [older]]).map((task) => task.id)).toEqual(['b', 'a']);
  });

  it('order what is done by its end and keep the last twenty', () => {
    const tasks = Array.from({ length: 30 }, (_, index) =>
      aTask({
        id: `t${index}`,
        execution_status: 'completed',
        completed_at: `2026-11-21T10:${String(index).padStart(2, '0')}:00Z`,
      }),
    );
    const shown = columnTasks(column('done'), [tasks]);
    expect(shown).toHaveLength(20);
    expect(shown[0]?.id).toBe('t29');
  });

  it('ask for a status of its own when the newest tasks do not hold it', () => {
    const newest = Array.from({ length: 100 }, (_, index) => aTask({ id: `q${index}` }));
    const stats = statsOf({ total: 1000, queued: 900, in_progress: 64, completed: 36 });
    expect(missingStatuses(newest, stats)).toEqual(['in_progress', 'completed']);
    expect(missingStatuses([aTask()], statsOf({ total: 1, queued: 1 }))).toEqual([]);
  });
});
