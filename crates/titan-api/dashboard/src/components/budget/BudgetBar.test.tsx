import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Spending } from '../../api/types';
import { aBudget, aSpending } from '../../test/fixtures';
import { type Call, fakeServer, json, renderPage } from '../../test/render';
import { BudgetBar } from './BudgetBar';

async function show(spending: Spending, routes: Record<string, (call: Call) => Response> = {}) {
  const server = fakeServer({ ...routes, 'GET /api/projects/p1/budget': () => json(spending) });
  vi.stubGlobal('fetch', server.fetch);
  await renderPage(<BudgetBar place={{ scope: 'project', id: 'p1' }} />);
  const bar = await screen.findByTestId('budget');
  return { server, bar };
}

const problem = (status: number, errors: object[]) =>
  json({ type: 'about:blank', title: 'Not valid', status, code: 'invalid_request', detail: '', errors }, status);

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('BudgetBar', () => {
  it('says quietly what was spent where nothing is limited', async () => {
    const { bar } = await show(aSpending());
    expect(bar.textContent).toContain('Spent $0.25, 1.2k tokens, 1 call');
    expect(within(bar).getByRole('button', { name: 'Set a budget' })).toBeTruthy();
  });

  it('says spent, reserved and left, and a used up budget in words', async () => {
    const reserved = { cost: 0, tokens: 0, calls: 1 };
    const budget = aBudget({ reserved, left: { cost: null, tokens: null, calls: 0 } });
    const { bar } = await show(aSpending({ budget, waiting_runs: 2 }));
    for (const words of ['1 of 2 calls in total', '1 call reserved', 'used up', '2 runs wait']) {
      expect(bar.textContent).toContain(words);
    }
  });

  it('sets a budget', async () => {
    const { server, bar } = await show(aSpending(), {
      'PUT /api/projects/p1/budget': () => json(aSpending({ budget: aBudget() })),
    });
    await userEvent.click(within(bar).getByRole('button', { name: 'Set a budget' }));
    const dialog = await screen.findByRole('dialog', { name: 'Budget of this project' });
    await userEvent.click(within(dialog).getByRole('button', { name: 'Set the budget' }));
    expect(dialog.textContent).toContain('Limit at least one of the three.');
    await userEvent.type(within(dialog).getByLabelText('Cost, US dollars'), '$2.50');
    await userEvent.selectOptions(within(dialog).getByLabelText('Counted'), 'month');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Set the budget' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(server.calls.find((call) => call.method === 'PUT')?.body).toEqual({ cost: 2.5, period: 'month' });
  });

  it('shows what the server refuses at its field, and keeps what was typed', async () => {
    const { bar } = await show(aSpending({ budget: aBudget() }), {
      'PUT /api/projects/p1/budget': () => problem(422, [{ field: 'calls', message: 'must be between 0 and 7' }]),
    });
    await userEvent.click(within(bar).getByRole('button', { name: 'Change the budget' }));
    const dialog = await screen.findByRole('dialog', { name: 'Budget of this project' });
    await userEvent.click(within(dialog).getByRole('button', { name: 'Save' }));
    await within(dialog).findByText('must be between 0 and 7');
    expect(within(dialog).getByLabelText<HTMLInputElement>('Calls').value).toBe('2');
  });

  it('takes the limit away', async () => {
    const { server, bar } = await show(aSpending({ budget: aBudget() }), {
      'DELETE /api/projects/p1/budget': () => new Response(null, { status: 204 }),
    });
    await userEvent.click(within(bar).getByRole('button', { name: 'Change the budget' }));
    await userEvent.click(await screen.findByRole('button', { name: 'Remove the limit' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(server.calls.some((call) => call.method === 'DELETE')).toBe(true);
  });
});
