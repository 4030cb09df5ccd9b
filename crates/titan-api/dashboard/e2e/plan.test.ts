// Without a key: a wish becomes a plan, two questions are answered, the refined version is approved, and its tasks are there.
import type { Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import { keepPicture, withBrowser } from './support/browser';
import { open } from './support/dashboard';
import { barriers, overflows } from './support/page-checks';
import { withApi, withOneWorker } from './support/stack';

const browserTest = withBrowser();

beforeAll(withApi);
beforeAll(() => withOneWorker());

const question = (page: Page, words: string) => page.getByRole('form', { name: words });

browserTest('a wish becomes a plan, a charter and tasks', async ({ page }) => {
  await open(page, '/projects');
  await page.getByTestId('new-project').first().click();
  const dialog = page.getByRole('dialog', { name: 'New project' });
  await dialog.getByText('Describe what you want').click();
  await dialog.getByLabel(/^Your wish/).fill(`A page for our tea shop ${Date.now()}. It lists our teas.`);
  await dialog.getByRole('button', { name: 'Draft a plan' }).click();
  await page.waitForURL(/\/projects\/[^/]+\/plan/);

  // The first version, made without a model, which it says.
  await page.getByRole('heading', { name: 'Plan, version 1' }).waitFor();
  await page.getByText('No language model is set up').waitFor();
  await keepPicture(page, 'plan-1-draft');
  expect(await barriers(page)).toEqual([]);

  // Two answers: a choice, and one that is left to the plan.
  await question(page, 'Who is it for?').getByRole('button', { name: 'Customers' }).click();
  const words = question(page, 'Which words must it show first?');
  await words.getByLabel('Your answer').fill('Fresh tea every day');
  await words.getByRole('button', { name: 'Answer' }).click();
  await question(page, 'Where is it to be published?').waitFor();
  await page.getByRole('button', { name: 'Refine the plan with these 2 answers' }).click();
  await page.getByRole('heading', { name: 'Plan, version 2' }).waitFor();
  const assumptions = page.locator('[data-testid="plan-section"][data-section="assumptions"]');
  await assumptions.getByText('It is for: Customers.').waitFor();
  await assumptions.getByText('It shows first: Fresh tea every day.').waitFor();

  await page.getByLabel('Compare with').selectOption({ label: 'Version 1' });
  await page.locator('[data-testid="section-change"][data-section="questions"]').getByText('audience').waitFor();
  await keepPicture(page, 'plan-2-compare');
  await page.getByLabel('Compare with').selectOption({ label: 'No other' });

  await page.getByRole('button', { name: 'Approve charter and create 4 tasks' }).click();
  const charter = page.getByTestId('charter');
  await charter.getByRole('heading', { name: 'Charter 1' }).waitFor();
  // The worker does what is done by itself, then it is a person's turn.
  await charter.getByText('2 of 4 done').first().waitFor();
  await charter.getByRole('button', { name: 'Done: Check what was written' }).click();
  await charter.getByText('3 of 4 done').first().waitFor();
  await keepPicture(page, 'plan-3-charter');
  expect(await barriers(page)).toEqual([]);
  expect(await overflows(page)).toEqual([]);

  await charter.getByRole('link', { name: 'Write the texts' }).click();
  await page.waitForURL(/\/progress\?task=/);
});
