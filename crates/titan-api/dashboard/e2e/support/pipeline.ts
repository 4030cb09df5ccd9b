// The pipeline of a project in the words of somebody who watches it: its stages, and what is served in the end.
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { open } from './dashboard';
import { until } from './until';

const STAGES = ['scaffold', 'build', 'deploy', 'verify', 'publish'] as const;

/** The hosts that a preview is served at, and why the console complains: what is served may have no icon. */
export const PREVIEW = /^http:\/\/127\.0\.0\.1:\d+$/;
export const NO_ICON = /status of 404 .*favicon/;

/** A site is copied and served. */
export const SOON_MS = 60_000;
/** An app fetches its packages first, through the sandbox, and then builds them. */
export const PACKAGES_MS = 180_000;

export const pipeline = (page: Page) => page.getByTestId('pipeline');

export const stage = (page: Page, name: (typeof STAGES)[number], state: string) =>
  pipeline(page).locator(`[data-testid="stage-${name}"][data-state="${state}"]`);

export const projectOf = (page: Page) => /\/projects\/([^/]+)/.exec(page.url())?.[1] ?? '';

/** Fills in the dialog of a new project up to the form of a template. */
export async function choose(page: Page, template: string): Promise<Locator> {
  await open(page, '/projects');
  await page.getByTestId('new-project').first().click();
  const dialog = page.getByRole('dialog', { name: 'New project' });
  await dialog.getByText('From a template').click();
  await dialog.getByRole('searchbox', { name: 'Search templates' }).fill(template);
  await dialog.getByTestId('template-choice').filter({ hasText: template }).first().waitFor();
  await until('one template that fits', async () => (await dialog.getByTestId('template-choice').count()) === 1);
  await dialog.getByTestId('template-choice').click();
  await dialog.getByRole('textbox', { name: 'Name' }).waitFor();
  return dialog;
}

/** Waits for each of the five stages, each as long as the longest of them may take. */
export async function untilMade(page: Page, timeout: number): Promise<void> {
  const failed = pipeline(page).getByTestId('pipeline-failure');
  for (const name of STAGES) {
    await stage(page, name, 'completed').or(failed).first().waitFor({ timeout });
    if (await failed.isVisible()) throw new Error(`${name}: ${await failed.textContent()}`);
  }
}

/** Follows the link of the preview, and gives what the second tab shows. */
export async function seen(page: Page, context: BrowserContext): Promise<string> {
  const link = page.getByTestId('preview').getByRole('link');
  await link.waitFor();
  const [tab] = await Promise.all([context.waitForEvent('page'), link.click()]);
  await tab.waitForLoadState('load');
  await tab.locator('h1').waitFor();
  const text = await tab.locator('body').innerText();
  await tab.close();
  return text;
}
