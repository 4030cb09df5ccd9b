// A project of a template, from the wish to the page that somebody sees: created in the browser, made stage by stage, opened
// in a second tab; and one whose build fails, is mended in Files, and goes on where it stopped.
import type { BrowserContext, Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import { createCommand, createProject, onlyTask, untilFinished } from './support/api';
import { withBrowser } from './support/browser';
import { open } from './support/dashboard';
import { barriers, keepBoth, overflows } from './support/page-checks';
import { settings } from './support/settings';
import { withApi, withOneWorker } from './support/stack';
import { until } from './support/until';

const browserTest = withBrowser();
const STAGES = ['scaffold', 'build', 'deploy', 'verify', 'publish'] as const;
const PREVIEW = /^http:\/\/127\.0\.0\.1:\d+$/;
/** A site is copied and served. */
const SOON_MS = 60_000;
/** An app fetches its packages first, through the sandbox, and then builds them. */
const PACKAGES_MS = 180_000;

beforeAll(withApi);
beforeAll(() => withOneWorker());

const pipeline = (page: Page) => page.getByTestId('pipeline');
const stage = (page: Page, name: string, state: string) =>
  pipeline(page).locator(`[data-testid="stage-${name}"][data-state="${state}"]`);
const projectOf = (page: Page) => /\/projects\/([^/]+)/.exec(page.url())?.[1] ?? '';

/** Fills in the dialog of a new project up to the form of a template. */
async function choose(page: Page, template: string) {
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

async function untilMade(page: Page, timeout: number): Promise<void> {
  const failed = pipeline(page).getByTestId('pipeline-failure');
  for (const name of STAGES) {
    await stage(page, name, 'completed').or(failed).first().waitFor({ timeout });
    if (await failed.isVisible()) throw new Error(`${name}: ${await failed.textContent()}`);
  }
}

/** Follows the link of the preview, and gives what the second tab shows. */
async function seen(page: Page, context: BrowserContext): Promise<string> {
  const link = page.getByTestId('preview').getByRole('link');
  await link.waitFor();
  const [tab] = await Promise.all([context.waitForEvent('page'), link.click()]);
  await tab.waitForLoadState('load');
  await tab.locator('h1').waitFor();
  const text = await tab.locator('body').innerText();
  await tab.close();
  return text;
}

browserTest(
  'a site is made of a template and seen in a second tab',
  async ({ page, context, expectErrors, expectHosts }) => {
    // What is served has no icon.
    expectErrors(/status of 404 .*favicon/);
    expectHosts(PREVIEW);
    const dialog = await choose(page, 'static-site');
    expect(await barriers(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Create project' }).click();
    await dialog.getByText('A project needs a name.').waitFor();
    const name = `Tea house ${Date.now()}`;
    await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
    expect(await dialog.getByRole('textbox', { name: 'Title' }).inputValue(), 'the title is the name').toBe(name);
    await dialog.getByRole('textbox', { name: 'Description' }).fill('Where the oolong is poured by hand.');
    await dialog.getByRole('textbox', { name: 'Features' }).fill('Opening hours\nA map to the door');
    await dialog.getByRole('textbox', { name: 'Language' }).fill('not a code');
    await dialog.getByRole('button', { name: 'Create project' }).click();
    await dialog.getByText(/must fit the pattern/).waitFor();
    await keepBoth(page, 'template-form');
    await dialog.getByRole('textbox', { name: 'Language' }).fill('en');
    await dialog.getByRole('button', { name: 'Create project' }).click();

    await page.waitForURL(/\/progress$/);
    await pipeline(page).waitFor();
    await untilMade(page, SOON_MS);
    await page.getByTestId('publication').getByText('v1').waitFor();
    await page.getByTestId('preview').locator('[data-status="healthy"]').waitFor();
    await page.getByTestId('stage-verify').click();
    await page.getByTestId('stage-log').getByText('Holds: The page is served').waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'pipeline-made');

    const text = await seen(page, context);
    expect(text).toContain(name);
    expect(text).toContain('Where the oolong is poured by hand.');
    expect(text).toContain('A map to the door');

    await page.getByRole('button', { name: 'Stop the preview' }).click();
    await page.getByTestId('preview').locator('[data-status="stopped"]').waitFor();
    await page.getByRole('button', { name: 'Start the preview' }).click();
    await page.getByTestId('preview').locator('[data-status="healthy"]').waitFor();
    expect(await seen(page, context)).toContain(name);

    expect(await overflows(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 860 });
    await pipeline(page).scrollIntoViewIfNeeded();
    await keepBoth(page, 'pipeline-phone');
  },
  2 * SOON_MS,
);

browserTest(
  'an app fetches its packages; a build that fails is mended in Files and goes on from there',
  async ({ page, context, expectErrors, expectHosts }) => {
    expectErrors(/status of 404 .*favicon/);
    expectHosts(PREVIEW);
    const dialog = await choose(page, 'web-app');
    const name = `Seed list ${Date.now()}`;
    await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
    await dialog.getByRole('textbox', { name: 'Description' }).fill('Which seeds are left for spring.');
    await dialog.getByRole('button', { name: 'Create project' }).click();
    await page.waitForURL(/\/progress$/);
    const projectId = projectOf(page);

    await stage(page, 'build', 'running').waitFor();
    await page.getByTestId('stage-log').getByText('npm ci').first().waitFor();
    await keepBoth(page, 'pipeline-building');
    await untilMade(page, PACKAGES_MS);
    expect(await seen(page, context)).toContain(name);
    const first = await onlyTask(projectId);

    // Somebody breaks the page, and it is made once more.
    const address = `${settings.baseUrl}/api/projects/${projectId}/files/index.html`;
    const whole = await (await fetch(address)).text();
    const broken = whole.replace('/src/main.ts', '/src/missing.ts');
    expect(broken).not.toBe(whole);
    const put = await fetch(address, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ content: broken }),
    });
    expect(put.status).toBe(200);
    await pipeline(page).getByRole('button', { name: 'Start over' }).click();
    const failure = page.getByTestId('pipeline-failure');
    await failure.waitFor({ timeout: PACKAGES_MS });
    expect(await failure.textContent()).toMatch(/Build failed.*exit code 1/);
    await failure.getByText(/missing\.ts/).waitFor();
    await page
      .getByTestId('stage-log')
      .getByText(/missing\.ts/)
      .first()
      .waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'pipeline-failed');

    await open(page, `/projects/${projectId}/output?segment=files&file=index.html`);
    const file = page.getByTestId('file');
    await file.getByRole('button', { name: 'Edit' }).click();
    await file.getByRole('textbox').fill(whole);
    await file.getByRole('button', { name: 'Save' }).click();
    await file.getByText('/src/main.ts').first().waitFor();

    await open(page, `/projects/${projectId}/progress`);
    await page.getByRole('button', { name: 'Retry from build' }).click();
    await page.locator('[data-testid="stage-scaffold"][data-kept]').waitFor();
    await untilMade(page, PACKAGES_MS);
    expect(await page.locator('[data-testid^="stage-"][data-kept]').count(), 'only the first stage was kept').toBe(1);
    await page.getByTestId('publication').getByText('v2').waitFor();
    await keepBoth(page, 'pipeline-mended');
    expect(await seen(page, context)).toContain(name);
    expect(first.type).toBe('pipeline');
  },
  4 * PACKAGES_MS,
);

