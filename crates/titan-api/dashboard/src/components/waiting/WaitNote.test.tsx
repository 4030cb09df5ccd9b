import { cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { aBudget, aRun, aSpending } from '../../test/fixtures';
import { fakeServer, json, renderPage } from '../../test/render';
import { WaitNote } from './WaitNote';
import type { Wait } from './wait';

const NONE = { cost: null, tokens: null, calls: null };
const usedUp = aSpending({
  budget: aBudget({ limit: { ...NONE, calls: 1 }, left: { ...NONE, calls: 0 } }),
  waiting_runs: 1,
});
const wait = (over: Partial<Wait>): Wait => ({
  on: 'timer',
  reason: '',
  since: null,
  until: null,
  failed: null,
  ...over,
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a run that waits to try again', () => {
  it('says who failed with what, when it is tried again, and which attempt that is', async () => {
    const until = new Date(Date.now() + 90_000).toISOString();
    const failed = { attempt: 1, most: 4, error: 'the model provider refuses more requests', provider: 'openai' };
    await renderPage(<WaitNote wait={wait({ until, failed })} run={aRun()} />);
    const note = await screen.findByTestId('wait');
    expect(note.textContent).toMatch(
      /^openai: the model provider refuses more requests\. Trying again in 1 min\. Attempt 2 of 4\.$/,
    );
    expect(within(note).queryByRole('button')).toBeNull();
  });
});

describe('a run that waits', () => {
  it('goes on at its time, or looks again whether something has happened', async () => {
    const until = new Date(Date.now() + 90_000).toISOString();
    for (const [on, words] of [
      ['timer', 'No check yet. Goes on in 1 min.'],
      ['event', 'No check yet. Looks again in 1 min.'],
    ] as const) {
      await renderPage(<WaitNote wait={wait({ on, until, reason: 'no check yet' })} run={aRun()} />);
      expect((await screen.findByTestId('wait')).textContent).toBe(words);
      cleanup();
    }
  });
});

describe('a run that waits for a budget', () => {
  it('says why, and the budget that is meant is raised right there', async () => {
    const reason = 'the budget of the task is used up: 1 of 1 calls are made';
    const server = fakeServer({
      'GET /api/tasks/t1/budget': () => json(usedUp),
      'PUT /api/tasks/t1/budget': () => json(aSpending()),
    });
    vi.stubGlobal('fetch', server.fetch);
    const since = new Date().toISOString();
    await renderPage(<WaitNote wait={wait({ on: 'budget', reason, since })} run={aRun()} />);
    expect((await screen.findByTestId('wait')).textContent).toContain(
      'The budget of the task is used up: 1 of 1 calls are made. Waiting since just now.',
    );
    await userEvent.click(screen.getByRole('button', { name: 'Raise the budget' }));
    const dialog = await screen.findByRole('dialog', { name: 'Raise the budget of this task' });
    expect(within(dialog).getByLabelText<HTMLInputElement>('Calls').value).toBe('2');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Raise' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(server.calls.find((call) => call.method === 'PUT')?.body).toEqual({ calls: 2, period: 'total' });
  });
});
