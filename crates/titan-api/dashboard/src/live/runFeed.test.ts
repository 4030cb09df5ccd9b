import { describe, expect, it } from 'vitest';
import { aDelta, anEvent } from '../test/fixtures';
import { EMPTY_SNAPSHOT, RunFeed } from './runFeed';

function feedWithFrames() {
  const frames: (() => void)[] = [];
  const feed = new RunFeed('r1', (callback) => frames.push(callback));
  const flush = () => {
    for (const frame of frames.splice(0)) frame();
  };
  return { feed, frames, flush };
}

describe('RunFeed', () => {
  it('announces a burst of events once per frame', () => {
    const { feed, frames, flush } = feedWithFrames();
    let calls = 0;
    feed.subscribe(() => {
      calls += 1;
    });
    for (let seq = 1; seq <= 50; seq += 1) {
      feed.receive({ type: 'run-events', runId: 'r1', events: [aDelta(seq, seq - 1, 'x')] });
    }
    expect(frames).toHaveLength(1);
    flush();
    expect(calls).toBe(1);
    expect(feed.snapshot().text).toBe('x'.repeat(50));
  });

  it('keeps its snapshot until something changed, so that React renders nothing in vain', () => {
    const { feed, flush } = feedWithFrames();
    expect(feed.snapshot()).toBe(EMPTY_SNAPSHOT);
    feed.receive({ type: 'run-events', runId: 'r1', events: [anEvent(1)] });
    flush();
    const snapshot = feed.snapshot();
    expect(feed.snapshot()).toBe(snapshot);
    expect(snapshot).not.toBe(EMPTY_SNAPSHOT);
  });

  it('takes each event once, however often it is sent', () => {
    const { feed, flush } = feedWithFrames();
    feed.receive({ type: 'run-events', runId: 'r1', events: [anEvent(1), anEvent(2)] });
    feed.receive({ type: 'run-events', runId: 'r1', events: [anEvent(1), anEvent(2), anEvent(3)] });
    flush();
    expect(feed.snapshot().events.map((event) => event.seq)).toEqual([1, 2, 3]);
    expect(feed.lastSeq).toBe(3);
  });

  it('ignores a late heartbeat of a killed attempt', () => {
    const { feed, flush } = feedWithFrames();
    const beat = (attempt: number, tokens: number) => ({
      type: 'run-heartbeat' as const,
      heartbeat: { run_id: 'r1', step: 1, attempt, output_tokens: tokens, at: '2026-11-21T10:00:00.000Z' },
    });
    feed.receive(beat(2, 5));
    feed.receive(beat(1, 90));
    flush();
    expect(feed.snapshot().heartbeat?.output_tokens).toBe(5);
  });

  it('tells the end of the run and a refusal', () => {
    const { feed, flush } = feedWithFrames();
    feed.receive({ type: 'run-end', runId: 'r1', status: 'canceled' });
    feed.receive({ type: 'run-refused', runId: 'r1', status: 404 });
    flush();
    expect(feed.snapshot()).toMatchObject({ endStatus: 'canceled', refused: 404 });
  });
});
