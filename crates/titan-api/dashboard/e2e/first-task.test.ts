// The first thing Titan does for a person: a message typed in the browser becomes a finished run, and everything about
// it reaches the screen without a reload. This test runs with the offline model and with a server of the real wire.
import { beforeAll, expect } from 'vitest';
import { getLogs, getStats, listEvents, listMessages, onlyTask } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import {
  answer,
  composer,
  counters,
  open,
  openTab,
  plain,
  textOf,
  turn,
  turnStatus,
  untilCounters,
  untilWriting,
} from './support/dashboard';
import { isMarked, mark, recordingOf } from './support/recorder';
import { settings } from './support/settings';
import { start, withApi, withoutWorker, workerEnv } from './support/stack';
import { until } from './support/until';

const browserTest = withBrowser();

// The test starts its worker itself: until then the task can be seen waiting, however fast a worker would take it.
beforeAll(withApi);
beforeAll(withoutWorker);

browserTest('a typed message becomes a finished run on the screen', async ({ page, context }) => {
  // The fake server takes its pace from the message, the offline model from the worker's environment.
  const message = settings.pass === 'openai' ? '[slow] What can you do for me?' : 'What can you do for me?';

  // Create a project, and begin on a page that is never loaded again.
  await open(page, '/projects');
  await mark(page);
  await page.getByTestId('new-project').first().click();
  const dialog = page.getByRole('dialog', { name: 'New project' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('My first project');
  await dialog.getByRole('textbox', { name: 'Description' }).fill('Made in the browser, without a terminal.');
  await dialog.getByRole('button', { name: 'Create project' }).click();
  await page.waitForURL(/\/projects\/[^/]+\/input$/);
  const projectId = new URL(page.url()).pathname.split('/')[2] ?? '';
  await page.getByText('Nothing said yet').waitFor();
  await untilCounters(page, { tasks: 0, runs: 0, memory: 0, outputs: 0 });

  // A second tab looks at the log, to see the lines come in by themselves.
  const logTab = await context.newPage();
  await open(logTab, `/projects/${projectId}/logs`);
  await logTab.getByText('No log lines yet').waitFor();
  await mark(logTab);

  // Queued: nobody serves it yet, and the page says so.
  await page.bringToFront();
  await composer(page).fill(message);
  await page.getByRole('button', { name: 'Send' }).click();
  const ours = turn(page, 'What can you do for me?');
  await turnStatus(ours, 'queued').waitFor();
  await ours.locator('[data-testid="hint"][data-code="no_worker"]').waitFor();
  await keepPicture(page, '1-queued');

  // Running: the answer grows.
  await start('worker', workerEnv('100ms'));
  await turnStatus(ours, 'in_progress').waitFor();
  await untilWriting(page);
  await keepPicture(page, '2-running');

  // Completed: the stored answer stands where the growing one was.
  await answer(ours).waitFor();
  await turnStatus(ours, 'completed').waitFor();
  await keepPicture(page, '3-completed');

  const task = await onlyTask(projectId);
  const recording = await recordingOf(page);
  expect(recording.statuses[task.id]).toEqual(['queued', 'in_progress', 'completed']);
  const stored = (await listMessages(projectId)).filter((entry) => entry.role === 'assistant');
  expect(stored).toHaveLength(1);
  const text = plain(stored[0]?.content ?? '');
  expect(await textOf(answer(ours).locator('p').first())).toBe(text);
  const lengths = recording.texts.map((shown) => plain(shown).length);
  expect(lengths.length, 'the answer was shown in pieces').toBeGreaterThan(2);
  expect(lengths, 'the answer only grew').toEqual([...lengths].sort((a, b) => a - b));
  for (const shown of recording.texts) expect(text.startsWith(plain(shown)), `"${shown}" begins the answer`).toBe(true);

  // The history tells the same story, without a gap.
  const events = await listEvents(task.latest_run?.id ?? '');
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  const kinds = events.map((event) => event.kind);
  expect(kinds[0]).toBe('run.created');
  expect(kinds.at(-1)).toBe('run.completed');
  for (const kind of ['run.started', 'delta', 'output.created', 'memory.created']) expect(kinds).toContain(kind);

  // The counters have risen, and are the server's.
  await untilCounters(page, { tasks: 1, runs: 1, memory: 1, outputs: 1 });
  const stats = await getStats(projectId);
  expect(await counters(page)).toEqual({
    tasks: stats.tasks.total,
    runs: stats.runs.total,
    memory: stats.memories,
    outputs: stats.outputs.total,
  });

  // The log came in by itself.
  const { total } = await getLogs(projectId);
  await logTab.bringToFront();
  await until('all log lines on the Logs tab', async () => {
    const said = await textOf(logTab.getByTestId('log-total'));
    const rows = await logTab.getByTestId('log-line').count();
    if (said === `${total} lines` && rows === total) return true;
    throw new Error(`of ${total} lines it says "${said}" and shows ${rows}`);
  });
  expect(total).toBeGreaterThan(2);
  await keepPicture(logTab, '4-logs');
  expect(await isMarked(logTab), 'the Logs tab was not reloaded').toBe(true);

  // What was made can be approved.
  await page.bringToFront();
  await openTab(page, 'Output');
  const output = page.getByTestId('output-detail');
  await output.locator('[data-status="review"]').waitFor();
  expect(await textOf(output.getByTestId('preview'))).toContain(text.slice(0, 60));
  await output.getByRole('button', { name: 'Approve' }).click();
  await output.getByTestId('decided').filter({ hasText: 'Approved' }).waitFor();
  await keepPicture(page, '5-approved');
  expect((await getStats(projectId)).outputs).toMatchObject({ total: 1, approved: 1, pending: 0 });

  // And it is remembered, and done.
  await page.getByTestId('counter-memory').click();
  await page.getByTestId('memory-row').first().waitFor();
  await openTab(page, 'Progress');
  await page.getByTestId('column-done').getByTestId('task-card').waitFor();
  await page.locator('[data-testid="run-row"] [data-status="completed"]').waitFor();
  await keepPicture(page, '6-progress');
  expect(await isMarked(page), 'the page was not reloaded').toBe(true);
});
