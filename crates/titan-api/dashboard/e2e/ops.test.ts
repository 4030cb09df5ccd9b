// Changes to Titan's own code in the hands of a person: the list, one proposal with its differences, gates and rollout, the
// orders, and the banner of a rollback that has failed.
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Proposal } from '../src/api/types';
import { cancelTask, untilFinished } from './support/api';
import { withBrowser } from './support/browser';
import { open, textOf } from './support/dashboard';
import { barriers, keepBoth, keepNarrow, overflows } from './support/page-checks';
import {
  COMMIT,
  forgetProposals,
  forgetRollouts,
  LAST_GOOD,
  propose,
  seedDiff,
  seedQuestion,
  seedRollout,
  seedStage,
  seedTarget,
} from './support/proposals';
import { isMarked, mark } from './support/recorder';
import { withApi, withOneWorker } from './support/stack';
import { until } from './support/until';

const browserTest = withBrowser();
const TREE = 'feedfeedfeed'.padEnd(40, '0');
const DIFF = `diff --git a/README.md b/README.md
index 1111111..2222222 100644
--- a/README.md
+++ b/README.md
@@ -1 +1,5 @@
-# Titan
+# My Project
+
+## Deployment
+
+...
diff --git a/docs/deploy.md b/docs/deploy.md
index 3333333..4444444 100644
--- a/docs/deploy.md
+++ b/docs/deploy.md
@@ -1,4 +1,5 @@
 # Deployment
-- build
-- start
+  - build
+  - start
+  - look whether it answers, and what: the commit, and that it is ready
 
`;
const README = {
  path: 'README.md',
  status: 'modified',
  additions: 5,
  deletions: 1,
  binary: false,
  verdict: 'allowed',
  pattern: 'README.md',
  reason: '"README.md" may be changed: ALLOWED_PATHS has "README.md"',
};
const DEPLOY = { ...README, path: 'docs/deploy.md', additions: 3, deletions: 2, pattern: 'docs/**' };
const SAMPLES = Array.from({ length: 8 }, (_, index) => index);
const metric = (name: string, phase: string, reason: string) => ({
  name,
  phase,
  reason,
  samples: 12,
  required: true,
  thresholds: ['success <= 0.05', 'failure > 0.2', 'no worse than the baseline by more than 0.25 x baseline + 0.03'],
  successful: 7,
  failed: 1,
  inconclusive: 0,
  no_data: 2,
  consecutive_no_data: 0,
  baseline: SAMPLES.map((index) => 0.01 + (index % 3) / 1000),
  canary: SAMPLES.map((index) => 0.01 + index / 500),
  comparison: null,
  measurements: SAMPLES.map((index) => ({
    at: new Date(Date.UTC(2026, 10, 23, 0, 0, index * 10)).toISOString(),
    phase: 'success',
    baseline: 0.01 + (index % 3) / 1000,
    canary: 0.01 + index / 500,
    reason: 'canary 0.01, baseline 0.01, threshold <= 0.05',
  })),
});
const MEASURING = {
  phase: 'running',
  reason: '16 of 24 samples',
  metrics: [
    metric('probe-errors', 'running', '8 of 12 samples; the last: canary 0.024, baseline 0.011, threshold <= 0.05'),
    metric('probe-latency', 'running', '8 of 12 samples; the last: canary 0.024, baseline 0.011'),
  ],
};
const INCONCLUSIVE = {
  phase: 'inconclusive',
  reason: 'probe-errors: 4 samples without data follow each other: the canary had 3 events, of at least 10',
  metrics: [
    metric('probe-errors', 'inconclusive', '4 samples without data follow each other: 3 events, of at least 10'),
    metric('probe-latency', 'success', '12 of 12 samples succeeded'),
  ],
};

let proposal: Proposal | undefined;

beforeAll(withApi);
beforeAll(() => withOneWorker());
beforeAll(forgetProposals);
afterAll(async () => {
  await forgetRollouts();
  if (proposal === undefined) return;
  await cancelTask(proposal.id);
  await untilFinished(proposal.id);
});

const one = (): Proposal => {
  if (proposal === undefined) throw new Error('nothing was proposed');
  return proposal;
};
const fileOf = (page: Page, path: string) => page.locator(`[data-testid="diff-file"][data-path="${path}"]`);
const row = (page: Page) => page.locator(`[data-testid="proposal-row"][data-proposal="${one().id}"]`);
const step = (page: Page, name: string) => page.locator(`[data-testid="rollout-step"][data-step="${name}"]`);
const order = (page: Page, name: string) => page.getByTestId('rollout').getByRole('button', { name, exact: true });
const openRollout = (page: Page) => open(page, `/ops/${one().id}?view=rollout`);

async function isWell(page: Page): Promise<void> {
  expect(await barriers(page)).toEqual([]);
  expect(await overflows(page)).toEqual([]);
  await page.setViewportSize({ width: 1280, height: 860 });
}

