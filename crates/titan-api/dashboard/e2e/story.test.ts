// The whole way, without a key: somebody says what they want, answers two questions of the plan, approves it as charter, and
// in the end opens a page with the words of their wish. Once as a site and once as an app, as the words of the wish tell.
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import { getProject, listTasks } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import { open, openTab } from './support/dashboard';
import { barriers, keepBoth, overflows } from './support/page-checks';
import { NO_ICON, PACKAGES_MS, PREVIEW, pipeline, projectOf, SOON_MS, seen, untilMade } from './support/pipeline';
import { withApi, withOneWorker } from './support/stack';

const browserTest = withBrowser();

beforeAll(withApi);
beforeAll(() => withOneWorker());

const question = (page: Page, words: string) => page.getByRole('form', { name: words });
const section = (page: Page, name: string) => page.locator(`[data-testid="plan-section"][data-section="${name}"]`);

/** Says the wish, and waits for the first version of its plan. */
async function wish(page: Page, words: string): Promise<void> {
  await open(page, '/');
  await page.getByTestId('new-project').first().click();
  const dialog = page.getByRole('dialog', { name: 'New project' });
  await dialog.getByText('Describe what you want').click();
  await dialog.getByLabel(/^Your wish/).fill(words);
  await dialog.getByRole('button', { name: 'Draft a plan' }).click();
  await page.waitForURL(/\/projects\/[^/]+\/plan/);
  await page.getByRole('heading', { name: 'Plan, version 1' }).waitFor();
}

/** Two answers, a choice and words of one's own, and the version that takes them up. */
async function answerTwo(page: Page, audience: string, first: string): Promise<void> {
  await question(page, 'Who is it for?').getByRole('button', { name: audience }).click();
  const words = question(page, 'Which words must it show first?');
  await words.getByLabel('Your answer').fill(first);
  await words.getByRole('button', { name: 'Answer' }).click();
  await question(page, 'Where is it to be published?').waitFor();
  await page.getByRole('button', { name: 'Refine the plan with these 2 answers' }).click();
  await page.getByRole('heading', { name: 'Plan, version 2' }).waitFor();
  await section(page, 'assumptions').getByText(`It is for: ${audience}.`).waitFor();
  await section(page, 'assumptions').getByText(`It shows first: ${first}.`).waitFor();
}

/** Approves the version in view, which is made of this template. */
async function approve(page: Page, template: string): Promise<void> {
  await page.getByTestId('approval').getByText(`The project will be made from ${template}.`).waitFor();
  await page.getByRole('button', { name: 'Approve charter and create 4 tasks' }).click();
  await page.getByTestId('charter').getByRole('heading', { name: 'Charter 1' }).waitFor();
  // Eyes and keys are led to it, although the button was at the end of the page.
  await page.locator(':focus > [data-testid="charter"]').waitFor();
}

/** What the charter has made: its tasks, the group that holds two of them, and the pipeline of the template. */
async function expectTasks(page: Page, noun: string): Promise<void> {
  const tasks = (await listTasks(projectOf(page))).filter(({ type }) => type !== 'plan');
  const titles = ['Check what was written', `Outline the ${noun}`, 'Prepare', `Publish the ${noun}`, 'Write the texts'];
  const ofPlan = tasks.filter(({ type }) => type !== 'pipeline').map(({ title }) => title);
  expect(ofPlan.sort()).toEqual(titles);
  expect(tasks.filter(({ type }) => type === 'pipeline')).toHaveLength(1);
}

async function expectSeen(page: Page, context: BrowserContext, words: string[]): Promise<void> {
  const text = await seen(page, context);
  for (const part of words) expect(text).toContain(part);
}

browserTest(
  'a wish becomes a plan, a charter, tasks, and a site that can be opened',
  async ({ page, context, expectErrors, expectHosts }) => {
    expectErrors(NO_ICON);
    expectHosts(PREVIEW);
    const name = `A page for our tea shop ${Date.now()}`;
    await wish(page, `${name}. It lists our teas.`);
    // Made without a model, which it says.
    await page.getByText('No language model is set up').waitFor();
    await section(page, 'template').getByText('static-site').waitFor();
    await keepPicture(page, 'story-1-plan');
    expect(await barriers(page)).toEqual([]);
    await answerTwo(page, 'Customers', 'Fresh tea every day');

    await page.getByLabel('Compare with').selectOption({ label: 'Version 1' });
    await page
      .locator('[data-testid="section-change"][data-section="questions"]')
      .getByText('Who is it for?')
      .waitFor();
    await keepPicture(page, 'story-2-compare');
    await page.getByLabel('Compare with').selectOption({ label: 'No other' });
    await approve(page, 'static-site');
    await expectTasks(page, 'site');

    // The worker does what is done by itself, then it is a person's turn.
    const charter = page.getByTestId('charter');
    await charter.getByText('2 of 4 done').first().waitFor({ timeout: SOON_MS });
    await charter.getByRole('button', { name: 'Done: Check what was written' }).click();
    await charter.getByText('3 of 4 done').first().waitFor();
    await keepBoth(page, 'story-3-charter');
    expect(await barriers(page)).toEqual([]);
    expect(await overflows(page)).toEqual([]);
    await charter.getByRole('link', { name: 'Write the texts' }).click();
    await page.waitForURL(/\/progress\?task=/);
    await page.getByRole('dialog').getByText('Execution log').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await untilMade(page, SOON_MS);
    await page.getByTestId('publication').getByText('v1').waitFor();
    await keepBoth(page, 'story-4-made');
    await expectSeen(page, context, [name, 'Fresh tea every day', 'It lists our teas.']);
    expect((await getProject(projectOf(page))).template_ref).toMatch(/^static-site/);
  },
  4 * SOON_MS,
);

browserTest(
  'a wish for an app becomes one that is built, tested and opened',
  async ({ page, context, expectErrors, expectHosts }) => {
    expectErrors(NO_ICON);
    expectHosts(PREVIEW);
    const name = `An app for our seeds ${Date.now()}`;
    await wish(page, `${name}. It says which are left for spring.`);
    await section(page, 'template').getByText('web-app').waitFor();
    await answerTwo(page, 'Our own team', 'What to sow now');
    await approve(page, 'web-app');
    await expectTasks(page, 'web app');

    await openTab(page, 'Progress');
    await pipeline(page).waitFor();
    await untilMade(page, PACKAGES_MS);
    await page.getByTestId('publication').getByText('v1').waitFor();
    await keepPicture(page, 'story-5-app');
    await expectSeen(page, context, [name, 'What to sow now', 'It says which are left for spring.']);
  },
  3 * PACKAGES_MS,
);
