// A rollout played by a person through the pages: a forge over a real repository, Titan's own daemons as production and canary, and
// the one worker that serves both. Nothing but the proposal itself is ordered past the pages.
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Proposal } from '../src/api/types';
import { withBrowser } from './support/browser';
import { open, textOf } from './support/dashboard';
import { barriers, keepBoth, keepNarrow, overflows } from './support/page-checks';
import { forgetProposals, propose } from './support/proposals';
import { isMarked, mark } from './support/recorder';
import { harmedApi, Site } from './support/site';
import { withApi } from './support/stack';

const browserTest = withBrowser();
/** A stage, or a deployment with its analysis. */
const STAGE_MS = 60_000;
/** On a machine that does nothing else, a test takes half a minute. A wait is to fail before its test does. */
const TEST_MS = 300_000;
/** A forge, a deployment and a worker. */
const SITE_MS = 300_000;

const site = new Site();

beforeAll(withApi);
beforeAll(forgetProposals);
beforeAll(() => site.begin(), SITE_MS);
afterAll(async () => {
  try {
    expect(await site.violations(), 'what the documents of the forge forbid').toEqual([]);
  } finally {
    try {
      await site.end();
    } finally {
      await forgetProposals();
    }
  }
}, SITE_MS);

const short = (commit: string) => commit.slice(0, 12);
const row = (page: Page, { id }: Proposal) => page.locator(`[data-testid="proposal-row"][data-proposal="${id}"]`);
const view = (page: Page, name: string) =>
  page.getByRole('radiogroup', { name: 'View' }).getByText(name, { exact: true });
const gate = (page: Page, name: string) => page.locator(`[data-testid="gate"][data-gate="${name}"]`);
const state = (page: Page, name: string) => page.locator(`[data-testid="proposal-title"] > [data-status="${name}"]`);
const step = (page: Page, name: string) => page.locator(`[data-testid="rollout-step"][data-step="${name}"]`);
/** Why it failed, and that this was undone. */
const undone = (page: Page) =>
  page.getByTestId('proposal-error').filter({ hasText: 'production (local) is as it was' });
const question = (page: Page) => page.getByTestId('question');
const order = (page: Page, name: string) => page.getByTestId('rollout').getByRole('button', { name, exact: true });
const soon = { timeout: STAGE_MS };

/** The top line says that production runs this commit and is well. */
const runs = (page: Page, commit: string) =>
  page
    .getByTestId('target')
    .filter({ hasText: short(commit) })
    .filter({ has: page.locator('[data-status="healthy"]') })
    .waitFor(soon);

