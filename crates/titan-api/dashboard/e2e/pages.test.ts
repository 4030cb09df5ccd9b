// Every address: it shows what it should under its own title, without a barrier, an error, or a sideways scrollbar.
// Errors on the console, requests to other hosts and refusals by the content policy fail any browser test.
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import type { Project, Task } from '../src/api/types';
import { approve, createProject, listOutputs, orderPlan, putFile, sendMessage, untilFinished } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import { open, turn, turnStatus } from './support/dashboard';
import { barriers, overflows } from './support/page-checks';
import { withApi, withOneWorker } from './support/stack';
import { until } from './support/until';

const browserTest = withBrowser();
const MARKDOWN =
  'Look at **this**:\n\n```js\nconst answer = 42;\n```\n\n<script>alert(1)</script> ![x](https://example.com/x.png)';
const FILE = 'docs/a-folder-with-a-rather-long-name/notes-on-everything-that-was-said.txt';

interface Address {
  path: string;
  title: string;
  /** Visible once the page is complete. */
  shows: (page: Page) => Promise<void>;
}

const testId = (id: string) => (page: Page) => page.getByTestId(id).first().waitFor();
const text = (words: string) => (page: Page) => page.getByText(words).first().waitFor();

let project: Project;
let empty: Project;
let task: Task;

beforeAll(withApi);
beforeAll(() => withOneWorker());
beforeAll(async () => {
  project = await createProject('Every page');
  empty = await createProject('An empty project');
  await untilFinished((await sendMessage(project.id, MARKDOWN)).id);
  task = await untilFinished((await sendMessage(project.id, 'A second message.')).id);
  const [output] = await listOutputs(project.id);
  if (output) await approve(output);
  await putFile(project.id, FILE, `A line of the file${', and it goes on'.repeat(20)}\n`);
  await untilFinished((await orderPlan(project.id, 'A page for our tea shop.')).id);
});

async function check(page: Page, { path, title, shows }: Address): Promise<string[]> {
  await open(page, path);
  await shows(page);
  const problems: string[] = [];
  await until(`the title "${title}"`, async () => {
    const now = await page.title();
    if (now === title) return true;
    throw new Error(`it is "${now}"`);
  }).catch((error: Error) => problems.push(error.message));
  problems.push(...(await barriers(page)));
  problems.push(...(await overflows(page)).map((width) => `wider than its window at ${width} px`));
  return problems.map((problem) => `${path}: ${problem}`);
}

async function checkAll(page: Page, addresses: Address[]): Promise<void> {
  const problems: string[] = [];
  for (const address of addresses) problems.push(...(await check(page, address)));
  expect(problems).toEqual([]);
}

browserTest('the pages of a project', async ({ page }) => {
  const base = `/projects/${project.id}`;
  const title = (tab: string) => `${tab} · ${project.name} · Titan`;
  await checkAll(page, [
    { path: `${base}/progress`, title: title('Progress'), shows: testId('task-card') },
    { path: `${base}/progress?task=${task.id}`, title: title('Progress'), shows: text('Execution log') },
    { path: `${base}/input`, title: title('Input'), shows: testId('assistant-message') },
    { path: `${base}/logs`, title: title('Logs'), shows: testId('log-line') },
    { path: `${base}/output`, title: title('Output'), shows: testId('preview') },
    { path: `${base}/output?segment=files`, title: title('Output'), shows: text('Choose a file') },
    { path: `${base}/output?segment=files&file=${FILE}`, title: title('Output'), shows: text('A line of the file') },
    { path: `${base}/output?segment=memory`, title: title('Output'), shows: testId('memory-row') },
    { path: `${base}/output?segment=memory&q=second`, title: title('Output'), shows: testId('memory-why') },
    { path: `${base}/input?segment=documents`, title: title('Input'), shows: text('No documents yet') },
    { path: `${base}/input?segment=contacts`, title: title('Input'), shows: text('No contacts yet') },
    { path: `${base}/plan`, title: title('Plan'), shows: testId('plan-version') },
    { path: `${base}/sales`, title: title('Sales'), shows: text('No offers yet') },
    { path: `${base}/sales?segment=leads`, title: title('Sales'), shows: text('No leads yet') },
  ]);
});

