// The queue in the hands of a person: it is paused and resumed, what failed for good is tried again, many jobs are changed
// at once, and limits are kept.
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { createProject, getTask, listTasks, resumeQueue, sendMessage, untilFinished } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import { open, textOf } from './support/dashboard';
import { barriers, overflows, settled } from './support/page-checks';
import { isMarked, mark } from './support/recorder';
import { settings } from './support/settings';
import { start, withApi, withOneWorker, withoutWorker } from './support/stack';
import { until } from './support/until';

const browserTest = withBrowser();

beforeAll(withApi);
beforeEach(() => withOneWorker());
// Whatever a test has left behind: the other files need a queue that runs.
beforeEach(() => resumeQueue('default'));
afterAll(() => resumeQueue('default'));

const queueRow = (page: Page) => page.locator('[data-testid="queue-row"][data-queue="default"]');
const jobRow = (page: Page, state: string) => page.locator(`[data-testid="job-row"][data-state="${state}"]`);

async function pause(page: Page, reason: string): Promise<void> {
  await page.getByRole('button', { name: 'Pause default' }).click();
  const dialog = page.getByRole('dialog', { name: 'Pause the queue default' });
  await dialog.getByRole('textbox', { name: 'Reason' }).fill(reason);
  await dialog.getByRole('button', { name: 'Pause' }).click();
  await dialog.waitFor({ state: 'detached' });
  await queueRow(page).locator('[data-status="paused"]').waitFor();
}

/** In both colour schemes. */
async function keepPictures(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
    await settled(page);
    await keepPicture(page, `${name}-${colorScheme}`);
  }
}

/** "1 min 5 s", "3.2 s" or "950 ms", in seconds. */
function secondsOf(words: string): number {
  const units: Record<string, number> = { d: 86_400, h: 3600, min: 60, s: 1, ms: 0.001 };
  const parts = [...words.matchAll(/([\d.]+) (ms|s|min|h|d)\b/g)];
  if (parts.length === 0) throw new Error(`"${words}" is no duration`);
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ''] ?? Number.NaN), 0);
}

browserTest('a paused queue keeps a task waiting, says so, and goes on when it is resumed', async ({ page }) => {
  const project = await createProject('Paused queue');
  await open(page, `/queue?project=${project.id}`);
  await mark(page);
  await page.getByTestId('worker-row').first().waitFor();
  await pause(page, 'Trying the pause');
  await queueRow(page).getByText('Trying the pause').waitFor();

  const task = await sendMessage(project.id, 'Wait until the queue goes on.');
  await jobRow(page, 'ready').waitFor();
  await jobRow(page, 'ready').getByRole('link', { name: project.name }).waitFor();
  const oldest = queueRow(page).getByTestId('oldest-ready');
  const first = await until('the age of the oldest ready job', async () => secondsOf(await textOf(oldest)));
  await until('an oldest ready job that grows older', async () => secondsOf(await textOf(oldest)) > first);
  expect(await textOf(queueRow(page).locator('[data-depth="ready"]'))).toBe('1');
  expect((await getTask(task.id)).execution_status).toBe('queued');
  await keepPictures(page, 'queue-1-paused');
  expect(await barriers(page)).toEqual([]);
  expect(await overflows(page)).toEqual([]);
  await page.setViewportSize({ width: 1280, height: 860 });

  await page.getByRole('button', { name: 'Resume default' }).click();
  await queueRow(page).locator('[data-status="healthy"]').waitFor();
  expect((await untilFinished(task.id)).execution_status).toBe('completed');
  await jobRow(page, 'ready').waitFor({ state: 'detached' });
  await page.getByRole('navigation', { name: 'Jobs by state' }).getByRole('link', { name: 'History' }).click();
  await jobRow(page, 'completed').first().waitFor();
  await until('work that is seen in the strip of minutes', async () =>
    /[1-9]\d* completed/.test((await queueRow(page).getByTestId('minutes').getAttribute('aria-label')) ?? ''),
  );
  await keepPictures(page, 'queue-2-history');
  expect(await isMarked(page), 'the page was not reloaded').toBe(true);
});

