// What a person sees when a model does not answer at once, not at all, or may not be asked: against the server of the real
// wire, since the offline model does none of this.
import { beforeAll, describe, expect } from 'vitest';
import { createProject, listCalls, listTasks, putBudget, untilFinished } from './support/api';
import { keepPicture, withBrowser } from './support/browser';
import { answer, open, openTab, send, textOf, turn, turnStatus } from './support/dashboard';
import { barriers, keepBoth } from './support/page-checks';
import { settings } from './support/settings';
import { start, withApi, withOneWorker, withoutWorker } from './support/stack';

const browserTest = withBrowser();

describe.skipIf(settings.pass !== 'openai')('a model behind a wire', () => {
  beforeAll(withApi);

  browserTest('that asks for a pause and then fails is waited for, and says so', async ({ page }) => {
    await withOneWorker();
    const project = await createProject('Asks for a pause');
    await open(page, `/projects/${project.id}/input`);
    await send(page, '[429] [500] Patience.');
    const ours = turn(page, 'Patience.');
    const first = ours.getByTestId('wait').filter({ hasText: 'Attempt 2 of' });
    await first.waitFor();
    expect(await textOf(first)).toMatch(
      /^openai: .*refuses more requests.* Trying again (in \d s|now)\. Attempt 2 of \d\./,
    );
    await keepPicture(page, 'waits-to-try-again');
    const second = ours.getByTestId('wait').filter({ hasText: 'Attempt 3 of' });
    await second.waitFor();
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
});
