// Complete proposals and rollouts for tests, each changed where the test needs it.
import type { Ask, OpsStage, Proposal, Rollout } from '../api/types';

const AT = '2026-11-21T10:00:00.000Z';
/** So many minutes later. */
export const later = (minutes: number): string => new Date(Date.parse(AT) + minutes * 60_000).toISOString();

export const COMMIT = '0123abcd4567'.padEnd(40, '0');
export const GOOD = '89ab89ab89ab'.padEnd(40, '0');
export const TREE = 'feedfeedfeed'.padEnd(40, '0');

export const STAGES = ['diff', 'patch', 'test', 'pull request', 'canary', 'promote'] as const;

export const aStage = (name: string, over: Partial<OpsStage> = {}): OpsStage => ({
  name,
  status: 'pending',
  waiting_on: null,
  waiting_reason: null,
  attempt: 1,
  error: null,
  evidence: null,
  started_at: null,
  finished_at: null,
  ...over,
});

export const aFile = (path: string, over: object = {}) => ({
  path,
  status: 'modified',
  additions: 1,
  deletions: 1,
  binary: false,
  verdict: 'allowed',
  pattern: 'docs/**',
  reason: `"${path}" may be changed: ALLOWED_PATHS has "docs/**"`,
  ...over,
});

const EVIDENCE: Record<(typeof STAGES)[number], object> = {
  diff: {
    branch: 'titan/ops/p7',
    base_branch: 'main',
    base: GOOD,
    tree: TREE,
    now_item: 'Update README',
    files: [aFile('README.md', { pattern: 'README.md' }), aFile('docs/a.md', { additions: 3, deletions: 0 })],
    shifts: [],
    risk: 'medium',
    reasons: ['docs/a.md: documentation'],
    truncated: false,
  },
  patch: { branch: 'titan/ops/p7', commit: COMMIT, tree: TREE },
  test: {
    tree: TREE,
    base: GOOD,
    commit: COMMIT,
    commands: [{ command: 'cargo test --locked', seconds: 61.5, last: ['test result: ok. 12 passed'] }],
    checks: {
      wanted: true,
      checks: [{ name: 'ci/build', state: 'passed', summary: 'All is well', page: 'https://forge.example/1' }],
    },
  },
  'pull request': { number: 12, page: 'https://forge.example/pulls/12', commit: COMMIT },
  canary: { phase: 'success', reason: '2 of 2 metrics found the canary as good as it has to be' },
  promote: { merged_as: TREE, commit: COMMIT, target: 'local' },
};

/** The stages up to this one have passed, five minutes each. */
export const stagesUpTo = (last: (typeof STAGES)[number] | null, next: Partial<OpsStage> = {}): OpsStage[] => {
  const done = last === null ? 0 : STAGES.indexOf(last) + 1;
  return STAGES.map((name, index) => {
    const times = { started_at: later(index * 5), finished_at: later(index * 5 + 5) };
    if (index < done) return aStage(name, { status: 'completed', evidence: EVIDENCE[name], ...times });
    return aStage(name, index === done ? next : {});
  });
};

export const aProposal = (over: Partial<Proposal> = {}): Proposal => ({
  id: 'p7',
  title: 'Update README',
  description: '',
  author: 'token',
  now_item: null,
  base_commit: null,
  paths: ['README.md', 'docs/a.md'],
  state: 'running',
  reason: null,
  run_id: 'r7',
  project_id: '00007461-6e00-7000-8000-000000000001',
  stages: stagesUpTo(null),
  asks: null,
  rollout: null,
  decision: null,
  created_at: AT,
  ended_at: null,
  ...over,
});

export const anAsk = (over: Partial<Ask> = {}): Ask => ({
  gate: 'merge',
  subject: COMMIT,
  question: '0123abcd4567 is to be merged into main, and production (local) to run it',
  ...over,
});

export const aRollout = (over: Partial<Rollout> = {}): Rollout => ({
  id: 'o1',
  proposal_id: 'p7',
  run_id: 'r7',
  target: 'local',
  state: 'canary',
  reason: null,
  commit: COMMIT,
  last_good: GOOD,
  merged_as: null,
  pull_number: 12,
  analysis: null,
  paused_by: null,
  began_at: later(20),
  updated_at: later(24),
  ended_at: null,
  ...over,
});

export const aMetric = (name: string, over: object = {}) => ({
  name,
  phase: 'success',
  reason: '5 of 5 samples succeeded',
  samples: 5,
  required: true,
  thresholds: ['success <= 0.05'],
  successful: 5,
  failed: 0,
  inconclusive: 0,
  no_data: 0,
  consecutive_no_data: 0,
  baseline: [0.01, 0.012],
  canary: [0.011, 0.5],
  comparison: null,
  measurements: [
    { at: later(21), phase: 'success', baseline: 0.01, canary: 0.011, reason: 'canary 0.011' },
    { at: later(22), phase: 'success', baseline: 0.012, canary: 0.5, reason: 'canary 0.5' },
  ],
  ...over,
});

export const anAnalysis = (phase: string, reason: string, ...metrics: object[]) => ({ phase, reason, metrics });