/** Presses a button that opens a dialog, and in there the one of the same name. */
async function confirm(page: Page, button: Locator, verb: string, title: string, fields: Record<string, string> = {}) {
  await button.press('Enter');
  const dialog = page.getByRole('dialog', { name: `${verb} “${title}”` });
  for (const [name, text] of Object.entries(fields)) await dialog.getByRole('textbox', { name }).fill(text);
  await dialog.getByRole('button', { name: verb, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

/** From the list to the page of a proposal that was just made, which is not reloaded any more. */
async function follow(page: Page, title: string, more: object = {}): Promise<Proposal> {
  await open(page, '/ops');
  await mark(page);
  const proposal = await propose(title, more);
  await row(page, proposal).getByRole('link', { name: title }).press('Enter');
  await page.getByRole('heading', { name: title, level: 1 }).waitFor();
  return proposal;
}

async function isWell(page: Page): Promise<void> {
  expect(await barriers(page)).toEqual([]);
  expect(await overflows(page)).toEqual([]);
}

browserTest(
  'a proposal is watched from the call to production, and taken back',
  async ({ page }) => {
    await open(page, '/ops');
    await runs(page, site.first);
    await follow(page, 'Update README');
    await view(page, 'Gates').click();
    for (const name of ['diff', 'patch', 'test', 'pull request', 'canary'])
      await gate(page, name).locator('[data-status="completed"]').first().waitFor(soon);
    await keepBoth(page, 'rollout-1-gates');

    await view(page, 'Diff').click();
    await page.getByTestId('diff-file').locator('[data-line="added"]', { hasText: '## Deployment' }).waitFor();
    await page.getByRole('checkbox', { name: 'Viewed: README.md' }).press('Space');
    await page.getByTestId('diff-summary').getByText('1 of 1 viewed').waitFor();
    await view(page, 'Rollout').click();
    await step(page, 'Approval').getByText('Needs approval').waitFor(soon);
    expect(await page.getByTestId('metric-row').count()).toBe(2);
    await page.locator('[data-metric="probe-errors"]').getByText('success <= 0.01').waitFor();
    await isWell(page);
    await keepBoth(page, 'rollout-2-asks');
    await keepNarrow(page, 'rollout-2-asks');
    await runs(page, site.first);

    const promote = question(page).getByRole('button', { name: 'Promote' });
    await confirm(page, promote, 'Promote', 'Update README', { Comment: 'It says what I asked for.' });
    await state(page, 'promoted').waitFor(soon);
    const merged = await site.main();
    await runs(page, merged);
    expect(await site.production()).toBe(merged);
    await page.getByTestId('decision').getByText('It says what I asked for.').waitFor();
    await keepBoth(page, 'rollout-3-promoted');

    await confirm(page, order(page, 'Roll back'), 'Roll back', 'Update README', { Reason: 'The wording is not ours.' });
    await state(page, 'rolled_back').waitFor(soon);
    await runs(page, site.first);
    await step(page, 'Rolled back').getByText('The wording is not ours; pull request 2 takes').waitFor();
    await keepBoth(page, 'rollout-4-taken-back');
    await keepNarrow(page, 'rollout-4-taken-back');
    expect(await isMarked(page), 'the page was not reloaded').toBe(true);

    expect(await site.production()).toBe(site.first);
    expect(await site.main(), 'a person merges what takes it back').toBe(merged);
    expect(await site.fileOnMain('README.md')).toContain('## Deployment');
    expect((await site.pulls()).map((pull) => pull.state)).toEqual(['closed', 'open']);
  },
  TEST_MS,
);

browserTest(
  'a build that answers with errors never comes to production, and the page says why',
  async ({ page }) => {
    const main = await site.main();
    await follow(page, 'Another API', { description: '', now: 'Update README', patches: [await harmedApi()] });
    await confirm(page, question(page).getByRole('button', { name: 'Approve' }), 'Approve', 'Another API');
    await undone(page).getByText('The canary failed: probe-errors: 2 of 2 samples failed').waitFor(soon);
    await state(page, 'failed').waitFor();
    await keepBoth(page, 'rollout-5-bad');
    await view(page, 'Rollout').click();
    await page
      .getByTestId('verdict')
      .getByText(/Failure: .*Probe-errors: 2 of/)
      .waitFor();
    await step(page, 'Rolled back').getByText('Production is as it was').waitFor();
    await runs(page, site.first);
    await isWell(page);
    await keepBoth(page, 'rollout-6-why');
    await keepNarrow(page, 'rollout-6-why');
    expect(await isMarked(page), 'the page was not reloaded').toBe(true);

    expect(await site.production()).toBe(site.first);
    expect(await site.main()).toBe(main);
    expect(await site.canary()).toEqual([]);
  },
  TEST_MS,
);

browserTest(
  'a canary is paused, goes on, and is rejected',
  async ({ page }) => {
    const main = await site.main();
    const content = '# Our Project\n\n## Deployment\n\nBy hand.\n';
    await follow(page, 'Update README', { description: '', patches: [{ path: 'README.md', content }] });
    await view(page, 'Rollout').click();
    await page.locator('[data-testid="rollout-step"][aria-current="step"]').waitFor(soon);
    await confirm(page, order(page, 'Pause'), 'Pause', 'Update README');
    const current = page.locator('[data-testid="rollout-step"][aria-current="step"]');
    await current.getByText('Paused by local').waitFor(soon);
    await state(page, 'paused').waitFor(soon);
    await keepBoth(page, 'rollout-7-paused');
    await confirm(page, order(page, 'Resume'), 'Resume', 'Update README');
    await step(page, 'Approval').getByText('Needs approval').waitFor(soon);

    const reject = question(page).getByRole('button', { name: 'Reject' });
    await confirm(page, reject, 'Reject', 'Update README', { Comment: 'Not by hand.' });
    await state(page, 'rejected').waitFor(soon);
    await step(page, 'Rolled back').getByText('Production is as it was').waitFor(soon);
    expect(await textOf(page.getByTestId('decision'))).toMatch(/Rejected by local .*Not by hand\./);
    await keepBoth(page, 'rollout-8-rejected');
    await runs(page, site.first);
    expect(await isMarked(page), 'the page was not reloaded').toBe(true);

    expect(await site.production()).toBe(site.first);
    expect(await site.main()).toBe(main);
    expect(await site.canary()).toEqual([]);
  },
  TEST_MS,
);
