// What a run made: shown, rejected with a comment and made again, its versions compared, and approved; by mouse and by keys.
import { beforeAll, expect } from 'vitest';
import { createProject, listOutputs, listRuns, sendMessage, untilFinished } from './support/api';
import { withBrowser } from './support/browser';
import { open } from './support/dashboard';
import { barriers, keepBoth } from './support/page-checks';
import { withApi, withOneWorker } from './support/stack';
import { until } from './support/until';

const browserTest = withBrowser();
beforeAll(withApi);
beforeAll(() => withOneWorker());

browserTest('an output is rejected, made again, compared and approved', async ({ page }) => {
  const project = await createProject('Outputs');
  await open(page, `/projects/${project.id}/output`);
  await page.getByText('No outputs yet').waitFor();
  expect(await barriers(page)).toEqual([]);

  const task = await sendMessage(project.id, 'Write a slogan for tea.');
  await untilFinished(task.id);
  const detail = page.getByTestId('output-detail');
  await detail.getByTestId('preview').waitFor();
  expect(await detail.getByTestId('versions').count()).toBe(0);
  expect(await barriers(page)).toEqual([]);
  await keepBoth(page, 'outputs-one');

  // By key the comment is asked for first.
  await page.keyboard.press('r');
  await page.keyboard.type('Too long.');
  await detail.getByRole('button', { name: 'Reject and run again' }).click();
  await page.getByText('Rejected, and begun again: Answer').waitFor();
  const runs = await until('a second run that has ended', async () => {
    const runs = await listRuns(project.id);
    return runs.length === 2 && runs.every((run) => run.status === 'completed') && runs;
  });
  expect(runs[0]?.retry_of).toBe(runs[1]?.id);

  // The new version appears by itself, and is opened.
  const items = page.getByRole('navigation', { name: 'Outputs' }).getByRole('button');
  await items.nth(1).waitFor();
  await items.first().click();
  const versions = detail.getByTestId('versions');
  await versions.getByRole('link', { name: 'Version 2' }).waitFor();
  await versions.getByText('rejected').waitFor();
  await versions.getByRole('combobox', { name: 'Compare with' }).selectOption({ label: 'Version 1' });
  // The offline model says the same again.
  await versions.getByText('The two are the same').waitFor();
  expect(await barriers(page)).toEqual([]);
  await keepBoth(page, 'outputs-versions');

  await versions.getByRole('link', { name: 'Version 1' }).click();
  await detail.getByTestId('decided').getByText('Too long.').waitFor();
  await versions.getByRole('link', { name: 'Version 2' }).click();
  await detail.getByRole('button', { name: 'Approve' }).click();
  await detail
    .getByTestId('decided')
    .getByText(/Approved/)
    .waitFor();
  const outputs = await listOutputs(project.id);
  expect(outputs.map(({ review }) => review)).toEqual(['approved', 'rejected']);
});
