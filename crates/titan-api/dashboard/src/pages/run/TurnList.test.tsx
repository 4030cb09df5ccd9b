import { screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Call } from '../../api/types';
import { EMPTY_SNAPSHOT } from '../../live/runFeed';
import { aCall, anEvent, aRun } from '../../test/fixtures';
import { fakeServer, json, renderPage } from '../../test/render';
import { TurnList } from './TurnList';
import type { RunEvents } from './useRunEvents';

const aFeed = (over: Partial<RunEvents> = {}): RunEvents => ({
  events: [],
  text: '',
  attempt: 1,
  live: false,
  snapshot: EMPTY_SNAPSHOT,
  error: null,
  pending: false,
  hasMore: false,
  loadMore: () => undefined,
  retry: () => undefined,
  ...over,
});

async function show(calls: Call[], feed: Partial<RunEvents> = {}) {
  const server = fakeServer({ 'GET /api/runs/r1/calls': () => json({ items: calls, next_cursor: null }) });
  vi.stubGlobal('fetch', server.fetch);
  await renderPage(<TurnList run={aRun()} feed={aFeed(feed)} />);
  return (await screen.findAllByTestId('turn-card')).map((card) => card.textContent ?? '');
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the turns of a run', () => {
  it('say what was asked, what came of it and what it took', async () => {
    const [card] = await show([aCall({ cached_tokens: 900, finish_reason: 'length' })], {
      events: [anEvent(1, { data: { call_id: 'c1', messages: 3 } })],
    });
    for (const words of [
      'Answered',
      'openai small',
      'Tokens in1.2k 900 cached',
      'Tokens out340',
      'Cost$0.0042',
      'First token420 ms',
      'Duration3.1 s',
      'Ended bylength',
      'Sent with it: 3 messages',
    ]) {
      expect(card).toContain(words);
    }
    expect(screen.getByTestId('turn-count').textContent).toContain('1 call');
  });

  it('mark a fallback, a failure and guesses', async () => {
    const failed = aCall({ id: 'a', state: 'failed', error: 'the server answered 500', cost: null });
    const stood = aCall({ id: 'b', provider: 'ollama', fallback: 1, estimated: true, attempt: 2 });
    const [first, second] = await show([failed, stood]);
    expect(first).toContain('the server answered 500');
    expect(first).toContain('Costnot known');
    expect(second).toContain('instead of openai:small');
    expect(second).toContain('attempt 2');
    expect(second).toContain('about 1.2k');
  });

  it('explain a lost call', async () => {
    const [card] = await show([aCall({ state: 'lost', cost: null, duration_ms: null })]);
    expect(card).toContain('Whether it was answered nobody knows, so it counts as made.');
  });

  it('show the signs of life of the open one, and warn when there is none', async () => {
    const open = aCall({ state: 'open', created_at: new Date(Date.now() - 8000).toISOString() });
    const heartbeat = { run_id: 'r1', step: 1, attempt: 1, output_tokens: 1240, elapsed_ms: 8000 };
    const [card] = await show([open], {
      live: true,
      snapshot: { ...EMPTY_SNAPSHOT, heartbeat: heartbeat as never, lastSignal: Date.now() - 7000 },
    });
    expect(card).toMatch(/8\.\d s so far, 1,240 tokens, no signal for 7\.\d s/);
  });
});
