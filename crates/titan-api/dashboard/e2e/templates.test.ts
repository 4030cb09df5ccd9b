// Templates come to an installation from a file or from git, and go again.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { keepPicture, withBrowser } from './support/browser';
import { open } from './support/dashboard';
import { barriers, overflows } from './support/page-checks';
import { withApi, withOneWorker } from './support/stack';

const browserTest = withBrowser();

beforeAll(withApi);
beforeAll(() => withOneWorker());

/** A template with this content, as somebody would pack it. */
function archive(name: string, content: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'titan-template-'));
  try {
    mkdirSync(join(folder, 'files'));
    const manifest = [
      `name: ${name}`,
      'version: 1.0.0',
      'title: Shop of a test',
      'description: A shop that came from a file.',
      'inputs: {type: object, properties: {}}',
      'files: [{from: "**"}]',
      'deploy: {directory: {from: .}}',
    ];
    writeFileSync(join(folder, 'template.yaml'), manifest.join('\n'));
    writeFileSync(join(folder, 'files/README.md'), content);
    execFileSync('tar', ['-czf', 'all.tgz', 'template.yaml', 'files'], { cwd: folder });
    return readFileSync(join(folder, 'all.tgz'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

browserTest('a template is installed from a file and from git, and uninstalled', async ({ page, expectErrors }) => {
  // A password in the address, other content under the same version, and the version after it is gone.
  expectErrors(/status of (404|409|422)/);
  const name = `test/shop-${Date.now().toString(36)}x`;
  const file = (content: string) => ({
    name: 'shop.tgz',
    mimeType: 'application/gzip',
    buffer: archive(name, content),
  });
  await open(page, '/templates');
  const dialog = page.getByRole('dialog', { name: 'Install a template' });
  const install = dialog.getByRole('button', { name: 'Install' });

  // By keyboard alone: what is refused stays as it was typed.
  await page.getByRole('button', { name: 'Install' }).focus();
  await page.keyboard.press('Enter');
  const address = dialog.getByRole('textbox', { name: 'Address' });
  await address.waitFor();
  await address.fill('https://me:word@localhost:9/team/shop.git');
  await page.keyboard.press('Enter');
  await dialog.getByText('must hold no user or password').waitFor();
  expect(await address.inputValue()).toBe('https://me:word@localhost:9/team/shop.git');
  await keepPicture(page, 'templates-1-refused');
  expect(await barriers(page)).toEqual([]);
  await address.fill('https://localhost:9/team/shop.git');
  await dialog.getByRole('textbox', { name: 'Tag, branch or commit' }).fill('v1');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });

  // A worker tries it, and may not go there. The page shows so by itself.
  const failed = page
    .locator('[data-testid="install"][data-state="failed"]')
    .filter({ hasText: 'localhost:9' })
    .first();
  await failed.getByText('which is not on the public internet').waitFor();
  await keepPicture(page, 'templates-2-failed');
  expect(await barriers(page)).toEqual([]);
  expect(await overflows(page)).toEqual([]);
  await failed.getByRole('button', { name: /^Try again/ }).click();
  expect(await dialog.getByRole('textbox', { name: 'Tag, branch or commit' }).inputValue()).toBe('v1');

  await dialog.getByText('From a file').click();
  await dialog.locator('input[type="file"]').setInputFiles(file('One\n'));
  await install.click();
  await dialog.waitFor({ state: 'detached' });
  await page.waitForURL(/template=test/);
  const template = page.getByTestId('template');
  await template.getByText(`${name}@1.0.0`).first().waitFor();
  await template.getByText('installed from an archive').waitFor();

  await page.getByRole('button', { name: 'Install', exact: true }).click();
  await dialog.getByText('From a file').click();
  await dialog.locator('input[type="file"]').setInputFiles(file('Two\n'));
  await install.click();
  await dialog.getByText('give what has changed a higher version').waitFor();
  await keepPicture(page, 'templates-3-conflict');
  expect(await barriers(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });

  await template.getByRole('button', { name: `Uninstall ${name}@1.0.0` }).click();
  const question = page.getByRole('dialog', { name: 'Uninstall this template?' });
  await question.getByText(`${name}@1.0.0`).waitFor();
  await keepPicture(page, 'templates-4-uninstall');
  expect(await barriers(page)).toEqual([]);
  await question.getByRole('button', { name: 'Uninstall' }).click();
  await question.waitFor({ state: 'detached' });
  await page.waitForURL((url) => !url.search.includes('template='));
  await page.getByTestId('template-row').filter({ hasText: name }).waitFor({ state: 'detached' });
});
