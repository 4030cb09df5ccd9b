import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { anEvent } from '../test/fixtures';
import { LiveClient, nextFrame } from './client';
import type { FromHub, ToHub } from './protocol';
import type { Receive, Transport } from './transport';

interface FakeTransport extends Transport {
  sent: ToHub[];
  closed: boolean;
  answer: (message: FromHub) => void;
  break: () => void;
}

let opened: FakeTransport[];
let changes: unknown[];
let resyncs: number;
let client: LiveClient;

function make(shared: boolean, receive: Receive, onBroken: () => void = () => undefined): FakeTransport {
  const transport: FakeTransport = {
    shared,
    sent: [],
    closed: false,
    send: (message) => transport.sent.push(message),
    close: () => {
      transport.closed = true;
    },
    answer: receive,
    break: onBroken,
  };
  opened.push(transport);
  return transport;
}

const last = (): FakeTransport => {
  const transport = opened.at(-1);
  if (transport === undefined) throw new Error('nothing was opened');
  return transport;
};

function start(withShared: boolean): void {
  client = new LiveClient(
    {
      change: (hint) => changes.push(hint),
      resync: () => {
        resyncs += 1;
      },
    },
    {
      shared: (receive, onBroken) => (withShared ? make(true, receive, onBroken) : null),
      local: (receive) => make(false, receive),
    },
    (callback) => callback(),
  );
  client.start();
}

beforeEach(() => {
  vi.useFakeTimers();
  opened = [];
  changes = [];
  resyncs = 0;
});

afterEach(() => {
  client.stop();
  vi.useRealTimers();
});

describe('LiveClient', () => {
  it('uses the shared hub where there is one, else its own', () => {
    start(true);
    expect(opened.map((transport) => transport.shared)).toEqual([true]);
    client.stop();
    opened = [];
    start(false);
    expect(opened.map((transport) => transport.shared)).toEqual([false]);
  });

  it('watches a run once for any number of listeners and stops with the last', () => {
    start(true);
    const first = client.watchRun('r1', () => undefined);
    const second = client.watchRun('r1', () => undefined);
    expect(last().sent.filter((message) => message.type === 'watch')).toEqual([
      { type: 'watch', runId: 'r1', after: 0 },
    ]);
    first();
    expect(last().sent.some((message) => message.type === 'unwatch')).toBe(false);
    second();
    expect(last().sent.at(-1)).toEqual({ type: 'unwatch', runId: 'r1' });
  });

  it('hands events to the run they belong to', () => {
    start(true);
    client.watchRun('r1', () => undefined);
    last().answer({ type: 'run-events', runId: 'r1', events: [anEvent(1)] });
    last().answer({ type: 'run-events', runId: 'other', events: [anEvent(1)] });
    expect(client.peek('r1').events).toHaveLength(1);
    expect(client.peek('other').events).toHaveLength(0);
  });

  it('tells listeners about the connection, hints and resyncs', () => {
    start(true);
    const seen: string[] = [];
    client.onConnection(() => seen.push(client.getConnection().kind));
    last().answer({ type: 'connection', connection: { kind: 'live' } });
    last().answer({ type: 'change', hint: { kind: 'task', id: 't1', project_id: 'p1', run_id: null, seq: null } });
    last().answer({ type: 'resync' });
    expect(seen).toEqual(['live']);
    expect(changes).toHaveLength(1);
    expect(resyncs).toBe(1);
  });

  it('keeps its own hub when the shared one cannot start, and goes on where it was', () => {
    start(true);
    client.watchRun('r1', () => undefined);
    const broken = last();
    broken.answer({ type: 'run-events', runId: 'r1', events: [anEvent(1), anEvent(2)] });
    broken.break();
    expect(broken.closed).toBe(true);
    expect(last().shared).toBe(false);
    expect(last().sent).toContainEqual({ type: 'watch', runId: 'r1', after: 2 });
    expect(resyncs).toBe(1);
  });

  it('asks again for everything when the hub has forgotten it', () => {
    start(true);
    client.watchRun('r1', () => undefined);
    last().answer({ type: 'run-events', runId: 'r1', events: [anEvent(1)] });
    last().answer({ type: 'forgotten' });
    expect(last().sent.slice(-2)).toEqual([{ type: 'hello' }, { type: 'watch', runId: 'r1', after: 1 }]);
    expect(resyncs).toBe(1);
  });

  it('gives a shared hub up that answers no ping any more', () => {
    start(true);
    vi.advanceTimersByTime(10_000);
    expect(opened).toHaveLength(1);
    vi.advanceTimersByTime(10_000);
    expect(opened.map((transport) => transport.shared)).toEqual([true, false]);
  });

  it('stays with a shared hub that slept with the machine', () => {
    start(true);
    const answer = () => last().answer({ type: 'pong' });
    vi.advanceTimersByTime(5000);
    answer();
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(5000);
    answer();
    vi.advanceTimersByTime(5000);
    expect(opened.map((transport) => transport.shared)).toEqual([true]);
    expect(resyncs).toBe(0);
  });

  it('lets its own hub rest in a hidden tab and wakes it again', () => {
    start(false);
    const visibility = vi.spyOn(document, 'visibilityState', 'get');
    visibility.mockReturnValue('hidden');
    document.dispatchEvent(new Event('visibilitychange'));
    vi.advanceTimersByTime(21_000);
    expect(last().sent.at(-1)).toEqual({ type: 'bye' });
    vi.advanceTimersByTime(60_000);
    expect(last().sent.at(-1)).toEqual({ type: 'bye' });
    visibility.mockReturnValue('visible');
    document.dispatchEvent(new Event('visibilitychange'));
    expect(last().sent.at(-1)).toEqual({ type: 'hello' });
    visibility.mockRestore();
  });
});

describe('nextFrame', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('calls once with the frame, and without one soon', () => {
    vi.useFakeTimers();
    const called = vi.fn();
    nextFrame(called);
    vi.advanceTimersByTime(1000);
    expect(called).toHaveBeenCalledTimes(1);

    vi.spyOn(window, 'requestAnimationFrame').mockReturnValue(1);
    nextFrame(called);
    vi.advanceTimersByTime(200);
    expect(called).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(100);
    expect(called).toHaveBeenCalledTimes(2);
  });
});
