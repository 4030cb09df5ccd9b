// What a person sees when a model does not answer at once, not at all, or may not be asked: against the server of the real
// wire, since the offline model does none of this.
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect } from 'vitest';
import { createProject, listCalls, listTasks, onlyTask, putBudget, untilFinished } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import { answer, open, openTab, send, textOf, turn, turnStatus, untilWriting } from './support/dashboard';
import { barriers, keepBoth } from './support/page-checks';
import { settings } from './support/settings';
import { kill, start, withApi, withOneWorker, withoutWorker } from './support/stack';

const browserTest = withBrowser();

describe.skipIf(settings.pass !== 'openai')('a model behind a wire', () => {
  beforeAll(withApi);

  browserTest('that asks for a pause twice is waited for, and says so', async ({ page }) => {
    await withOneWorker();
    const project = await createProject('Asks for a pause');
    await open(page, `/projects/${project.id}/input`);
    await send(page, '[429] [429] Patience.');
    const ours = turn(page, 'Patience.');
    const first = ours.getByTestId('wait').filter({ hasText: 'Attempt 2 of' });
    await first.waitFor();
    expect(await textOf(first)).toMatch(
      /^openai: .*refuses more requests.* Trying again (in \d s|now)\. Attempt 2 of \d\./,
    );
    await keepPicture(page, 'waits-to-try-again');
    const second = ours.getByTestId('wait').filter({ hasText: 'Attempt 3 of' });
    await second.waitFor();
    expect(await textOf(second)).toMatch(/refuses more requests/);
    await answer(ours).waitFor();
    await turnStatus(ours, 'completed').waitFor();
    expect(await ours.getByTestId('wait').count()).toBe(0);

    // The run keeps the story: two that failed, and one that was answered.
    await ours.getByRole('link', { name: 'Run', exact: true }).click();
    await page.waitForURL(/\/runs\//);
    await page.getByText('Turns', { exact: true }).click();
    const cards = page.locator('[data-testid="turn-card"][data-purpose="answer"]');
    await cards.nth(2).waitFor();
    expect(await cards.evaluateAll((all) => all.map((card) => card.getAttribute('data-state')))).toEqual([
      'failed',
      'failed',
      'answered',
    ]);
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'turns');
  });

  browserTest('whose key is wrong fails with the reason and the name of the variable', async ({ page }) => {
    await withoutWorker();
    await start('worker', { OPENAI_API_KEY: 'wrong' });
    const project = await createProject('Wrong key');
    await open(page, `/projects/${project.id}/input`);
    await send(page, 'Nobody will answer this.');
    const ours = turn(page, 'Nobody will answer this.');
    await turnStatus(ours, 'failed').waitFor();
    const reason = ours.getByRole('alert');
    await reason.getByText(/does not accept the key in OPENAI_API_KEY/).waitFor();
    expect(await textOf(reason), 'a key is never shown').not.toContain('wrong.');
    await keepPicture(page, 'wrong-key');
    await reason.getByRole('link', { name: 'Where OPENAI_API_KEY is set' }).click();
    await page.waitForURL(/\/system#setup$/);
    await page.getByTestId('setup').getByText('OPENAI_API_KEY', { exact: true }).waitFor();
    await page.locator('[data-testid="provider-row"] [data-status="failing"]').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByTestId('providers').scrollIntoViewIfNeeded();
    await keepBoth(page, 'system-failing-provider');
  });

  browserTest('whose budget is used up waits where one looks, and goes on when it is raised', async ({ page }) => {
    await withOneWorker();
    const project = await createProject('One call');
    await putBudget(project.id, { calls: 1 });
    await open(page, `/projects/${project.id}/input`);
    await page.getByTestId('budget-gauge').getByText('0 of 1 call in total').waitFor();
    await send(page, 'The first message.');
    await answer(turn(page, 'The first message.')).waitFor();
    await page.getByTestId('budget-gauge').getByText('used up').waitFor();

    await send(page, 'The second message.');
    const second = turn(page, 'The second message.');
    await second
      .getByTestId('wait')
      .getByText(/The budget of the project is used up: 1 of 1 calls are made/)
      .waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'waits-for-a-budget');

    // The same on Progress and on the run, each with the way out.
    await openTab(page, 'Progress');
    await page.getByTestId('needs-budget').getByRole('button', { name: 'Raise the budget' }).waitFor();
    await page.getByTestId('now').getByTestId('wait').waitFor();
    await keepPicture(page, 'waits-for-a-budget-progress');
    await page.getByTestId('needs-budget').getByRole('link').click();
    await page.waitForURL(/\/runs\//);
    await page.locator('header [data-status="waiting"]').waitFor();
    await page.getByTestId('wait').getByRole('button', { name: 'Raise the budget' }).click();
    const dialog = page.getByRole('dialog', { name: 'Raise the budget of this project' });
    await dialog.waitFor();
    expect(await dialog.getByRole('textbox', { name: 'Calls' }).inputValue()).toBe('2');
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'raise-the-budget');
    await dialog.getByRole('button', { name: 'Raise', exact: true }).click();
    await page.locator('header [data-status="completed"]').waitFor();
    for (const task of await listTasks(project.id)) {
      const ended = await untilFinished(task.id);
      expect(ended.execution_status).toBe('completed');
      const calls = await listCalls(ended.latest_run?.id ?? '');
      expect(calls.filter((call) => call.purpose === 'answer' && call.state === 'answered')).toHaveLength(1);
    }
  });

  browserTest('that fails is replaced by the next one, and both are told of', async ({ page }) => {
    await withoutWorker();
    await start('worker', { TITAN_FALLBACK_MODELS: 'openai:fake-second' });
    const project = await createProject('Falls back');
    await open(page, `/projects/${project.id}/input`);
    await send(page, '[500] Somebody will answer.');
    const ours = turn(page, 'Somebody will answer.');
    await turnStatus(ours, 'completed').waitFor();
    await ours.getByRole('link', { name: 'Run', exact: true }).click();
    await page.waitForURL(/\/runs\//);
    await page.getByText('Turns', { exact: true }).click();
    const cards = page.locator('[data-testid="turn-card"][data-purpose="answer"]');
    await cards.nth(1).getByText('instead of openai:').waitFor();
    expect(await cards.evaluateAll((all) => all.map((card) => card.getAttribute('data-state')))).toEqual([
      'failed',
      'answered',
    ]);
    expect(await textOf(cards.nth(1))).toContain('fake-second');
    expect(await textOf(cards.nth(1)), 'the same attempt').not.toContain('attempt 2');
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'turns-fallback');
  });

  browserTest('whose worker is lost counts as asked, and is asked again', async ({ page }) => {
    await withOneWorker();
    const project = await createProject('Lost call');
    await open(page, `/projects/${project.id}/input`);
    await send(page, '[slow] Finish this although a worker dies.');
    await untilWriting(page);
    await kill('worker');
    await start('worker-second');
    const ours = turn(page, 'Finish this although a worker dies.');
    await turnStatus(ours, 'completed').waitFor({ timeout: 60_000 });
    await ours.getByRole('link', { name: 'Run', exact: true }).click();
    await page.waitForURL(/\/runs\//);
    await page.getByText('Turns', { exact: true }).click();
    const lost = page.locator('[data-testid="turn-card"][data-state="lost"]');
    await lost.getByText(/its worker was lost.*it counts as made/).waitFor();
    expect(await lost.count()).toBe(1);
    await page.locator('[data-testid="turn-card"][data-purpose="answer"][data-state="answered"]').waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'turns-lost');
  });

  browserTest('may have a budget for everything, for a task and for a run', async ({ page }) => {
    await withOneWorker();
    const project = await createProject('Budgets');
    await open(page, '/system');
    await setCalls(page, 'installation', 'Set a budget', '5000');
    await page.reload();
    const all = budgetOf(page, 'installation');
    await all.getByText(/of 5,000 calls in total/).waitFor();
    await keepBoth(page, 'budget-installation');
    await all.getByRole('button', { name: 'Change the budget' }).click();
    await budgetDialog(page).getByRole('button', { name: 'Remove the limit' }).click();
    await all.getByRole('button', { name: 'Set a budget' }).waitFor();

    await open(page, `/projects/${project.id}/input`);
    await send(page, '[slow] A long one.');
    await untilWriting(page);
    const task = await onlyTask(project.id);
    await open(page, `/runs/${task.latest_run?.id}`);
    await setCalls(page, 'run', 'Limit this run', '7');
    await budgetOf(page, 'run').getByText('of 7 calls').waitFor();
    await untilFinished(task.id);

    await open(page, `/projects/${project.id}/progress?task=${task.id}`);
    await setCalls(page, 'task', 'Limit this task', '9');
    await budgetOf(page, 'task').getByText('of 9 calls').waitFor();
    expect(await barriers(page)).toEqual([]);
    await keepBoth(page, 'budget-task');
  });
});

const budgetOf = (page: Page, scope: string) => page.locator(`[data-testid="budget"][data-scope="${scope}"]`);

const budgetDialog = (page: Page) => page.getByRole('dialog', { name: /^Budget of/ });

/** A limit of calls, set as a person would; nonsense first. */
async function setCalls(page: Page, scope: string, button: string, calls: string): Promise<void> {
  await budgetOf(page, scope).getByRole('button', { name: button }).click();
  const dialog = budgetDialog(page);
  const field = dialog.getByRole('textbox', { name: 'Calls' });
  await field.fill('many');
  await dialog.getByRole('button', { name: 'Set the budget' }).click();
  await expect.poll(() => field.getAttribute('aria-invalid')).toBe('true');
  await field.fill(calls);
  await dialog.getByRole('button', { name: 'Set the budget' }).click();
  await dialog.waitFor({ state: 'detached' });
}
