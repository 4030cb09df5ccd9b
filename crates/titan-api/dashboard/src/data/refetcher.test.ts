import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keys, staleKeys } from './keys';
import { Refetcher } from './refetcher';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Refetcher', () => {
  it('turns a burst of hints into one invalidation per key', () => {
    const client = new QueryClient();
    const invalidate = vi.spyOn(client, 'invalidateQueries').mockResolvedValue();
    const refetcher = new Refetcher(client);
    for (let hint = 0; hint < 100; hint += 1) refetcher.mark([keys.tasks('p1'), keys.stats('p1')]);
    vi.advanceTimersByTime(100);
    expect(invalidate.mock.calls.map(([filter]) => filter?.queryKey)).toEqual([keys.tasks('p1'), keys.stats('p1')]);
  });

  it('asks at most about three times a second while hints keep coming', () => {
    const client = new QueryClient();
    const invalidate = vi.spyOn(client, 'invalidateQueries').mockResolvedValue();
    const refetcher = new Refetcher(client);
    for (let moment = 0; moment < 300; moment += 1) {
      refetcher.mark([keys.tasks('p1')]);
      vi.advanceTimersByTime(10);
    }
    expect(invalidate.mock.calls.length).toBeGreaterThan(5);
    expect(invalidate.mock.calls.length).toBeLessThanOrEqual(11);
  });

  it('waits for a request under way and then asks again, without cancelling it', () => {
    const client = new QueryClient();
    const invalidate = vi.spyOn(client, 'invalidateQueries').mockResolvedValue();
    const fetching = vi.spyOn(client, 'isFetching').mockReturnValue(1);
    const refetcher = new Refetcher(client);
    refetcher.mark([keys.tasks('p1')]);
    vi.advanceTimersByTime(1000);
    expect(invalidate).not.toHaveBeenCalled();
    fetching.mockReturnValue(0);
    vi.advanceTimersByTime(400);
    expect(invalidate).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(5000);
    expect(invalidate).toHaveBeenCalledTimes(1);
  });
});

describe('staleKeys', () => {
  it('names only what a hint touches', () => {
    expect(staleKeys({ kind: 'memory', id: 'x', project_id: 'p1', run_id: null, seq: null })).toEqual([
      keys.memories('p1'),
      keys.stats('p1'),
    ]);
    expect(staleKeys({ kind: 'message', id: 'x', project_id: 'p1', run_id: null, seq: null })).toEqual([
      keys.messages('p1'),
    ]);
  });

  it('refreshes the reasons on tasks when a worker comes or goes', () => {
    expect(staleKeys({ kind: 'worker', id: 'w', project_id: null, run_id: null, seq: null })).toContainEqual(['tasks']);
  });

  it('survives a kind it does not know', () => {
    expect(staleKeys({ kind: 'later' as never, id: 'x', project_id: 'p1', run_id: null, seq: null })).toEqual([]);
  });
});