browserTest('what failed for good stands among the dead letters and is tried again', async ({ page }) => {
  const project = await createProject('Dead letter');
  // A model at an address where there is none: the provider refuses, and asking again would not help.
  await withoutWorker();
  await start('worker', { OPENAI_BASE_URL: `${settings.baseUrl}/api/no-model/v1`, OPENAI_API_KEY: 'e2e-no-secret' });
  const task = await untilFinished((await sendMessage(project.id, 'Fail, and then do not.')).id);
  expect(task.execution_status).toBe('failed');
  await withOneWorker();

  await open(page, `/queue?state=dead&project=${project.id}`);
  const letter = jobRow(page, 'dead');
  await letter.getByText('the model provider').waitFor();
  await keepPictures(page, 'queue-3-dead');
  expect(await barriers(page)).toEqual([]);
  await letter.getByRole('button', { name: /^Redrive/ }).press('Enter');
  await page.getByText('No job matches').waitFor();
  const again = await until('the second run of the task', async () => {
    const now = await getTask(task.id);
    return now.latest_run?.id !== task.latest_run?.id && now.execution_status === 'completed' && now;
  });
  expect(again.latest_run?.status).toBe('completed');
});

browserTest('all that match are canceled, after their number was confirmed', async ({ page }) => {
  const project = await createProject('Cancel many');
  const other = await createProject('Left alone');
  await open(page, `/queue?state=ready&project=${project.id}`);
  await pause(page, 'Canceling many');
  for (const number of [1, 2, 3]) await sendMessage(project.id, `Never answer this, number ${number}.`);
  const kept = await sendMessage(other.id, 'Answer this one.');
  await until('three ready jobs', async () => (await jobRow(page, 'ready').count()) === 3);

  await page.getByRole('button', { name: 'Cancel all matching' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Cancel all matching jobs' });
  await dialog.getByText(`3 ready jobs of the project “${project.name}”`).waitFor();
  expect(await barriers(page)).toEqual([]);
  await keepPictures(page, 'queue-4-bulk');
  await dialog.getByRole('button', { name: 'Cancel them' }).press('Enter');
  await dialog.getByTestId('bulk-outcome').waitFor();
  expect(await textOf(dialog.locator('[data-figure="changed"]'))).toBe('3');
  expect(await textOf(dialog.locator('[data-figure="remaining"]'))).toBe('0');
  await dialog.getByRole('button', { name: 'Done' }).press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('No job matches').waitFor();
  for (const { id } of await listTasks(project.id)) expect((await untilFinished(id)).execution_status).toBe('canceled');

  await page.getByRole('button', { name: 'Resume default' }).click();
  expect((await untilFinished(kept.id)).execution_status).toBe('completed');
});

browserTest('a limit is added, changed and deleted', async ({ page }) => {
  const key = `e2e-${randomUUID().slice(0, 8)}`;
  await open(page, '/queue');
  await page.getByRole('button', { name: 'Add a limit' }).click();
  const add = page.getByRole('dialog', { name: 'Add a limit' });
  await add.getByRole('textbox', { name: 'Key' }).fill(key);
  await add.getByRole('button', { name: 'Add limit' }).click();
  await add.getByText('Say how many at once').waitFor();
  expect(await barriers(page)).toEqual([]);
  await add.getByRole('textbox', { name: 'At once, at most' }).fill('2');
  await add.getByRole('button', { name: 'Add limit' }).click();
  await add.waitFor({ state: 'detached' });
  const row = page.locator(`[data-testid="limit-row"][data-limit="${key}"]`);
  await row.getByText('not limited').waitFor();

  await row.getByRole('button', { name: `Edit the limit ${key}` }).click();
  const edit = page.getByRole('dialog', { name: `Change the limit ${key}` });
  await edit.getByRole('textbox', { name: 'So many jobs' }).fill('10');
  await edit.getByRole('textbox', { name: 'In so many seconds' }).fill('60');
  await edit.getByRole('button', { name: 'Save' }).click();
  await edit.waitFor({ state: 'detached' });
  await row.getByText('10 in 1 min').waitFor();
  await row.scrollIntoViewIfNeeded();
  await keepPictures(page, 'queue-5-limits');

  await row.getByRole('button', { name: `Delete the limit ${key}` }).click();
  await page.getByRole('dialog', { name: 'Delete the limit' }).getByRole('button', { name: 'Delete limit' }).click();
  await row.waitFor({ state: 'detached' });
});

browserTest('the page is reached and used with keys alone', async ({ page }) => {
  await open(page, '/projects');
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await page.waitForURL(/\/queue$/);
  await queueRow(page).waitFor();
  const tabs = page.getByRole('navigation', { name: 'Jobs by state' });
  await tabs.getByRole('link', { name: 'Failed' }).press('Enter');
  await page.waitForURL(/\/queue\?state=dead$/);
  await page.getByRole('combobox', { name: 'Queue' }).selectOption('maintenance');
  await page.waitForURL(/queue=maintenance/);
  await page.getByText('No job matches').waitFor();
  await page.getByRole('button', { name: 'Clear filter' }).first().press('Enter');
  await page.waitForURL(/\/queue\?state=dead$/);
});
