// The daily work without a mouse.
import { beforeAll, expect } from 'vitest';
import { createProject, listOutputs, listTasks, sendMessage, untilFinished } from './support/api';
import { withBrowser } from './support/browser';
import { composer, open, pressFor, turn, turnStatus } from './support/dashboard';
import { withApi, withOneWorker } from './support/stack';

const browserTest = withBrowser();

beforeAll(withApi);
beforeAll(() => withOneWorker());

browserTest('write, follow, and approve with keys alone', async ({ page }) => {
  const project = await createProject('Keys alone');
  await open(page, `/projects/${project.id}/progress`);
  await page.getByText('No tasks yet').waitFor();

  // `c` leads into the composer; there, letters and digits are text.
  await page.keyboard.press('c');
  await page.waitForURL(/\/input$/);
  await page.locator('textarea:focus').waitFor();
  await page.keyboard.type('jkar 1 2 3, sent by key');
  expect(await composer(page).inputValue()).toBe('jkar 1 2 3, sent by key');
  await page.keyboard.press('Control+Enter');
  await turnStatus(turn(page, 'sent by key'), 'completed').waitFor();

  await page.keyboard.press('Shift+Tab');
  for (const [key, tab] of [
    ['1', 'progress'],
    ['3', 'logs'],
    ['5', 'sales'],
    ['4', 'output'],
  ] as const) {
    await page.keyboard.press(key);
    await page.waitForURL((url) => url.pathname === `/projects/${project.id}/${tab}`);
  }

  await page.getByTestId('output-detail').locator('[data-status="review"]').waitFor();
  await pressFor(page, 'a', page.getByTestId('decided').filter({ hasText: 'Approved' }));
  const [output] = await listOutputs(project.id);
  expect(output?.review).toBe('approved');
});

browserTest('results are decided one after the other, a rejection with its reason', async ({ page }) => {
  const project = await createProject('Two to review');
  for (const content of ['The older one.', 'The newer one.']) {
    await untilFinished((await sendMessage(project.id, content)).id);
  }
  expect(await listTasks(project.id)).toHaveLength(2);
  await open(page, `/projects/${project.id}/output`);
  const selected = page.locator('[data-testid="output-item"][aria-current="true"]');
  await selected.waitFor();
  const newest = await selected.getAttribute('data-output');

  const newer = page.locator(`[data-testid="output-item"][aria-current="true"][data-output="${newest}"]`);
  const older = page.locator(`[data-testid="output-item"][aria-current="true"]:not([data-output="${newest}"])`);
  await pressFor(page, 'j', older);
  await pressFor(page, 'k', newer);

  await pressFor(page, 'r', page.locator('textarea:focus'));
  await page.keyboard.type('Not what I asked for.');
  await page.getByRole('button', { name: 'Reject', exact: true }).press('Enter');
  // Deciding moves on to the one that still waits.
  await older.waitFor();
  const outputs = await listOutputs(project.id);
  expect(outputs.find(({ id }) => id === newest)).toMatchObject({
    review: 'rejected',
    comment: 'Not what I asked for.',
  });
  expect(outputs.filter(({ review }) => review === 'pending')).toHaveLength(1);
});

browserTest('the help lists the keys and turns the single ones off', async ({ page }) => {
  const project = await createProject('Silent keys');
  await open(page, `/projects/${project.id}/progress`);
  await page.getByText('No tasks yet').waitFor();
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keys' });
  await help.getByText('Send', { exact: true }).waitFor();
  await help.getByRole('switch', { name: 'Single-key shortcuts' }).press('Space');
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'detached' });

  // A key that does nothing leaves no trace to wait for: the link after it shows that the key had its chance.
  await page.keyboard.press('3');
  await page.keyboard.press('c');
  await page.getByTestId('tab-output').click();
  await page.waitForURL(/\/output$/);
  await page.getByText('No outputs yet').waitFor();
  await page.goBack();
  await page.waitForURL(/\/progress$/);
});
