import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RunEventPage } from '../api/types';
import { RUN_POLL_MS } from './protocol';
import { RunChannel } from './runChannel';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('polls once at a time, also when it was stopped and begun again while an answer was under way', async () => {
  const waiting: ((page: RunEventPage) => void)[] = [];
  const readPage = vi.fn(() => new Promise<RunEventPage>((resolve) => waiting.push(resolve)));
  const nothing = () => undefined;
  const sink = { events: nothing, heartbeat: nothing, end: nothing, refused: nothing };
  const channel = new RunChannel('r1', sink, { fetch, readPage });
  const answer = () => {
    for (const resolve of waiting.splice(0)) resolve({ items: [], next_cursor: null, last_seq: 0 });
  };
  channel.startPolling();
  channel.stopPolling();
  channel.startPolling();
  expect(readPage).toHaveBeenCalledTimes(2);
  answer();
  await vi.advanceTimersByTimeAsync(RUN_POLL_MS);
  expect(readPage).toHaveBeenCalledTimes(3);
  channel.close();
});
