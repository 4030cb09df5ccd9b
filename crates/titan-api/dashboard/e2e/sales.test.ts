// Sales as a person does it: an offer is drafted and published, leads come in from a table after a look, move by keyboard,
// and go out.
import { beforeAll, expect } from 'vitest';
import { createProject, getLeadsExport } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import { open, pressFor } from './support/dashboard';
import { barriers, overflows } from './support/page-checks';
import { withApi } from './support/stack';

const browserTest = withBrowser();

const TABLE =
  'Name,E-Mail,Value,Currency\nIda Holm,ida@example.com,1200,EUR\nBo Berg,no address,,\n=cmd(),c@example.com,,\n';

beforeAll(withApi);

browserTest('an offer is published, and leads come in, move and go out', async ({ page }) => {
  const project = await createProject('Sales');
  await open(page, `/projects/${project.id}/sales`);
  await page.getByText('No offers yet').waitFor();
  await page.getByRole('button', { name: 'Draft an offer' }).click();
  const dialog = page.getByRole('dialog', { name: 'New offer' });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Write what is sold.').waitFor();
  await dialog.getByLabel('What is sold').fill('Website');
  await dialog.getByLabel('Price').fill('49,90');
  await keepPicture(page, 'sales-1-offer');
  expect(await barriers(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Save' }).click();
  const offer = page.getByTestId('offer').filter({ hasText: 'Website' });
  await offer.getByText('€49.90').waitFor();
  await offer.getByRole('button', { name: 'Actions for Website' }).click();
  await page.getByRole('menuitem', { name: 'Publish' }).click();
  await offer.locator('[data-status="completed"]').waitFor();

  await page.getByRole('radiogroup', { name: 'What to show' }).getByText('Leads').click();
  await page.getByText('No leads yet').waitFor();
  await page.getByRole('button', { name: 'Import' }).first().click();
  const importing = page.getByRole('dialog', { name: 'Import leads' });
  await importing
    .locator('input[type="file"]')
    .or(page.locator('input[type="file"]'))
    .first()
    .setInputFiles({ name: 'leads.csv', mimeType: 'text/csv', buffer: Buffer.from(TABLE) });
  await importing.getByText('It would become 2 new leads').waitFor();
  expect(await importing.getByTestId('import-row').first().getAttribute('data-action')).toBe('refused');
  await keepPicture(page, 'sales-2-import');
  expect(await barriers(page)).toEqual([]);
  await importing.getByRole('button', { name: 'Import 2 rows' }).click();
  const ida = page.getByTestId('lead').filter({ hasText: 'Ida Holm' });
  await ida.waitFor();
  expect(await page.getByTestId('lead').count()).toBe(2);

  // By keyboard: to the lead, its stages, and the second of them.
  await ida.getByRole('button', { name: 'Ida Holm', exact: true }).focus();
  await pressFor(page, 'm', page.getByRole('menuitem', { name: 'Qualified' }));
  await page.getByRole('menuitem', { name: 'Qualified' }).press('Enter');
  await page.locator('[data-testid="lead"][data-stage="qualified"]').waitFor();
  await page.getByRole('radiogroup', { name: 'Stage' }).getByText('Qualified 1 · €1,200.00').waitFor();

  await ida.getByRole('button', { name: 'Ida Holm', exact: true }).click();
  const lead = page.getByRole('dialog', { name: 'Change a lead' });
  await lead.getByRole('textbox', { name: 'Note', exact: true }).fill('Wants it by May.');
  await lead.getByRole('button', { name: 'Add note' }).click();
  await lead.getByTestId('note').getByText('Wants it by May.').waitFor();
  await page.keyboard.press('Escape');
  await ida.getByText('1 note').waitFor();
  await keepPicture(page, 'sales-3-leads');
  expect(await barriers(page)).toEqual([]);
  expect(await overflows(page)).toEqual([]);

  const table = await getLeadsExport(project.id);
  expect(table).toContain("'=cmd()");
  expect(table).toContain('Ida Holm,,ida@example.com,,,qualified,1200.00,EUR');
});
