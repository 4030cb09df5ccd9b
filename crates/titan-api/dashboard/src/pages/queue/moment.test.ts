import { describe, expect, it } from 'vitest';
import { aJob } from '../../test/fixtures';
import { momentOf } from './moment';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

describe('the time that matters about a job', () => {
  it.each([
    ['ready', { run_at: at(-42) }, 'since 42 s ago'],
    ['scheduled', { run_at: at(90), attempt: 0 }, 'begins in 1 min'],
    ['scheduled', { run_at: at(5), attempt: 1 }, 'next try in 5 s'],
    ['running', { created_at: at(-120) }, 'came 2 min ago'],
    ['dead', { finished_at: at(-3600) }, 'ended 1 h ago'],
    ['completed', { finished_at: at(-30) }, 'ended 30 s ago'],
  ] as const)('of one that is %s', (state, over, words) => {
    expect(momentOf(aJob({ state, ...over }), NOW).words).toBe(words);
  });
});
