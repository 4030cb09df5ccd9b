import { describe, expect, it } from 'vitest';
import type { Setup, SetupItem } from '../../api/types';
import { answersOffline, groupSetup } from './setupGroups';

const item = (variable: string, provider: string | null, main: boolean, set = false): SetupItem => ({
  variable,
  provider,
  main,
  set,
  needed_for: 'answers',
});
const items = [
  item('A_KEY', 'A', true),
  item('A_URL', 'A', false),
  item('B_KEY', 'B', true),
  item('B_URL', 'B', false, true),
  item('MODEL', null, false),
];
const setup = (default_provider: string | null): Setup => ({ items, worker_running: true, default_provider });

describe('the setup in groups', () => {
  it('is one line for each provider, what is set first, and the rest apart', () => {
    const { providers, others } = groupSetup(setup(null));
    expect(providers.map(({ title, main, set }) => [title, main.variable, set])).toEqual([
      ['B', 'B_KEY', true],
      ['A', 'A_KEY', false],
    ]);
    expect(others.map(({ variable }) => variable)).toEqual(['A_URL', 'B_URL', 'MODEL']);
  });

  it('knows whether a model answers', () => {
    expect([null, 'offline', 'openai'].map((name) => answersOffline(setup(name)))).toEqual([true, true, false]);
  });
});
