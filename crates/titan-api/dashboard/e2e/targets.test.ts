// Where a project can go besides its preview: a folder of the worker's machine, and a service that is told to fetch it.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { onlyTask } from './support/api';
import { withBrowser } from './support/browser';
import { textOf } from './support/dashboard';
import { barriers, keepBoth } from './support/page-checks';
import { choose, pipeline, projectOf, SOON_MS, stage, untilMade } from './support/pipeline';
import { start, withApi, withoutWorker } from './support/stack';

const browserTest = withBrowser();

interface Call {
  method: string | undefined;
  headers: IncomingHttpHeaders;
  body: unknown;
}

/** A deploy hook that is not ready the first time, as services are that are being updated themselves. */
const calls: Call[] = [];
let hook: Server;

beforeAll(async () => {
  hook = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    calls.push({ method: request.method, headers: request.headers, body: JSON.parse(body) });
    response.writeHead(calls.length === 1 ? 503 : 204).end();
  });
  await new Promise<void>((resolve, reject) => {
    hook.once('error', reject);
    hook.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(() => {
  hook.closeAllConnections();
  hook.close();
});

beforeAll(withApi);
beforeAll(withoutWorker);
beforeAll(async () => {
  const { port } = hook.address() as AddressInfo;
  await start('worker', { TITAN_HOOK_SHOP: `http://127.0.0.1:${port}/deploy` });
});

/** Fills in the form of a site that goes somewhere else. */
async function siteTo(page: Page, target: string, name: string) {
  const dialog = await choose(page, 'static-site');
  await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
  await dialog.getByRole('combobox', { name: 'Deploy to' }).click();
  await dialog.getByRole('option', { name: target }).click();
  return { dialog, create: () => dialog.getByRole('button', { name: 'Create project' }).click() };
}

browserTest(
  'a site goes to a folder, whose place is shown',
  async ({ page }) => {
    const name = `Tea in a folder ${Date.now()}`;
    const { create } = await siteTo(page, 'Folder', name);
    await create();
    await page.waitForURL(/\/progress$/);
    await untilMade(page, SOON_MS);
    const publication = page.getByTestId('publication');
    await publication.getByText('v1').waitFor();
    const [folder] = /\/\S*output\/\S+$/.exec(await textOf(publication)) ?? [''];
    expect(await readFile(path.join(folder, 'index.html'), 'utf8')).toContain(`<h1>${name}</h1>`);
    expect(await page.getByTestId('preview').count(), 'nothing is served').toBe(0);
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'target-folder');
  },
  3 * SOON_MS,
);

browserTest(
  'a deploy hook is told of a site, once more when it was not ready, with the same key',
  async ({ page, expectErrors }) => {
    expectErrors(/status of 422/);
    const { dialog, create } = await siteTo(page, 'Deploy hook', `Tea for the shop ${Date.now()}`);
    await dialog.getByRole('textbox', { name: 'Hook' }).fill('not a name');
    await create();
    await dialog.getByText(/must name a deploy hook/).waitFor();
    await dialog.getByRole('textbox', { name: 'Hook' }).fill('SHOP');
    await create();
    await page.waitForURL(/\/progress$/);
    await untilMade(page, SOON_MS);
    await page.getByTestId('stage-deploy').getByText('attempt 2').waitFor();
    await page.getByTestId('publication').getByText('v1').waitFor();
    await keepBoth(page, 'target-hook');

    const task = await onlyTask(projectOf(page));
    expect(calls).toHaveLength(2);
    const [refused, taken] = calls;
    expect(taken?.body).toEqual(refused?.body);
    expect(taken?.headers['idempotency-key']).toBe(refused?.headers['idempotency-key']);
    expect(taken?.method).toBe('POST');
    expect(taken?.body).toMatchObject({
      project_id: task.project_id,
      run_id: task.latest_run?.id,
      template: expect.stringMatching(/^static-site@/),
    });
  },
  3 * SOON_MS,
);

browserTest(
  'a hook that the worker does not know says which variable is missing',
  async ({ page }) => {
    const { dialog, create } = await siteTo(page, 'Deploy hook', `Tea for nobody ${Date.now()}`);
    await dialog.getByRole('textbox', { name: 'Hook' }).fill('NOBODY');
    await create();
    await page.waitForURL(/\/progress$/);
    await stage(page, 'deploy', 'failed').waitFor({ timeout: SOON_MS });
    await pipeline(page)
      .getByTestId('pipeline-failure')
      .getByText(/TITAN_HOOK_NOBODY is not set/)
      .waitFor();
    await pipeline(page).getByRole('button', { name: 'Retry from deploy' }).waitFor();
  },
  3 * SOON_MS,
);