browserTest('an empty list says how a proposal is made, and a proposal appears by itself', async ({ page }) => {
  await open(page, '/projects');
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await page.waitForURL(/\/ops$/);
  await page.getByText('No proposals yet').waitFor();
  await page.getByTestId('production').getByText('TITAN_OPS_TARGET').waitFor();
  expect(await textOf(page.getByTestId('propose-command'))).toContain('/api/ops/propose');
  expect(await page.title()).toBe('Ops · Titan');
  await isWell(page);
  await keepBoth(page, 'ops-1-empty');
  await mark(page);
  proposal = await propose('Update README');
  await row(page).locator('[data-status="queued"]').first().waitFor();
  expect(await isMarked(page), 'the page was not reloaded').toBe(true);
});

browserTest('a proposal that no worker serves says so, and shows what was proposed', async ({ page }) => {
  await open(page, '/ops');
  await row(page).getByRole('link', { name: 'Update README' }).press('Enter');
  await page.waitForURL(new RegExp(`/ops/${one().id}$`));
  await page.getByRole('heading', { name: 'Update README', level: 1 }).waitFor();
  await page.getByTestId('hint').waitFor();
  const patch = page.getByTestId('proposed-patch');
  await patch.getByText('README.md').click();
  await patch.getByText('## Deployment').waitFor();
  expect(await page.title()).toBe(`Proposal ${one().id.replaceAll('-', '').slice(-8)} · Ops · Titan`);
  await isWell(page);
  await page.getByText('Gates', { exact: true }).click();
  await page.waitForURL(/view=gates/);
  await page.locator('[data-testid="gate"][data-gate="diff"]').waitFor();
  await isWell(page);
  await page.getByText('Audit', { exact: true }).click();
  await page.getByText('Nothing was done outside yet').waitFor();
  await isWell(page);
});

browserTest('addresses that lead nowhere', async ({ page, expectErrors }) => {
  expectErrors(/status of 40[04]/);
  for (const id of [randomUUID(), 'no-id-at-all']) {
    await open(page, `/ops/${id}`);
    await page.getByRole('heading', { name: 'This proposal does not exist' }).waitFor();
    expect(await barriers(page), id).toEqual([]);
  }
  await page.getByRole('link', { name: 'All proposals' }).click();
  await row(page).waitFor();
});

browserTest('a difference is viewed file by file, and its tick outlives the page', async ({ page }) => {
  const found = { branch: `titan/ops/${one().id}`, base_branch: 'main', base: LAST_GOOD, tree: TREE, now_item: null };
  await seedDiff(one(), DIFF);
  const risk = { risk: 'high', reasons: ['README.md: what everybody reads'], shifts: [], truncated: false };
  await seedStage(one(), 'diff', { ...found, ...risk, files: [README, DEPLOY] });
  await open(page, `/ops/${one().id}`);
  const file = fileOf(page, 'README.md');
  await file.locator('[data-line="added"]').first().waitFor();
  await file.getByText('Allowed', { exact: true }).waitFor();
  await isWell(page);
  await keepBoth(page, 'ops-2-diff');
  await file.getByRole('checkbox').check();
  await file.getByTestId('patch').waitFor({ state: 'detached' });
  await page.reload({ waitUntil: 'domcontentloaded' });
  await page.getByTestId('diff-summary').getByText('1 of 2 viewed').waitFor();
});

browserTest('differences are read by keys, beside each other, and without white space', async ({ page }) => {
  await open(page, '/ops');
  await row(page).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`/ops/${one().id}$`));
  const deploy = fileOf(page, 'docs/deploy.md');
  await deploy.getByTestId('patch').waitFor();
  for (const path of ['README.md', 'docs/deploy.md']) {
    await page.keyboard.press('j');
    await fileOf(page, path).locator('[data-opens]:focus').waitFor();
  }
  await page.keyboard.press('Enter');
  await deploy.getByTestId('patch').waitFor({ state: 'detached' });
  await page.keyboard.press('Enter');

  await page.getByRole('radiogroup', { name: 'Layout' }).getByText('Split').click();
  await deploy.getByTestId('split-patch').waitFor();
  expect(await deploy.locator('td[data-line="removed"]').count()).toBe(2);
  await isWell(page);
  await keepBoth(page, 'ops-2-split');
  await keepNarrow(page, 'ops-2-split');
  await page.getByRole('switch', { name: 'Ignore white space' }).press('Space');
  await until(
    'what only moved to be the same',
    async () => (await deploy.locator('td[data-line="removed"]').count()) === 0,
  );
  expect(await deploy.locator('td[data-line="added"]').count()).toBe(1);
  await page
    .getByTestId('file-index')
    .getByRole('button', { name: /README\.md/ })
    .click();
  await fileOf(page, 'README.md').locator('[data-opens]:focus').waitFor();

  await page.reload({ waitUntil: 'domcontentloaded' });
  await deploy.getByTestId('split-patch').waitFor();
  expect(await deploy.locator('td[data-line="removed"]').count(), 'white space counts again').toBe(2);
});

