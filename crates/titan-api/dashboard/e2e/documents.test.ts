// What a project is told beside its conversation: documents that are given, read, found and deleted, and the people around it.
import { beforeAll, expect } from 'vitest';
import { createProject } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import { open } from './support/dashboard';
import { barriers, overflows } from './support/page-checks';
import { withApi, withOneWorker } from './support/stack';

const browserTest = withBrowser();

beforeAll(withApi);
beforeAll(() => withOneWorker());

browserTest('documents are read and found, and contacts are written down', async ({ page, expectErrors }) => {
  // The photo is no document, and is refused.
  expectErrors(/status of 422 .*documents\?name=photo\.png/);
  const project = await createProject('Documents');
  await open(page, `/projects/${project.id}/input`);
  await page.getByRole('radiogroup', { name: 'What to show' }).getByText('Documents').click();
  await page.getByText('No documents yet').waitFor();
  await page
    .locator('input[type="file"]')
    .first()
    .setInputFiles([
      { name: 'prices.md', mimeType: 'text/markdown', buffer: Buffer.from('# Prices\n\nGreen tea costs 3 euros.') },
      { name: 'scan.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 and nothing else') },
      { name: 'photo.png', mimeType: 'image/png', buffer: Buffer.from([0x89, 0x50, 0, 1]) },
    ]);
  // They arrive by themselves, as far as each is read.
  const document = (name: string) => page.getByTestId('document').filter({ hasText: name });
  await document('prices.md').and(page.locator('[data-state="ready"]')).waitFor();
  await document('scan.pdf').and(page.locator('[data-state="failed"]')).waitFor();
  await document('scan.pdf').getByText('It cannot be read:').waitFor();
  await page.getByTestId('upload').getByText('must be a text in UTF-8').waitFor();
  await page.getByRole('button', { name: 'Take photo.png off the list' }).click();
  await keepPicture(page, 'documents-1-list');
  expect(await barriers(page)).toEqual([]);

  await page.getByRole('searchbox', { name: 'Search the documents' }).fill('gre tea');
  await page.getByTestId('passage').getByText('costs 3 euros').waitFor();
  expect(await page.getByTestId('documents-found').textContent()).toBe('1 passage found');
  await keepPicture(page, 'documents-2-found');
  await page.getByRole('searchbox', { name: 'Search the documents' }).press('Escape');

  await page.getByRole('button', { name: 'Delete scan.pdf' }).click();
  await page.getByRole('dialog', { name: 'Delete this document?' }).getByRole('button', { name: 'Delete' }).click();
  await document('scan.pdf').waitFor({ state: 'detached' });

  await page.getByRole('radiogroup', { name: 'What to show' }).getByText('Contacts').click();
  await page.getByText('No contacts yet').waitFor();
  await page.getByRole('button', { name: 'Add contact' }).click();
  const dialog = page.getByRole('dialog', { name: 'New contact' });
  await dialog.getByLabel('Name').fill('Ida Holm');
  await dialog.getByLabel('E-mail').fill('nobody');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Write one address').waitFor();
  await dialog.getByLabel('E-mail').fill('ida@example.com');
  await dialog.getByLabel('Tags').fill('VIP, tea');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByTestId('contact').getByText('#vip').waitFor();
  await keepPicture(page, 'documents-3-contacts');
  expect(await barriers(page)).toEqual([]);
  expect(await overflows(page)).toEqual([]);
});