browserTest('the catalogue is searched, shows what a template does, and leads to a project of it', async ({ page }) => {
  await open(page, '/projects');
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await page.waitForURL(/\/templates$/);
  await page.getByTestId('template-row').nth(5).waitFor();
  await page.getByRole('searchbox', { name: 'Search templates' }).fill('browser vite');
  await page.waitForURL(/q=browser/);
  const rows = page.getByTestId('template-row');
  await until('one template that fits', async () => (await rows.count()) === 1);
  await rows.click();
  const template = page.getByTestId('template');
  await template.getByText('npm ci --no-audit --no-fund').waitFor();
  await template.getByText('Can be deployed to').waitFor();
  expect(await barriers(page)).toEqual([]);
  await keepBoth(page, 'templates');
  await template.getByRole('button', { name: 'Use it' }).click();
  const dialog = page.getByRole('dialog', { name: 'New project' });
  await dialog.getByText('web-app@').waitFor();
  await dialog.getByRole('textbox', { name: 'Title' }).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });

  await page.getByRole('searchbox', { name: 'Search templates' }).fill('no such words');
  await page.getByText('No template matches').waitFor();
  expect(await barriers(page)).toEqual([]);
});

browserTest('the colours of a command are kept and can be read, and its other escapes are not', async ({ page }) => {
  const project = await createProject('Colours');
  const codes = [31, 32, 33, 34, 35, 36, 90, 91, 92, 93, 94, 95, 96, 97, 1, 2];
  const lines = codes.map((code) => `\\033[${code}mcolour ${code}\\033[0m`).join('\\n');
  const task = await untilFinished(
    (await createCommand(project.id, `printf '${lines}\\n\\033]0;a title\\033\\\\\\033[2Kplain\\033[K end\\n'`)).id,
  );
  expect(task.execution_status).toBe('completed');
  await open(page, `/projects/${project.id}/logs`);
  const colour = page.getByTestId('log-line').locator('[data-colour="bright-magenta"]');
  await colour.getByText('colour 95').waitFor();
  await page.getByTestId('log-line').getByText('plain end', { exact: true }).waitFor();
  expect(await barriers(page)).toEqual([]);
  await keepBoth(page, 'log-colours');

  await open(page, `/runs/${task.latest_run?.id}`);
  await page.getByTestId('event-row').locator('[data-colour="red"]').getByText('colour 31').waitFor();
  expect(await barriers(page)).toEqual([]);
});