browserTest('a canary is watched, paused and resumed', async ({ page }) => {
  await seedStage(one(), 'patch', { branch: `titan/ops/${one().id}`, commit: COMMIT, tree: TREE });
  const commands = [{ command: 'cargo test --locked', seconds: 61.5, last: ['test result: ok. 12 passed'] }];
  const checks = { wanted: true, checks: [{ name: 'ci/build', state: 'passed', summary: 'All is well', page: null }] };
  await seedStage(one(), 'test', { tree: TREE, base: LAST_GOOD, commit: COMMIT, commands, checks });
  await seedStage(one(), 'pull request', { number: 12, page: 'https://forge.example/pulls/12', commit: COMMIT });
  await seedTarget();
  await seedRollout(one(), { state: 'canary', analysis: MEASURING });
  await open(page, `/ops/${one().id}?view=gates`);
  await page.getByTestId('command').getByText('cargo test --locked').waitFor();
  await isWell(page);
  await keepBoth(page, 'ops-3-gates');

  await openRollout(page);
  await step(page, 'Canary').getByText('Measuring').waitFor();
  await page.getByTestId('target').getByText('89ab89ab89ab').waitFor();
  expect(await page.getByTestId('metric-row').count()).toBe(2);
  await isWell(page);
  await keepBoth(page, 'ops-4-canary');
  expect(await order(page, 'Promote').isDisabled()).toBe(true);

  await order(page, 'Pause').press('Enter');
  const pause = page.getByRole('dialog', { name: 'Pause “Update README”' });
  expect(await barriers(page)).toEqual([]);
  await pause.getByRole('button', { name: 'Pause' }).click();
  await step(page, 'Canary').getByText('Paused by local').waitFor();
  await order(page, 'Resume').press('Enter');
  await page.getByRole('dialog', { name: 'Resume “Update README”' }).getByRole('button', { name: 'Resume' }).click();
  await step(page, 'Canary').getByText('Measuring').waitFor();
});

browserTest('an inconclusive analysis waits with Promote and Roll back', async ({ page }) => {
  await seedQuestion(one(), 'canary', `the analysis of ${COMMIT.slice(0, 12)} is inconclusive`);
  await seedRollout(one(), { state: 'paused', analysis: INCONCLUSIVE, reason: 'the analysis is inconclusive' });
  await open(page, '/ops');
  await row(page).getByText('Asks you:').waitFor();
  await isWell(page);
  await keepBoth(page, 'ops-5-asks');

  await openRollout(page);
  await page.getByTestId('verdict').getByText('Inconclusive:').waitFor();
  expect(await order(page, 'Roll back').isDisabled()).toBe(false);
  await isWell(page);
  await keepBoth(page, 'ops-6-inconclusive');
  await order(page, 'Promote').press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Promote “Update README”' });
  await dialog.getByText(/Commit 0123abcd4567 is merged into main as pull request 12 and goes to production/).waitFor();
  expect(await barriers(page)).toEqual([]);
  await dialog.getByRole('textbox', { name: 'Comment' }).fill('Nobody works at night.');
  await dialog.getByRole('button', { name: 'Promote' }).click();
  await dialog.waitFor({ state: 'detached' });
  const decision = page.getByTestId('decision');
  await decision.getByText('Nobody works at night.').waitFor();
  expect(await textOf(decision)).toContain('Approved by local');
  // The stage itself has no worker that would go on with it.
  await page.getByTestId('question').getByText('It goes on').waitFor();
  expect(await order(page, 'Promote').isDisabled()).toBe(true);
});

browserTest('a rollback that has failed stands on all pages', async ({ page }) => {
  await seedRollout(one(), { state: 'rollback_failed', analysis: INCONCLUSIVE, reason: 'production does not answer' });
  for (const path of ['/projects', '/queue']) {
    await open(page, path);
    await page.getByTestId('banner-rollback_failed').getByText('docs/OPS.md').waitFor();
  }
  expect(await barriers(page)).toEqual([]);
  await page.getByTestId('banner-rollback_failed').getByRole('link', { name: 'See the rollout' }).press('Enter');
  await page.waitForURL(new RegExp(`/ops/${one().id}\\?view=rollout`));
  await page.getByTestId('proposal-error').getByText('Production does not answer').waitFor();
  await step(page, 'Rollback failed').waitFor();
  await isWell(page);
  await keepBoth(page, 'ops-7-rollback-failed');

  await forgetRollouts();
  await open(page, '/projects');
  await until('pages without the banner', async () => (await page.getByTestId('banner-rollback_failed').count()) === 0);
});
