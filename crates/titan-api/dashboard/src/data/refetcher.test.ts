import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChangeHint } from '../api/types';
import { keys, staleKeys } from './keys';
import { Refetcher } from './refetcher';

const hint = (kind: string, id = 'x', project_id: string | null = 'p1'): ChangeHint =>
  ({ kind, id, project_id, run_id: null, seq: null }) as ChangeHint;
const names = (kind: string, id?: string) => staleKeys(hint(kind, id)).map((stale) => stale.key);

function watched() {
  const client = new QueryClient();
  const invalidate = vi.spyOn(client, 'invalidateQueries').mockResolvedValue();
  const times = (key: readonly unknown[]) =>
    invalidate.mock.calls.filter(([filter]) => JSON.stringify(filter?.queryKey) === JSON.stringify(key)).length;
  return { client, invalidate, times, refetcher: new Refetcher(client) };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Refetcher', () => {
  it('turns a burst of hints into one invalidation per key', () => {
    const { refetcher, times } = watched();
    for (let count = 0; count < 100; count += 1) refetcher.mark(staleKeys(hint('memory')));
    vi.advanceTimersByTime(100);
    expect([times(keys.memories('p1')), times(keys.stats('p1'))]).toEqual([1, 1]);
  });

  it('asks for the project around a streaming run about once a second, for the run itself more often', () => {
    const { refetcher, times } = watched();
    for (let moment = 0; moment < 40; moment += 1) {
      refetcher.mark(staleKeys(hint('run', 'r1')));
      vi.advanceTimersByTime(100);
    }
    expect(times(keys.tasks('p1'))).toBeGreaterThanOrEqual(4);
    expect(times(keys.tasks('p1'))).toBeLessThanOrEqual(6);
    expect(times(keys.run('r1'))).toBeGreaterThan(8);
  });

  it('asks once more after the last hint of a burst', () => {
    const { refetcher, times } = watched();
    refetcher.mark(staleKeys(hint('run', 'r1')));
    vi.advanceTimersByTime(100);
    refetcher.mark(staleKeys(hint('run', 'r1')));
    vi.advanceTimersByTime(100);
    expect(times(keys.tasks('p1'))).toBe(1);
    vi.advanceTimersByTime(1000);
    expect(times(keys.tasks('p1'))).toBe(2);
  });

  it('lets an urgent hint overtake a patient one for the same key', () => {
    const { refetcher, times } = watched();
    refetcher.mark(staleKeys(hint('run', 'r1')));
    vi.advanceTimersByTime(100);
    refetcher.mark(staleKeys(hint('run', 'r1')));
    refetcher.mark(staleKeys(hint('task', 't1')));
    vi.advanceTimersByTime(400);
    expect(times(keys.tasks('p1'))).toBe(2);
  });

  it('waits for a request under way and then asks again, without cancelling it', () => {
    const { client, refetcher, invalidate } = watched();
    const fetching = vi.spyOn(client, 'isFetching').mockReturnValue(1);
    refetcher.mark(staleKeys(hint('message')));
    vi.advanceTimersByTime(1000);
    expect(invalidate).not.toHaveBeenCalled();
    fetching.mockReturnValue(0);
    vi.advanceTimersByTime(100);
    expect(invalidate).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(5000);
    expect(invalidate).toHaveBeenCalledTimes(1);
  });
});

describe('staleKeys', () => {
  it('names only what a hint touches', () => {
    expect(names('memory')).toEqual([keys.memories('p1'), keys.stats('p1')]);
    expect(names('message')).toEqual([keys.messages('p1')]);
  });

  it('refreshes the board when a run moves, and the conversation when a task appears', () => {
    expect(names('run', 'r1')).toContainEqual(keys.tasks('p1'));
    expect(names('task', 't1')).toContainEqual(keys.messages('p1'));
  });

  it('refreshes the reasons on tasks when a worker comes or goes', () => {
    expect(staleKeys(hint('worker', 'w', null)).map((stale) => stale.key)).toContainEqual(['tasks']);
  });

  it('refreshes the queue page when a queue, a worker or a task moves', () => {
    for (const kind of ['queue', 'worker', 'task']) expect(names(kind), kind).toContainEqual(keys.queue);
  });

  it('survives a kind it does not know', () => {
    expect(names('later')).toEqual([]);
  });
});
