import { describe, expect, it } from 'vitest';
import type { Setup } from '../api/types';
import { aRollout, later } from '../test/proposals';
import { notices } from './Banner';
import { describeConnection } from './ConnectionPill';
import { logSearch, outputSearch, queueSearch, runSearch, taskSearch } from './search';

const setup = (over: Partial<Setup>): Setup => ({
  items: [],
  worker_running: true,
  default_provider: 'openai',
  ...over,
});

describe('banner', () => {
  it('is absent when all is well', () => {
    expect(notices({ kind: 'live' }, setup({}))).toEqual([]);
    expect(notices({ kind: 'connecting' }, undefined)).toEqual([]);
  });

  it('puts the most serious thing first', () => {
    const all = notices(
      { kind: 'offline', since: 0, retryAt: 0 },
      setup({ worker_running: false, default_provider: 'offline' }),
    );
    expect(all.map((notice) => notice.code)).toEqual(['offline', 'no_worker', 'offline_answers']);
  });
});

describe('a rollback that has failed', () => {
  const failed = aRollout({ state: 'rollback_failed', proposal_id: 'p7' });
  const codes = (...rollouts: (typeof failed)[]) => notices({ kind: 'live' }, setup({}), rollouts);

  it('is told on all pages, with the target, the proposal and the runbook', () => {
    const [notice] = codes(failed);
    expect(notice).toMatchObject({ code: 'rollback_failed', family: 'bad', proposalId: 'p7' });
    expect(notice?.text).toContain('on local');
    expect(notice?.text).toContain('docs/OPS.md');
  });

  it('stands behind nothing but a server that cannot be reached', () => {
    const all = notices({ kind: 'offline', since: 0, retryAt: 0 }, setup({ worker_running: false }), [failed]);
    expect(all.map((notice) => notice.code)).toEqual(['offline', 'rollback_failed', 'no_worker']);
  });

  it('is over with whatever is moved at the same target after it, and with no other', () => {
    const at = (minutes: number, over: object) => aRollout({ state: 'promoted', updated_at: later(minutes), ...over });
    expect(codes(at(25, {}), failed)).toEqual([]);
    expect(codes(at(25, { target: 'render' }), failed)).toHaveLength(1);
    // One that began later and ended before: the failure is the last word.
    expect(codes(at(23, {}), failed)).toHaveLength(1);
    expect(codes()).toEqual([]);
  });
});

describe('connection pill', () => {
  it('says since when the data is old', () => {
    const since = Date.parse('2026-11-21T14:02:10');
    const look = describeConnection({ kind: 'offline', since, retryAt: since + 4000 }, since + 1000);
    expect(look.label).toBe('Offline, data from 14:02:10');
    expect(look.detail).toContain('in 3 s');
  });

  it('has words of its own for polling', () => {
    expect(describeConnection({ kind: 'polling' }, 0).label).toBe('Live by polling');
  });
});

describe('search parameters', () => {
  it('keep what is known and drop the rest', () => {
    expect(logSearch({ level: 'warn', q: 'boom', other: 1 })).toEqual({ level: 'warn', q: 'boom' });
    expect(logSearch({ level: 'loud', q: '' })).toEqual({});
    expect(outputSearch({ segment: 'memory', review: 'maybe', output: 'o1' })).toEqual({
      segment: 'memory',
      output: 'o1',
    });
    expect(runSearch({ view: 'graph' })).toEqual({});
    expect(taskSearch({ task: ['a'] })).toEqual({});
  });

  it('name the jobs of the queue page', () => {
    const full = { state: 'dead', queue: 'mail', kind: 'chat.answer', project: 'p1' };
    expect(queueSearch({ ...full, task: 't1' })).toEqual(full);
    expect(queueSearch({ state: 'history', queue: '', kind: 7, project: null })).toEqual({ kind: '7' });
    expect(queueSearch({})).toEqual({});
  });

  it('read a search for a number as text', () => {
    expect(logSearch({ q: 404 })).toEqual({ q: '404' });
  });
});
