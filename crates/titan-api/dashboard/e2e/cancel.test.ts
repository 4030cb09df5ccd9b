// Stopping an answer that is being written, by key and by button.
import { beforeAll, expect } from 'vitest';
import { createProject, getRun, listEvents, listMessages, listTasks, untilFinished } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import { composer, open, openTab, send, turn, turnStatus, untilCounters, untilWriting } from './support/dashboard';
import { withApi, withOneWorker } from './support/stack';

const browserTest = withBrowser();

beforeAll(withApi);
// Slow enough that no answer is complete before it is stopped; each one is stopped, so nothing waits for its end.
beforeAll(() => withOneWorker({ pause: '1s' }));

browserTest('Esc and the Cancel button stop an answer at once, and for good', async ({ page }) => {
  const project = await createProject('Stopped answers');
  await open(page, `/projects/${project.id}/input`);

  await send(page, 'Stop this with the Esc key.');
  await untilWriting(page);
  await composer(page).press('Escape');
  const first = turn(page, 'Stop this with the Esc key.');
  await turnStatus(first, 'canceled').waitFor();
  await first.getByText('You stopped this answer.').waitFor();

  await send(page, 'Stop this with the button.');
  const second = turn(page, 'Stop this with the button.');
  await second.getByTestId('streaming-text').waitFor();
  await second.getByRole('button', { name: 'Cancel' }).click();
  await turnStatus(second, 'canceled').waitFor();
  await second.getByText('You stopped this answer.').waitFor();
  await keepPicture(page, 'canceled');

  // A third one from the Progress tab, where the run stands under "Now".
  await send(page, 'Stop this from the Progress tab.');
  await turn(page, 'Stop this from the Progress tab.').getByTestId('streaming-text').waitFor();
  await openTab(page, 'Progress');
  await page.getByTestId('now').getByRole('button', { name: 'Cancel' }).click();
  await page.getByTestId('now').waitFor({ state: 'detached' });

  const tasks = await listTasks(project.id);
  expect(tasks).toHaveLength(3);
  for (const { id } of tasks) {
    const task = await untilFinished(id);
    expect(task.execution_status).toBe('canceled');
    const run = await getRun(task.latest_run?.id ?? '');
    expect(run.status).toBe('canceled');
    const kinds = (await listEvents(run.id)).map((event) => event.kind);
    expect(kinds).toContain('run.cancel_requested');
    expect(kinds.at(-1)).toBe('run.canceled');
  }
  // Nothing was stored as an answer, and nothing was put up for approval.
  expect((await listMessages(project.id)).filter((message) => message.role === 'assistant')).toEqual([]);
  await untilCounters(page, { tasks: 3, runs: 3, memory: 0, outputs: 0 });
});
