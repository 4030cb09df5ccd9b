import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeStreams } from '../test/sse';
import { Hub } from './hub';
import type { FromHub } from './protocol';
import { openLocal } from './transport';

let server: FakeStreams;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeStreams();
});

afterEach(() => {
  vi.useRealTimers();
});

const hub = () =>
  new Hub({
    fetch: server.fetch,
    probe: async () => true,
    readPage: async (_, after) => ({ items: [], next_cursor: null, last_seq: after }),
  });
const settle = () => vi.advanceTimersByTimeAsync(0);

it('keeps what is said until the code of the hub has come, and asks for it again when it does not', async () => {
  const got: FromHub[] = [];
  const load = vi
    .fn<() => Promise<Hub>>()
    .mockRejectedValueOnce(new TypeError('Failed to fetch'))
    .mockImplementation(async () => hub());
  const transport = openLocal((message) => got.push(message), load);
  transport.send({ type: 'hello' });
  transport.send({ type: 'watch', runId: 'r0', after: 0 });
  transport.send({ type: 'hello' });
  transport.send({ type: 'watch', runId: 'r1', after: 0 });
  await settle();
  expect(got).toMatchObject([{ type: 'connection', connection: { kind: 'offline' } }]);
  expect(server.connections).toHaveLength(0);

  await vi.advanceTimersByTimeAsync(2000);
  expect(load).toHaveBeenCalledTimes(2);
  const urls = server.connections.map((connection) => connection.url);
  expect(urls.filter((url) => url.includes('r1'))).toHaveLength(1);
  expect(
    urls.filter((url) => url.includes('r0')),
    'the second hello told everything anew',
  ).toHaveLength(0);
  expect(got.at(-1)).toEqual({ type: 'connection', connection: { kind: 'live' } });
});

it('fetches nothing more once it is closed', async () => {
  const load = vi.fn<() => Promise<Hub>>().mockRejectedValue(new TypeError('Failed to fetch'));
  const transport = openLocal(() => undefined, load);
  await settle();
  transport.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(load).toHaveBeenCalledTimes(1);
});
