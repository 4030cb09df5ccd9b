import { describe, expect, it } from 'vitest';
import type { JobFilter } from '../../api/calls';
import { queueSearch } from '../../app/search';
import { aQueue } from '../../test/fixtures';
import { bulkActions, bulkFilter, filterInWords, jobsInWords, onTab, TABS, tabCount, tabOf, withPart } from './filter';

const narrowed: JobFilter = { queue: 'mail', kind: 'send', project: 'p1' };

describe('tabs and the address', () => {
  it('lead to each other and back for every tab, and keep the rest of the filter', () => {
    for (const { tab } of TABS) {
      const address = queueSearch({ ...onTab({ ...narrowed, state: 'running' }, tab) });
      expect(tabOf(address), tab).toBe(tab);
      expect(address).toMatchObject(narrowed);
    }
  });

  it('put each outcome under History', () => {
    for (const state of ['completed', 'failed', 'canceled'] as const) expect(tabOf({ state })).toBe('history');
  });

  it('have no state for all active jobs, so that the shortest address shows them', () => {
    expect(onTab({ state: 'dead' }, 'active')).toEqual({});
  });
});

describe('withPart', () => {
  it('sets, replaces and takes out', () => {
    expect(withPart({ state: 'ready' }, 'kind', ' chat ')).toEqual({ state: 'ready', kind: 'chat' });
    expect(withPart({ kind: 'chat' }, 'kind', 'send')).toEqual({ kind: 'send' });
    expect(withPart({ state: 'ready', kind: 'chat' }, 'kind', '  ')).toEqual({ state: 'ready' });
  });
});

describe('what is sent for many jobs', () => {
  it('names each part as the API calls it', () => {
    expect(bulkFilter({ ...narrowed, state: 'ready' }, 'cancel')).toEqual({
      state: 'ready',
      queue: 'mail',
      kind: 'send',
      project_id: 'p1',
    });
  });

  it('says so when everything is meant', () => {
    expect(bulkFilter({}, 'cancel')).toEqual({ all: true });
    expect(bulkFilter({ state: 'dead' }, 'redrive')).toEqual({ all: true });
  });

  it('offers only what the state allows', () => {
    expect(bulkActions('dead')).toEqual(['redrive']);
    expect(bulkActions('scheduled')).toEqual(['retry', 'cancel']);
    expect(bulkActions('running')).toEqual(['cancel']);
    expect(bulkActions('history')).toEqual([]);
  });
});

describe('words', () => {
  it('count what the action is about', () => {
    expect(jobsInWords(1, 'ready', 'cancel')).toBe('1 ready job');
    expect(jobsInWords(1240, 'dead', 'redrive')).toBe('1,240 dead letters');
    expect(jobsInWords(3, 'active', 'retry')).toBe('3 scheduled jobs');
  });

  it('name every part of the filter, the project by its name', () => {
    expect(filterInWords(narrowed, 'Shop')).toBe('in the queue “mail”, of the kind “send”, of the project “Shop”');
    expect(filterInWords({ project: 'p1' }, undefined)).toBe('of the project “p1”');
    expect(filterInWords({ state: 'ready' }, undefined)).toBe('in all queues, of all kinds and projects');
  });
});

describe('the number on a tab', () => {
  const queues = [
    aQueue({ name: 'mail', ready: 3, scheduled: 2, waiting: 1, running: 4, dead: 5 }),
    aQueue({ name: 'default', ready: 10, dead: 1 }),
  ];

  it('sums the queues that are meant', () => {
    expect(tabCount('ready', {}, queues)).toBe(13);
    expect(tabCount('active', { queue: 'mail' }, queues)).toBe(10);
    expect(tabCount('dead', { state: 'ready' }, queues)).toBe(6);
  });

  it('is absent where the queues cannot tell', () => {
    expect(tabCount('ready', { kind: 'send' }, queues)).toBeNull();
    expect(tabCount('ready', { project: 'p1' }, queues)).toBeNull();
    expect(tabCount('history', {}, queues)).toBeNull();
    expect(tabCount('ready', {}, undefined)).toBeNull();
  });
});
