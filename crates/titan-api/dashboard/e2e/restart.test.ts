// What a person sees when parts of Titan die while an answer is being written: it goes on, and nothing is lost or shown
// twice.
import { afterEach, beforeEach, expect } from 'vitest';
import { createProject, getRun, listEvents, listMessages, onlyTask, untilFinished } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import {
  answer,
  composer,
  connection,
  open,
  openTab,
  plain,
  send,
  textOf,
  turn,
  turnStatus,
  untilWriting,
} from './support/dashboard';
import { isMarked, mark, recordingOf } from './support/recorder';
import { kill, start, withApi, withOneWorker, workerEnv } from './support/stack';
import { until } from './support/until';

const browserTest = withBrowser();
/** Between about 80 words: ten seconds, in which a worker can be killed. */
const PAUSE = '120ms';
/** Long enough to open a second tab on a busy machine before the API is killed. */
const LONG_PAUSE = '200ms';

beforeEach(withApi);
afterEach(withApi);

/** Chromium itself reports requests that failed while nobody listened. */
const UNREACHABLE = /Failed to load resource: net::ERR_|net::ERR_INCOMPLETE_CHUNKED_ENCODING/;

browserTest('the API is killed during an answer: every event arrives once', async ({ page, context, expectErrors }) => {
  expectErrors(UNREACHABLE);
  await withOneWorker({ pause: LONG_PAUSE });
  const project = await createProject('API killed');
  await open(page, `/projects/${project.id}/input`);
  await mark(page);
  await send(page, 'Go on after the API has died.');
  await untilWriting(page);

  // The run page in a second tab follows the same run.
  const task = await onlyTask(project.id);
  const runId = task.latest_run?.id ?? '';
  const runTab = await context.newPage();
  await open(runTab, `/runs/${runId}`);
  await mark(runTab);
  await untilWriting(runTab);
  expect((await getRun(runId)).status, 'the answer is still being written').toBe('running');

  await kill('api');
  for (const tab of [page, runTab]) await connection(tab, 'offline').waitFor();
  await page.getByRole('button', { name: /^Connection: Offline, data from \d/ }).waitFor();
  await keepPicture(page, 'restart-1-offline');
  await start('api');
  for (const tab of [page, runTab]) await connection(tab, 'live').waitFor({ timeout: 60_000 });

  const finished = await untilFinished(task.id);
  expect(finished.execution_status).toBe('completed');
  const ours = turn(page, 'Go on after the API has died.');
  await answer(ours).waitFor();
  await keepPicture(page, 'restart-2-live-again');
  expect(await answer(ours).count()).toBe(1);
  const stored = (await listMessages(project.id)).filter((message) => message.role === 'assistant');
  expect(stored).toHaveLength(1);
  const text = plain(stored[0]?.content ?? '');
  expect(await textOf(answer(ours).locator('p').first())).toBe(text);

  // The run page holds each event of the history once, and the whole answer.
  const events = await listEvents(runId);
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  const count = runTab.getByTestId('event-count').filter({ hasText: new RegExp(`^${events.length} events`) });
  await count.waitFor();
  await until('the whole answer on the run page', async () => {
    const shown = await textOf(runTab.getByTestId('streaming-text'));
    return shown === text;
  });
  for (const tab of [page, runTab]) {
    const recording = await recordingOf(tab);
    const [before, ...after] = recording.connection.slice(recording.connection.indexOf('live'));
    expect(before).toBe('live');
    expect(after, 'it said that it was reconnecting').toContain('reconnecting');
    expect(after.at(-1)).toBe('live');
    for (const shown of recording.texts) expect(text.startsWith(plain(shown)), `"${shown}"`).toBe(true);
    expect(await isMarked(tab), 'not reloaded').toBe(true);
  }
});

browserTest('the worker is killed during an answer: another finishes the run once', async ({ page }) => {
  await withOneWorker({ pause: PAUSE });
  const project = await createProject('Worker killed');
  await open(page, `/projects/${project.id}/input`);
  await mark(page);
  await send(page, 'Finish this although a worker dies.');
  await untilWriting(page);
  const task = await onlyTask(project.id);

  await kill('worker');
  await start('worker-second', workerEnv(PAUSE));
  const finished = await untilFinished(task.id);
  expect(finished.execution_status).toBe('completed');
  const run = await getRun(finished.latest_run?.id ?? '');
  expect(run.attempt, 'the answer was written by a second attempt').toBeGreaterThan(1);

  const ours = turn(page, 'Finish this although a worker dies.');
  await answer(ours).waitFor();
  await turnStatus(ours, 'completed').waitFor();
  await keepPicture(page, 'restart-3-rescued');
  const stored = (await listMessages(project.id)).filter((message) => message.role === 'assistant');
  expect(stored).toHaveLength(1);
  const text = plain(stored[0]?.content ?? '');
  expect(await answer(ours).count()).toBe(1);
  expect(await textOf(answer(ours).locator('p').first())).toBe(text);

  // No words of the attempt that died mix into the other's, and the state never goes back.
  const recording = await recordingOf(page);
  for (const shown of recording.texts) expect(text.startsWith(plain(shown)), `"${shown}"`).toBe(true);
  const order = ['queued', 'in_progress', 'completed'];
  const shown = recording.statuses[task.id] ?? [];
  expect(shown).toEqual(order.filter((status) => shown.includes(status)));
  const events = await listEvents(run.id);
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.filter((event) => event.kind === 'run.completed')).toHaveLength(1);
  expect(await isMarked(page), 'not reloaded').toBe(true);
});

browserTest('without the API the page stays, says so, and keeps what was typed', async ({ page, expectErrors }) => {
  expectErrors(UNREACHABLE);
  // Asked for while the API was away.
  expectErrors(/Failed to fetch dynamically imported module|Unable to preload CSS/);
  await withOneWorker();
  const project = await createProject('Offline page');
  await open(page, `/projects/${project.id}/input`);
  await page.getByText('Nothing said yet').waitFor();
  await mark(page);

  await kill('api');
  await connection(page, 'offline').waitFor();
  await page.getByTestId('banner-offline').waitFor();
  await composer(page).fill('Written while nobody could take it.');
  await composer(page).press('Control+Enter');
  await page.getByText('Titan cannot be reached now. Your text is kept.').waitFor();
  expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
  await keepPicture(page, 'offline-1-text-kept');

  // A tab whose code was never fetched: the page says so instead of falling apart.
  await openTab(page, 'Sales');
  await page.getByText('This page could not be fetched').waitFor();
  expect(await isMarked(page), 'the page did not leave for an error page of the browser').toBe(true);
  await openTab(page, 'Input');
  expect(await composer(page).inputValue()).toBe('Written while nobody could take it.');

  await start('api');
  await connection(page, 'live').waitFor({ timeout: 60_000 });
  await page.getByTestId('banner-offline').waitFor({ state: 'detached' });
  await page.reload({ waitUntil: 'domcontentloaded' });
  await connection(page, 'live').waitFor();
  expect(await composer(page).inputValue(), 'the draft outlives the page').toBe('Written while nobody could take it.');
  await page.getByRole('button', { name: 'Send' }).click();
  await turn(page, 'Written while nobody could take it.').waitFor();
  await untilFinished((await onlyTask(project.id)).id);
});
