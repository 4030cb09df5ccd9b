// Projects are created, renamed and deleted in the browser.
import { beforeAll, expect } from 'vitest';
import { createProject, getProject } from './support/api';
import { withBrowser } from './support/browser';
import { open } from './support/dashboard';
import { withApi } from './support/stack';

const browserTest = withBrowser();

beforeAll(withApi);

browserTest('a project needs a name, and is one project however often Create is pressed', async ({ page }) => {
  const name = `Created once ${Date.now()}`;
  await open(page, '/projects');
  await page.getByTestId('new-project').first().click();
  const dialog = page.getByRole('dialog', { name: 'New project' });
  const create = dialog.getByRole('button', { name: 'Create project' });
  await create.click();
  await dialog.getByText('A project needs a name.').waitFor();
  await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
  await create.dblclick();
  await page.waitForURL(/\/projects\/[^/]+\/input$/);
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await dialog.waitFor({ state: 'detached' });

  await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'Projects' }).click();
  const card = page.getByRole('article', { name });
  await card.waitFor();
  expect(await card.count()).toBe(1);
});

browserTest(
  'a project is renamed and deleted, and a page that still shows it says so',
  async ({ page, context, expectErrors }) => {
    // The other page asks for what is gone.
    expectErrors(/status of 404/);
    const project = await createProject('To be renamed');
    const other = await context.newPage();
    await open(other, `/projects/${project.id}/progress`);

    await page.bringToFront();
    await open(page, '/projects');
    const renamed = `${project.name}, renamed`;
    await page.getByRole('button', { name: `Actions for ${project.name}`, exact: true }).click();
    await page.getByRole('menuitem', { name: 'Rename or describe' }).click();
    const edit = page.getByRole('dialog', { name: 'Change the project' });
    await edit.getByRole('textbox', { name: 'Name' }).fill(renamed);
    await edit.getByRole('button', { name: 'Save' }).click();
    await edit.waitFor({ state: 'detached' });
    await page.getByRole('article', { name: renamed, exact: true }).waitFor();
    await other.getByRole('heading', { level: 1, name: renamed }).waitFor();
    const stored = await getProject(project.id);
    expect(stored.name).toBe(renamed);
    expect(stored.spec, 'the description stayed').toEqual(project.spec);

    await page.getByRole('button', { name: `Actions for ${renamed}`, exact: true }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete the project' });
    const remove = dialog.getByRole('button', { name: 'Delete project' });
    const confirm = dialog.getByRole('textbox', { name: /confirm/ });
    await confirm.fill(project.name);
    expect(await remove.isDisabled(), 'an old name does not confirm').toBe(true);
    await confirm.fill(renamed);
    await remove.click();
    await page.getByRole('article', { name: renamed, exact: true }).waitFor({ state: 'detached' });
    await other.getByText('This project does not exist any more').waitFor();
  },
);
