// The memory of a project in the hands of a person: added, looked for, pinned, changed, taken along, forgotten and erased.
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import type { Memory } from '../src/api/types';
import { createProject, listMemories, sendMessage, untilFinished } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import { open, untilCounters } from './support/dashboard';
import { barriers, overflows, settled } from './support/page-checks';
import { withApi, withOneWorker } from './support/stack';
import { until } from './support/until';

const browserTest = withBrowser();

beforeAll(withApi);
beforeAll(() => withOneWorker());

const row = (page: Page, words: string) => page.getByTestId('memory-row').filter({ hasText: words });

async function remember(page: Page, words: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Something to remember' }).fill(words);
  await page.getByRole('button', { name: 'Remember', exact: true }).click();
  await row(page, words).waitFor();
}

async function memoryOf(projectId: string, words: string): Promise<Memory> {
  const found = (await listMemories(projectId)).find((memory) => memory.content.includes(words));
  if (found === undefined) throw new Error(`nothing with "${words}" is remembered`);
  return found;
}

browserTest('memories are added, found, pinned, changed, taken along, forgotten and erased', async ({ page }) => {
  const project = await createProject('A memory');
  await untilFinished((await sendMessage(project.id, 'What grows in the garden?')).id);
  await open(page, `/projects/${project.id}/output?segment=memory`);
  await row(page, 'What grows in the garden?').getByRole('link', { name: /^Run / }).waitFor();

  await remember(page, 'Ida Holm sits at desk 17.');
  await remember(page, 'The shop opens at nine.');
  // What is remembered already, in other letters, is one memory.
  await page.getByRole('textbox', { name: 'Something to remember' }).fill('the shop opens at NINE');
  await page.getByRole('button', { name: 'Remember', exact: true }).click();
  await until('an empty field', async () => (await page.getByLabel('Something to remember').inputValue()) === '');
  expect(await listMemories(project.id)).toHaveLength(3);

  await page.getByRole('searchbox', { name: 'Search the memory' }).fill('des');
  await page.waitForURL(/q=des/);
  await row(page, 'desk 17').getByText('Found by its words').waitFor();
  expect(await page.getByTestId('memory-row').count()).toBe(1);
  await page.getByRole('searchbox', { name: 'Search the memory' }).fill('');
  await row(page, 'opens at nine').waitFor();

  await row(page, 'desk 17').getByRole('button', { name: /^Pin/ }).press('Enter');
  await page.locator('[data-testid="memory-row"][data-pinned="true"]', { hasText: 'desk 17' }).waitFor();
  expect((await memoryOf(project.id, 'desk 17')).pinned).toBe(true);

  await row(page, 'opens at nine').getByRole('button', { name: /^Edit/ }).click();
  const edit = page.getByRole('dialog', { name: 'Change a memory' });
  await edit.getByLabel('What is remembered').fill('The shop opens at ten.');
  await edit.getByText('Single agents').click();
  await edit.getByLabel('Agent', { exact: true }).fill('ada');
  await edit.getByLabel('Until the end of').fill('2099-12-31');
  await settled(page);
  await keepPicture(page, 'memory-2-edit');
  expect(await barriers(page)).toEqual([]);
  await edit.getByRole('button', { name: 'Save' }).click();
  await edit.waitFor({ state: 'detached' });
  await page.getByRole('region', { name: 'Agent ada' }).getByText('The shop opens at ten.').waitFor();
  const changed = await memoryOf(project.id, 'opens at ten');
  expect([changed.scope, changed.agent, changed.expires_at?.slice(0, 4)]).toEqual(['agent', 'ada', '2099']);
  await keepPicture(page, 'memory-1-groups');

  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export' }).click();
  const file = await (await downloading).path();
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as Memory).id).sort()).toEqual(
    (await listMemories(project.id)).map(({ id }) => id).sort(),
  );

  await row(page, 'opens at ten')
    .getByRole('button', { name: /^Forget/ })
    .click();
  await page.getByRole('dialog', { name: 'Forget this?' }).getByRole('button', { name: 'Forget' }).click();
  await row(page, 'opens at ten').waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Erase' }).click();
  const erase = page.getByRole('dialog', { name: 'Erase memories' });
  await erase.getByLabel('Name of the person').fill('ida holm');
  const button = erase.getByRole('button', { name: 'Erase' });
  expect(await button.isDisabled(), 'nothing is erased without the word').toBe(true);
  await erase.getByLabel('Type erase to confirm').fill('erase');
  await settled(page);
  await keepPicture(page, 'memory-3-erase');
  expect(await barriers(page)).toEqual([]);
  await button.click();
  await row(page, 'desk 17').waitFor({ state: 'detached' });
  await page.getByText('Erased 1 memory').waitFor();
  expect((await listMemories(project.id)).map(({ content }) => content)).toEqual([
    expect.stringContaining('What grows in the garden?'),
  ]);
  await untilCounters(page, { tasks: 1, runs: 1, memory: 1, outputs: 1 });
  expect(await overflows(page)).toEqual([]);
});
