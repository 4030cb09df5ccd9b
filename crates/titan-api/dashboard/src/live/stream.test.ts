import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeStreams } from '../test/sse';
import { backoffDelay } from './backoff';
import { CONNECT_TIMEOUT_MS, EventStream, SILENCE_MS, type StreamMessage, type StreamState } from './stream';

let server: FakeStreams;
let messages: StreamMessage[];
let states: StreamState[];
let stream: EventStream | undefined;

function open(lastEventId?: string): void {
  stream = new EventStream({
    url: '/api/runs/r1/events',
    ...(lastEventId === undefined ? {} : { lastEventId }),
    fetch: server.fetch,
    isFinal: ({ status }) => status === 404,
    random: () => 0.5,
    onMessage: (message) => messages.push(message),
    onState: (state) => states.push(state),
  });
  stream.start();
}

const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeStreams();
  messages = [];
  states = [];
  stream = undefined;
});

afterEach(() => {
  stream?.stop();
  vi.useRealTimers();
});

describe('backoffDelay', () => {
  it('doubles from one second to thirty', () => {
    expect([1, 2, 3, 4, 5, 6, 20].map((failures) => backoffDelay(failures, () => 0.5))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ]);
  });

  it('varies by a quarter to both sides', () => {
    expect(backoffDelay(1, () => 0)).toBe(750);
    expect(backoffDelay(1, () => 1)).toBe(1250);
  });
});

describe('EventStream', () => {
  it('delivers events with id, name and data, also when they arrive in pieces', async () => {
    open();
    await settle();
    server.last.write('id: 7\nevent: run_ev');
    server.last.write('ent\ndata: {"a":1}\n\n');
    await settle();
    expect(messages).toEqual([{ id: '7', event: 'run_event', data: '{"a":1}' }]);
    expect(states.map((state) => state.kind)).toEqual(['connecting', 'open']);
  });

  it('sends no Last-Event-ID at first, and the one it was given if there is one', async () => {
    open();
    await settle();
    expect(server.last.headers.get('last-event-id')).toBeNull();
    stream?.stop();
    open('12');
    await settle();
    expect(server.last.headers.get('last-event-id')).toBe('12');
  });

  it('reconnects after the server closed and resumes at the last id', async () => {
    open();
    await settle();
    server.last.write('id: 41\ndata: x\n\n');
    await settle();
    server.last.end();
    await settle();
    expect(states.at(-1)).toMatchObject({ kind: 'waiting', failures: 1 });
    expect(server.connections).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(server.connections).toHaveLength(2);
    expect(server.last.headers.get('last-event-id')).toBe('41');
  });

  it('takes a connection for dead after 40 s without a byte', async () => {
    open();
    await settle();
    const first = server.last;
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1000);
    expect(first.aborted).toBe(false);
    first.write(': keep-alive\n\n');
    await settle();
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1000);
    expect(first.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1500);
    expect(first.aborted).toBe(true);
    expect(states.at(-1)?.kind).toBe('waiting');
  });

  it('waits longer after each failure and starts over once a byte came', async () => {
    server.status = 'unreachable';
    open();
    await settle();
    await vi.advanceTimersByTimeAsync(1000);
    await vi.advanceTimersByTimeAsync(2000);
    expect(states.at(-1)).toMatchObject({ kind: 'waiting', failures: 3 });
    server.status = null;
    await vi.advanceTimersByTimeAsync(4000);
    server.last.write(': hello\n\n');
    await settle();
    server.last.fail();
    await settle();
    expect(states.at(-1)).toMatchObject({ kind: 'waiting', failures: 1 });
  });

  it('gives up on a refusal that trying again cannot change', async () => {
    server.status = 404;
    open();
    await settle();
    expect(states.at(-1)).toEqual({ kind: 'refused', status: 404 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states.filter((state) => state.kind === 'connecting')).toHaveLength(1);
  });

  it('waits after any other refusal, and goes on when asked', async () => {
    server.status = 403;
    open();
    await settle();
    expect(states.at(-1)).toMatchObject({ kind: 'waiting', status: 403 });
    server.status = null;
    stream?.reconnectNow();
    await settle();
    expect(states.at(-1)).toEqual({ kind: 'open' });
  });

  it('is open with the first byte, not with the head of the answer', async () => {
    server.buffered = true;
    open();
    await settle();
    expect(states.map(({ kind }) => kind)).toEqual(['connecting']);
    await vi.advanceTimersByTimeAsync(CONNECT_TIMEOUT_MS);
    expect(states.at(-1)).toMatchObject({ kind: 'waiting', failures: 1 });
    await vi.advanceTimersByTimeAsync(1000);
    server.last.write(': at last\n\n');
    await settle();
    expect(states.at(-1)).toEqual({ kind: 'open' });
  });

  it('tries again after 503 and says so', async () => {
    server.status = 503;
    open();
    await settle();
    expect(states.at(-1)).toMatchObject({ kind: 'waiting', status: 503 });
  });

  it('reconnects at once when asked, and only then', async () => {
    server.status = 'unreachable';
    open();
    await settle();
    server.status = null;
    stream?.reconnectNow();
    stream?.reconnectNow();
    await settle();
    expect(server.connections).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(server.connections).toHaveLength(1);
  });

  it('is silent after it was stopped', async () => {
    open();
    await settle();
    const connection = server.last;
    stream?.stop();
    const before = states.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection.aborted).toBe(true);
    expect(states).toHaveLength(before);
    expect(server.connections).toHaveLength(1);
  });
});
