// A new Titan without any key: it says what is missing by name, and the demo reaches a finished output all the same.
import { beforeAll, expect } from 'vitest';
import { getProject, listOutputs, onlyTask, untilFinished } from './support/api';
import { withBrowser } from './support/browser';
import { answer, open, turn, turnStatus } from './support/dashboard';
import { barriers, keepBoth, overflows } from './support/page-checks';
import { withApi, withOneWorker } from './support/stack';

const browserTest = withBrowser();

beforeAll(withApi);
beforeAll(() => withOneWorker());

browserTest('the first steps name what is missing, and the offline demo finishes', async ({ page }) => {
  await open(page, '/welcome');
  const steps = page.getByTestId('first-steps');
  await steps.getByText('OPENAI_API_KEY', { exact: true }).waitFor();
  const rows = steps.getByTestId('setup-row');
  expect(await rows.count(), 'one line for each provider').toBeLessThan(12);
  await steps.getByText(/more variables/).click();
  await steps.getByText('TITAN_DEFAULT_MODEL', { exact: true }).waitFor();
  expect(await barriers(page)).toEqual([]);
  expect(await overflows(page)).toEqual([]);
  await keepBoth(page, 'welcome');

  await steps.getByRole('button', { name: 'Try the offline demo' }).click();
  await page.waitForURL(/\/projects\/[^/]+\/input$/);
  const projectId = new URL(page.url()).pathname.split('/')[2] ?? '';
  expect((await getProject(projectId)).name).toBe('Demo');
  const first = turn(page, 'Hello Titan!');
  await answer(first).waitFor();
  await turnStatus(first, 'completed').waitFor();
  await untilFinished((await onlyTask(projectId)).id);
  expect(await listOutputs(projectId)).toHaveLength(1);
});
