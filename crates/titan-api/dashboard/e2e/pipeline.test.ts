// The pipeline of a template in a browser: created with its form, made stage by stage, opened in a second tab; one whose build
// fails, is mended in Files, and goes on where it stopped; one that is canceled in the middle. story.test.ts has the way there.
import { beforeAll, expect } from 'vitest';
import {
  createCommand,
  createProject,
  listEvents,
  onlyTask,
  putFile,
  startPipeline,
  untilFinished,
} from './support/api';
import { withBrowser } from './support/browser';
import { open } from './support/dashboard';
import { barriers, keepBoth, overflows } from './support/page-checks';
import {
  choose,
  NO_ICON,
  PACKAGES_MS,
  PREVIEW,
  pipeline,
  projectOf,
  SOON_MS,
  seen,
  stage,
  untilMade,
} from './support/pipeline';
import { withApi, withOneWorker } from './support/stack';
import { withTemplate } from './support/templates';
import { until } from './support/until';

const browserTest = withBrowser();

beforeAll(withApi);
beforeAll(() => withOneWorker());

browserTest(
  'a site is made of a template, and its preview is stopped and started',
  async ({ page, context, expectErrors, expectHosts }) => {
    expectErrors(NO_ICON);
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

    await page.getByRole('button', { name: 'Stop the preview' }).click();
    await page.getByTestId('preview').locator('[data-status="stopped"]').waitFor();
    await page.getByRole('button', { name: 'Start the preview' }).click();
    await page.getByTestId('preview').locator('[data-status="healthy"]').waitFor();
    const text = await seen(page, context);
    for (const words of [name, 'Where the oolong is poured by hand.', 'A map to the door'])
      expect(text).toContain(words);

    expect(await overflows(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 860 });
    await pipeline(page).scrollIntoViewIfNeeded();
    await keepBoth(page, 'pipeline-phone');
  },
  4 * SOON_MS,
);

browserTest(
  'a build that fails is mended in Files, and goes on from there',
  async ({ page, context, expectErrors, expectHosts }) => {
    expectErrors(NO_ICON);
    expectHosts(PREVIEW);
    // What is there is kept, so that the app begins with a page that cannot be built.
    const project = await createProject('Seed list');
    await putFile(project.id, 'src/main.ts', "import './missing.ts';\n");
    await startPipeline(project.id, { template: 'web-app', inputs: { title: project.name } });
    await open(page, `/projects/${project.id}/progress`);
    await stage(page, 'build', 'running').waitFor({ timeout: SOON_MS });
    await page.getByTestId('stage-log').getByText('npm ci').first().waitFor();
    await keepBoth(page, 'pipeline-building');
    const failure = page.getByTestId('pipeline-failure');
    await failure.waitFor({ timeout: PACKAGES_MS });
    expect(await failure.textContent()).toMatch(/Build failed.*exit code 1/);
    await failure.getByText(/missing\.ts/).waitFor();
    const complaint = page.getByTestId('stage-log').getByText(/missing\.ts/);
    await complaint.first().waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'pipeline-failed');

    await open(page, `/projects/${project.id}/output?segment=files&file=src/main.ts`);
    const file = page.getByTestId('file');
    await file.getByRole('button', { name: 'Edit' }).click();
    await file.getByRole('textbox').fill("document.body.append('Mended by hand.');\n");
    await file.getByRole('button', { name: 'Save' }).click();
    await file.getByText('Mended by hand').first().waitFor();

    await open(page, `/projects/${project.id}/progress`);
    await page.getByRole('button', { name: 'Retry from build' }).click();
    await page.locator('[data-testid="stage-scaffold"][data-kept]').waitFor();
    await untilMade(page, PACKAGES_MS);
    expect(await page.locator('[data-testid^="stage-"][data-kept]').count(), 'only the first stage was kept').toBe(1);
    await page.getByTestId('publication').getByText('v1').waitFor();
    await keepBoth(page, 'pipeline-mended');
    const text = await seen(page, context);
    for (const words of [project.name, 'Mended by hand.']) expect(text).toContain(words);
  },
  4 * PACKAGES_MS,
);

browserTest(
  'a build is canceled in the middle, leaves nothing to be seen, and is begun anew with another file',
  async ({ page, context, expectErrors, expectHosts }) => {
    expectErrors(NO_ICON);
    expectHosts(PREVIEW);
    await withTemplate('by-hand');
    const dialog = await choose(page, 'test/by-hand');
    const name = `Slow house ${Date.now()}`;
    await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
    await dialog.getByRole('button', { name: 'Create project' }).click();
    await page.waitForURL(/\/progress$/);
    const projectId = projectOf(page);
    await stage(page, 'build', 'running').waitFor({ timeout: SOON_MS });
    await page.getByTestId('stage-log').getByText('The script waits.', { exact: true }).waitFor();

    await pipeline(page).getByRole('button', { name: 'Cancel' }).click();
    await stage(page, 'build', 'canceled').waitFor();
    await stage(page, 'scaffold', 'completed').waitFor();
    for (const later of ['deploy', 'verify', 'publish'] as const)
      await stage(page, later, 'skipped').getByText('Not reached').waitFor();
    await page.getByTestId('preview').getByText('Nothing to be seen').waitFor();
    await page.getByTestId('publication').getByText('Nothing yet.').waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'pipeline-canceled');
    const canceled = await onlyTask(projectId);
    expect(canceled.execution_status).toBe('canceled');
    const kinds = (await listEvents(canceled.latest_run?.id ?? '')).map((event) => event.kind);
    expect(kinds.at(-1)).toBe('run.canceled');

    await putFile(projectId, 'build.sh', `mkdir -p page && echo '<h1>${name}</h1>' >page/index.html\n`);
    await pipeline(page).getByRole('button', { name: 'Start over' }).click();
    await stage(page, 'build', 'completed').waitFor({ timeout: SOON_MS });
    await untilMade(page, SOON_MS);
    expect(await seen(page, context)).toContain(name);
  },
  5 * SOON_MS,
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
