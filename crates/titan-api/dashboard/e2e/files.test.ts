// The files of a project: made, read, changed, looked at in their history, and deleted; and what somebody else changed meanwhile.
import { beforeAll, expect } from 'vitest';
import { createProject, putFile } from './support/api';
import { withBrowser } from './support/browser';
import { open } from './support/dashboard';
import { barriers, keepBoth } from './support/page-checks';
import { withApi } from './support/stack';

const browserTest = withBrowser();
beforeAll(withApi);

browserTest('files are made, changed and deleted, and their history is kept', async ({ page, expectErrors }) => {
  expectErrors(/Failed to load resource: the server responded with a status of (412|422)/);
  const project = await createProject('Files');
  await open(page, `/projects/${project.id}/output?segment=files`);
  await page.getByText('No files yet').waitFor();
  expect(await barriers(page)).toEqual([]);
  await keepBoth(page, 'files-empty');

  await page.getByRole('button', { name: 'New file' }).click();
  const dialog = page.getByRole('dialog', { name: 'New file' });
  await dialog.getByRole('textbox', { name: 'Path' }).fill('../outside');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByText(/is not a name/).waitFor();
  await dialog.getByRole('textbox', { name: 'Path' }).fill('docs/notes.md');
  await dialog.getByRole('textbox', { name: 'Text' }).fill('# Notes\n\nFirst.\n');
  expect(await barriers(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.waitFor({ state: 'detached' });

  const file = page.getByTestId('file');
  await file.getByRole('heading', { name: 'docs/notes.md' }).waitFor();
  await file.getByText('First.').waitFor();
  expect(await barriers(page)).toEqual([]);
  await keepBoth(page, 'files-file');

  // Somebody else is faster.
  await file.getByRole('button', { name: 'Edit' }).click();
  await file.getByRole('textbox').fill('# Notes\n\nMine.\n');
  await putFile(project.id, 'docs/notes.md', '# Notes\n\nTheirs.\n');
  await file
    .getByRole('alert')
    .getByText(/Somebody else has changed this file/)
    .waitFor();
  expect(await file.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  await file.getByRole('button', { name: 'Write over it' }).click();
  await file.getByRole('button', { name: 'Save' }).click();
  await file.getByText('Mine.').waitFor();

  await page.getByRole('switch', { name: 'History' }).click();
  const commits = page.getByTestId('commit');
  await commits.nth(2).waitFor();
  await commits.first().getByText('Write docs/notes.md').click();
  await commits.first().getByTestId('patch').getByText('+Mine.').waitFor();
  expect(await barriers(page)).toEqual([]);
  await keepBoth(page, 'files-history');
  await page.getByRole('switch', { name: 'History' }).click();

  await file.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No files yet').waitFor();
});