browserTest('the pages of a run, the list of projects and the system', async ({ page }) => {
  const run = task.latest_run?.id ?? '';
  const title = `Run ${run.replaceAll('-', '').slice(-8)} · ${project.name} · Titan`;
  await checkAll(page, [
    { path: `/runs/${run}`, title, shows: testId('event-row') },
    { path: `/runs/${run}?view=turns`, title, shows: testId('turn-card') },
    { path: `/runs/${run}?view=logs`, title, shows: testId('log-line') },
    { path: `/runs/${run}?view=outputs`, title, shows: testId('run-summary') },
    { path: '/projects', title: 'Titan', shows: testId('project-card') },
    { path: '/welcome', title: 'First steps · Titan', shows: testId('setup-row') },
    { path: '/templates', title: 'Templates · Titan', shows: testId('template') },
    { path: '/templates?q=static', title: 'Templates · Titan', shows: text('The style sheet is served') },
    { path: '/queue', title: 'Queue · Titan', shows: testId('queue-row') },
    { path: '/queue?state=completed', title: 'Queue · Titan', shows: testId('job-row') },
    { path: '/system', title: 'System · Titan', shows: testId('worker-row') },
  ]);
});

browserTest('pages with nothing to show, and addresses that lead nowhere', async ({ page, expectErrors }) => {
  // Asking for what does not exist is the point here.
  expectErrors(/status of 404/);
  const base = `/projects/${empty.id}`;
  const title = (tab: string) => `${tab} · ${empty.name} · Titan`;
  await checkAll(page, [
    { path: `${base}/progress`, title: title('Progress'), shows: text('No tasks yet') },
    { path: `${base}/input`, title: title('Input'), shows: text('Nothing said yet') },
    { path: `${base}/logs`, title: title('Logs'), shows: text('No log lines yet') },
    { path: `${base}/logs?level=error&q=xyz`, title: title('Logs'), shows: text('No line matches') },
    { path: `${base}/output`, title: title('Output'), shows: text('No outputs yet') },
    { path: `${base}/output?segment=files`, title: title('Output'), shows: text('No files yet') },
    { path: `${base}/output?segment=memory`, title: title('Output'), shows: text('Nothing remembered yet') },
    { path: `${base}/plan`, title: title('Plan'), shows: testId('wish') },
    {
      path: `${base}/output?segment=memory&q=xyz`,
      title: title('Output'),
      shows: text('Nothing remembered has these'),
    },
    { path: '/no/such/page', title: 'Titan', shows: text('There is no such page') },
  ]);
  for (const [path, words] of [
    [`/projects/${randomUUID()}/progress`, 'This project does not exist any more'],
    [`/runs/${randomUUID()}`, 'This run does not exist'],
  ] as const) {
    await open(page, path);
    await page.getByText(words).waitFor();
    expect(await barriers(page), path).toEqual([]);
  }
});

browserTest('a browser without SharedWorker is live as well', async ({ page, context }) => {
  const { id } = await createProject('No shared worker');
  await context.addInitScript(() => Reflect.deleteProperty(window, 'SharedWorker'));
  await open(page, `/projects/${id}/input`);
  expect(await page.evaluate(() => 'SharedWorker' in window)).toBe(false);
  await page.getByText('Nothing said yet').waitFor();
  await sendMessage(id, 'Said elsewhere.');
  await turn(page, 'Said elsewhere.').waitFor();
  await turnStatus(turn(page, 'Said elsewhere.'), 'completed').waitFor();
});

browserTest('dialogs, menus and the narrow layout', async ({ page }) => {
  await open(page, '/projects');
  await page.getByTestId('new-project').first().click();
  await page.getByRole('dialog', { name: 'New project' }).waitFor();
  expect(await barriers(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  // The chosen colours win over the system's, and outlive the page.
  await page.getByRole('button', { name: /^Colours:/ }).press('Enter');
  await page.getByRole('menuitem', { name: 'Dark' }).waitFor();
  expect(await barriers(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.getByRole('menuitem', { name: 'Dark' }).click();
  await page.locator('html[data-mantine-color-scheme="dark"]').waitFor();
  await page.reload({ waitUntil: 'domcontentloaded' });
  await page.locator('html[data-mantine-color-scheme="dark"]').waitFor();

  await page.setViewportSize({ width: 390, height: 860 });
  await page.getByRole('button', { name: 'Open the menu' }).click();
  await page.getByRole('dialog', { name: 'Titan' }).getByRole('link', { name: 'System' }).click();
  await page.waitForURL(/\/system$/);
  await page.getByTestId('worker-row').first().waitFor();
  await keepPicture(page, 'phone-dark-system');
});
