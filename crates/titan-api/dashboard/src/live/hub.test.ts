import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunEvent, RunEventPage } from '../api/types';
import { anEvent } from '../test/fixtures';
import { type Connection as FakeConnection, FakeStreams, sse } from '../test/sse';
import { Hub, type HubPort } from './hub';
import type { FromHub } from './protocol';

let server: FakeStreams;
let hub: Hub;
let answers: boolean;
let stored: Map<string, RunEvent[]>;
let polls: string[];

function tab(): { port: HubPort; got: FromHub[]; seqs: (runId: string) => number[] } {
  const got: FromHub[] = [];
  return {
    port: { post: (message) => got.push(message) },
    got,
    seqs: (runId) =>
      got.flatMap((message) =>
        message.type === 'run-events' && message.runId === runId ? message.events.map((event) => event.seq) : [],
      ),
  };
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const to = (part: string): FakeConnection[] => server.connections.filter((connection) => connection.url.includes(part));
const newest = (part: string): FakeConnection => {
  const connection = to(part).at(-1);
  if (connection === undefined) throw new Error(`no connection to ${part}`);
  return connection;
};
const runEvent = (runId: string, seq: number, over: Partial<RunEvent> = {}) =>
  sse('run_event', anEvent(seq, { run_id: runId, ...over }), seq);

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeStreams();
  answers = true;
  stored = new Map();
  polls = [];
  hub = new Hub({
    fetch: server.fetch,
    probe: async () => answers,
    readPage: async (runId, after, limit): Promise<RunEventPage> => {
      polls.push(runId);
      const events = (stored.get(runId) ?? []).filter((event) => event.seq > after);
      return { items: events.slice(0, limit), next_cursor: null, last_seq: events.at(-1)?.seq ?? after };
    },
  });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('Hub', () => {
  it('opens one stream of hints for all tabs and hands each hint to each of them', async () => {
    const a = tab();
    const b = tab();
    hub.receive(a.port, { type: 'hello' });
    hub.receive(b.port, { type: 'hello' });
    await settle();
    expect(to('/api/events')).toHaveLength(1);
    newest('/api/events').write(sse('change', { kind: 'task', id: 't1', project_id: 'p1' }));
    await settle();
    for (const { got } of [a, b]) {
      expect(got).toContainEqual({ type: 'change', hint: { kind: 'task', id: 't1', project_id: 'p1' } });
    }
  });

  it('sends resync after a reconnect, because hints have no history', async () => {
    const { port, got } = tab();
    hub.receive(port, { type: 'hello' });
    await settle();
    expect(got).not.toContainEqual({ type: 'resync' });
    newest('/api/events').end();
    await vi.advanceTimersByTimeAsync(2000);
    expect(to('/api/events')).toHaveLength(2);
    expect(got.filter((message) => message.type === 'resync')).toHaveLength(1);
    expect(got.at(-2)).toEqual({ type: 'connection', connection: { kind: 'live' } });
  });

  it('passes a resync of the server on', async () => {
    const { port, got } = tab();
    hub.receive(port, { type: 'hello' });
    await settle();
    newest('/api/events').write(sse('resync', {}));
    await settle();
    expect(got.at(-1)).toEqual({ type: 'resync' });
  });

  it('says offline with its time when nothing answers, and live again afterwards', async () => {
    const { port, got } = tab();
    hub.receive(port, { type: 'hello' });
    await settle();
    answers = false;
    server.status = 'unreachable';
    newest('/api/events').fail();
    await settle();
    const since = Date.now();
    const offline = got.filter((message) => message.type === 'connection').at(-1);
    expect(offline).toMatchObject({ connection: { kind: 'offline', since } });
    await vi.advanceTimersByTimeAsync(5000);
    expect(got.filter((message) => message.type === 'connection').at(-1)).toMatchObject({
      connection: { kind: 'offline', since },
    });
    answers = true;
    server.status = null;
    hub.receive(port, { type: 'reconnect' });
    await settle();
    expect(got.filter((message) => message.type === 'connection').at(-1)).toEqual({
      type: 'connection',
      connection: { kind: 'live' },
    });
  });

  it('polls after three failures while the server answers', async () => {
    const { port, got } = tab();
    server.status = 'unreachable';
    hub.receive(port, { type: 'hello' });
    await vi.advanceTimersByTimeAsync(1300);
    expect(got.filter((message) => message.type === 'connection').at(-1)).toMatchObject({
      connection: { kind: 'reconnecting' },
    });
    await vi.advanceTimersByTimeAsync(2600);
    expect(got.filter((message) => message.type === 'connection').at(-1)).toEqual({
      type: 'connection',
      connection: { kind: 'polling' },
    });
    const before = got.filter((message) => message.type === 'resync').length;
    await vi.advanceTimersByTimeAsync(5000);
    expect(got.filter((message) => message.type === 'resync').length).toBeGreaterThan(before);
  });

  it('streams three runs and polls the fourth until a stream is free', async () => {
    const { port, seqs } = tab();
    for (const runId of ['r1', 'r2', 'r3', 'r4']) hub.receive(port, { type: 'watch', runId, after: 0 });
    stored.set('r4', [anEvent(1, { run_id: 'r4' })]);
    await settle();
    expect(to('/api/runs/')).toHaveLength(3);
    expect(polls).toContain('r4');
    newest('/api/runs/r1/').write(runEvent('r1', 1) + sse('end', { status: 'completed' }));
    await settle();
    expect(to('/api/runs/r4/')).toHaveLength(1);
    newest('/api/runs/r4/').write(runEvent('r4', 1) + runEvent('r4', 2));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seqs('r4')).toEqual([1, 2]);
    // The stream that opened has ended the polling.
    const count = polls.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(polls.length).toBe(count);
  });

  it('shows every event once when the stream breaks and the server repeats', async () => {
    const { port, seqs } = tab();
    hub.receive(port, { type: 'watch', runId: 'r1', after: 0 });
    await settle();
    newest('/api/runs/r1/').write(runEvent('r1', 1) + runEvent('r1', 2));
    await settle();
    newest('/api/runs/r1/').fail();
    await vi.advanceTimersByTimeAsync(1500);
    expect(newest('/api/runs/r1/').headers.get('last-event-id')).toBe('2');
    newest('/api/runs/r1/').write(runEvent('r1', 2) + runEvent('r1', 3));
    await settle();
    expect(seqs('r1')).toEqual([1, 2, 3]);
  });

  it('gives a second tab what the first has seen, over the same stream', async () => {
    const a = tab();
    const b = tab();
    hub.receive(a.port, { type: 'watch', runId: 'r1', after: 0 });
    await settle();
    newest('/api/runs/r1/').write(runEvent('r1', 1) + runEvent('r1', 2));
    await settle();
    hub.receive(b.port, { type: 'watch', runId: 'r1', after: 1 });
    newest('/api/runs/r1/').write(runEvent('r1', 3));
    await settle();
    expect(to('/api/runs/r1/')).toHaveLength(1);
    expect(a.seqs('r1')).toEqual([1, 2, 3]);
    expect(b.seqs('r1')).toEqual([2, 3]);
  });

  it('tells the end of a run, also to a tab that comes after it', async () => {
    const a = tab();
    const b = tab();
    hub.receive(a.port, { type: 'watch', runId: 'r1', after: 0 });
    await settle();
    newest('/api/runs/r1/').write(sse('end', { status: 'failed' }));
    await settle();
    hub.receive(b.port, { type: 'watch', runId: 'r1', after: 0 });
    for (const { got } of [a, b]) expect(got).toContainEqual({ type: 'run-end', runId: 'r1', status: 'failed' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(to('/api/runs/r1/')).toHaveLength(1);
  });

  it('polls a run whose stream is refused for too many streams, and finds its end there', async () => {
    const { port, got, seqs } = tab();
    server.status = 503;
    stored.set('r1', [anEvent(1), anEvent(2, { kind: 'run.completed' })]);
    hub.receive(port, { type: 'watch', runId: 'r1', after: 0 });
    await settle();
    expect(seqs('r1')).toEqual([1, 2]);
    expect(got).toContainEqual({ type: 'run-end', runId: 'r1', status: 'completed' });
  });

  it('polls a run while its stream hangs, until the stream stands', async () => {
    const { port, seqs } = tab();
    server.status = 'hanging';
    stored.set('r1', [anEvent(1, { run_id: 'r1' })]);
    hub.receive(port, { type: 'watch', runId: 'r1', after: 0 });
    await vi.advanceTimersByTimeAsync(1500);
    expect(polls).toEqual([]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(seqs('r1')).toEqual([1]);
    server.status = null;
    await vi.advanceTimersByTimeAsync(25_000);
    newest('/api/runs/r1/').write(runEvent('r1', 2));
    await vi.advanceTimersByTimeAsync(5000);
    const count = polls.length;
    expect(seqs('r1')).toEqual([1, 2]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(polls.length).toBe(count);
  });

  it('tells that a run does not exist', async () => {
    const { port, got } = tab();
    server.status = 404;
    hub.receive(port, { type: 'watch', runId: 'nope', after: 0 });
    await settle();
    expect(got).toContainEqual({ type: 'run-refused', runId: 'nope', status: 404 });
  });

  it('does not take the 404 of a proxy for the end of a run, nor any refusal for the end of the changes', async () => {
    const { port, got, seqs } = tab();
    server.status = 404;
    server.own = false;
    hub.receive(port, { type: 'watch', runId: 'r1', after: 0 });
    await settle();
    expect(got.some(({ type }) => type === 'run-refused')).toBe(false);
    server.status = null;
    hub.receive(port, { type: 'reconnect' });
    await settle();
    newest('/api/runs/r1/').write(runEvent('r1', 1));
    await settle();
    expect(seqs('r1')).toEqual([1]);
    expect(got.findLast(({ type }) => type === 'connection')).toEqual({
      type: 'connection',
      connection: { kind: 'live' },
    });
  });

  it('passes heartbeats on', async () => {
    const { port, got } = tab();
    hub.receive(port, { type: 'watch', runId: 'r1', after: 0 });
    await settle();
    const heartbeat = { run_id: 'r1', step: 1, attempt: 1, output_tokens: 12, at: '2026-11-21T10:00:00.000Z' };
    newest('/api/runs/r1/').write(sse('heartbeat', heartbeat));
    await settle();
    expect(got).toContainEqual({ type: 'run-heartbeat', heartbeat });
  });

  it('closes a run stream when nobody looks any more, and all streams when the last tab is gone', async () => {
    const a = tab();
    const b = tab();
    hub.receive(a.port, { type: 'watch', runId: 'r1', after: 0 });
    hub.receive(b.port, { type: 'watch', runId: 'r1', after: 0 });
    await settle();
    hub.receive(a.port, { type: 'unwatch', runId: 'r1' });
    expect(newest('/api/runs/r1/').aborted).toBe(false);
    hub.receive(b.port, { type: 'bye' });
    expect(newest('/api/runs/r1/').aborted).toBe(true);
    expect(newest('/api/events').aborted).toBe(false);
    hub.receive(a.port, { type: 'bye' });
    expect(newest('/api/events').aborted).toBe(true);
  });

  it('drops a tab that has said nothing for three minutes, and keeps one that pings', async () => {
    const dead = tab();
    const living = tab();
    hub.receive(dead.port, { type: 'watch', runId: 'r1', after: 0 });
    hub.receive(living.port, { type: 'hello' });
    for (let minute = 0; minute < 5; minute += 1) {
      await vi.advanceTimersByTimeAsync(60_000);
      hub.receive(living.port, { type: 'ping' });
      for (const connection of server.connections.filter((each) => !each.aborted)) connection.write(': keep-alive\n\n');
    }
    expect(to('/api/runs/r1/').every((connection) => connection.aborted)).toBe(true);
    expect(newest('/api/events').aborted).toBe(false);
    expect(living.got).toContainEqual({ type: 'pong' });
    // A tab that wakes up after that hears that nothing is followed for it any more, and asks again.
    hub.receive(dead.port, { type: 'ping' });
    expect(dead.got.at(-1)).toEqual({ type: 'forgotten' });
    hub.receive(dead.port, { type: 'ping' });
    expect(dead.got.at(-1)).toEqual({ type: 'pong' });
    hub.receive(dead.port, { type: 'bye' });
    hub.receive(living.port, { type: 'bye' });
  });
});
