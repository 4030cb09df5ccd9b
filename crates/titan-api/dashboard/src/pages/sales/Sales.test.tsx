import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { aLead, anOffer } from '../../test/fixtures';
import { type Call, fakeServer, json, renderPage } from '../../test/render';
import { LeadsView } from './LeadsView';
import { OffersView } from './OffersView';

function serve(routes: Parameters<typeof fakeServer>[0]) {
  const server = fakeServer(routes);
  vi.stubGlobal('fetch', server.fetch);
  return server;
}

const page = (items: unknown[]) => json({ items, next_cursor: null });
const offers = (items: unknown[]) => ({ 'GET /api/projects/p1/offers': () => page(items) });
const outputs = { 'GET /api/projects/p1/outputs': () => page([]) };
const summary = {
  'GET /api/projects/p1/leads/summary': () =>
    json({ stages: [{ stage: 'new', leads: 1, values: [{ currency: 'EUR', value: 120000 }] }] }),
};
const leads = (items: unknown[]) => ({ 'GET /api/projects/p1/leads?': () => page(items) });
const sent = (calls: Call[], method: string) => calls.filter((call) => call.method === method);
const ALL = { stage: 'all', q: '' } as const;
const showLeads = () => renderPage(<LeadsView projectId="p1" filter={ALL} onFilter={vi.fn()} />);

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the offers of a project', () => {
  it('drafts one in the smallest unit of its currency', async () => {
    const server = serve({ ...offers([]), ...outputs, 'POST /api/projects/p1/offers': () => json(anOffer(), 201) });
    await renderPage(<OffersView projectId="p1" />);
    await userEvent.click(await screen.findByRole('button', { name: 'Draft an offer' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'New offer' }));
    await userEvent.type(dialog.getByLabelText(/^What is sold/), 'Website');
    await userEvent.type(dialog.getByLabelText(/^Price/), 'much');
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    expect(dialog.getByText('Write an amount, such as 49.90.')).toBeTruthy();
    await userEvent.clear(dialog.getByLabelText(/^Price/));
    await userEvent.type(dialog.getByLabelText(/^Price/), '49,90');
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(sent(server.calls, 'POST')[0]?.body).toMatchObject({ price: 4990, currency: 'EUR', unit: 'once' });
  });

  it('publishes by its menu, which holds only what is possible', async () => {
    const server = serve({
      ...offers([anOffer()]),
      'PATCH /api/offers/f1': () => json(anOffer({ state: 'published' })),
    });
    await renderPage(<OffersView projectId="p1" />);
    expect((await screen.findByTestId('offer')).textContent).toContain('€49.90 per month');
    await userEvent.click(screen.getByRole('button', { name: 'Actions for Website' }));
    expect(screen.queryByRole('menuitem', { name: 'Withdraw' })).toBeNull();
    await userEvent.click(await screen.findByRole('menuitem', { name: 'Publish' }));
    await waitFor(() => expect(sent(server.calls, 'PATCH')[0]?.body).toEqual({ state: 'published' }));
  });
});

describe('the leads of a project', () => {
  it('counts by stage and moves one by keyboard', async () => {
    const server = serve({
      ...summary,
      ...leads([aLead({ value: 120000, currency: 'EUR' }), aLead({ id: 'l2', name: 'Bo' })]),
      'PATCH /api/leads/l2': () => json(aLead({ id: 'l2', stage: 'lost' })),
    });
    await showLeads();
    await waitFor(() => expect(screen.getAllByTestId('lead')).toHaveLength(2));
    expect(await screen.findByText('New 1 · €1,200.00')).toBeTruthy();
    await userEvent.keyboard('jjm');
    expect(document.activeElement?.closest('[data-lead]')?.getAttribute('data-lead')).not.toBe('l1');
    await userEvent.click(await screen.findByRole('menuitem', { name: 'Lost' }));
    await waitFor(() => expect(sent(server.calls, 'PATCH')[0]?.body).toEqual({ stage: 'lost' }));
  });

  it('sends only what was changed, and shows an offer that is not among the newest', async () => {
    const server = serve({
      ...summary,
      ...leads([aLead({ offer_id: 'old', value: 120000, currency: 'EUR' })]),
      ...offers([anOffer()]),
      'GET /api/offers/old': () => json(anOffer({ id: 'old', title: 'An old offer' })),
      'GET /api/leads/l1/notes': () => page([]),
      'PATCH /api/leads/l1': () => json(aLead()),
    });
    await showLeads();
    await userEvent.click(await screen.findByRole('button', { name: 'Ida Holm' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Change a lead' }));
    await dialog.findByDisplayValue('An old offer');
    await userEvent.type(dialog.getByLabelText('Phone'), '+45 1');
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(sent(server.calls, 'PATCH')[0]?.body).toEqual({ phone: '+45 1' }));
  });

  it('takes the same note twice', async () => {
    const server = serve({
      ...summary,
      ...leads([aLead()]),
      ...offers([]),
      'GET /api/leads/l1/notes': () => page([]),
      'POST /api/leads/l1/notes': () => json({}, 201),
    });
    await showLeads();
    await userEvent.click(await screen.findByRole('button', { name: 'Ida Holm' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Change a lead' }));
    for (const count of [1, 2]) {
      await userEvent.type(dialog.getByLabelText('Note'), 'Called.');
      await userEvent.click(dialog.getByRole('button', { name: 'Add note' }));
      await waitFor(() => expect(sent(server.calls, 'POST')).toHaveLength(count));
      await waitFor(() => expect(dialog.getByLabelText<HTMLTextAreaElement>('Note').value).toBe(''));
    }
    const told = sent(server.calls, 'POST').map(({ headers }) => headers.get('idempotency-key'));
    expect(new Set(told).size).toBe(2);
  });

  it('notes what was said', async () => {
    const note = { id: 'n1', lead_id: 'l1', content: 'Called.', created_at: '2026-11-22T10:00:00Z' };
    const server = serve({
      ...summary,
      ...leads([aLead()]),
      ...offers([]),
      'GET /api/leads/l1/notes': () => page([note]),
      'POST /api/leads/l1/notes': () => json(note, 201),
    });
    await showLeads();
    await userEvent.click(await screen.findByRole('button', { name: 'Ida Holm' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Change a lead' }));
    expect((await dialog.findByTestId('note')).textContent).toContain('Called.');
    await userEvent.type(dialog.getByLabelText('Note'), 'Wants it by May.');
    await userEvent.click(dialog.getByRole('button', { name: 'Add note' }));
    await waitFor(() => expect(sent(server.calls, 'POST')[0]?.body).toEqual({ content: 'Wants it by May.' }));
  });

  it('imports a table only after it has shown what each row becomes', async () => {
    const row = { line: 2, action: 'created', name: 'Ida', email: null, detail: null, lead_id: null };
    const bad = { ...row, line: 3, action: 'refused', name: 'Bo', detail: 'email: must be one address' };
    const told = {
      created: 1,
      merged: 0,
      refused: 1,
      columns: [
        { header: 'Who', field: 'name' },
        { header: 'Size', field: null },
      ],
      rows: [row, bad],
    };
    const calls: string[] = [];
    serve({
      ...summary,
      ...leads([]),
      ...offers([]),
      'POST /api/projects/p1/leads/import': ({ url }) => {
        calls.push(url.split('?')[1] ?? '');
        return json({ ...told, dry_run: url.includes('dry_run=true') });
      },
    });
    const { container } = { container: document.body };
    await showLeads();
    await userEvent.click((await screen.findAllByRole('button', { name: 'Import' }))[0] as HTMLElement);
    const dialog = within(await screen.findByRole('dialog', { name: 'Import leads' }));
    const input = container.querySelector<HTMLInputElement>('input[type="file"]');
    await userEvent.upload(
      input as HTMLInputElement,
      new File(['Who,Size\nIda,1\nBo,2\n'], 'a.csv', { type: 'text/csv' }),
    );
    await waitFor(() =>
      expect(dialog.getByTestId('import-summary').textContent).toContain('It would become 1 new lead'),
    );
    expect(dialog.getAllByTestId('import-row')[0]?.textContent).toContain('must be one address');
    expect(calls).toEqual(['dry_run=true']);
    await userEvent.click(dialog.getByRole('button', { name: 'Import 1 row' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(calls).toEqual(['dry_run=true', 'dry_run=false']);
  });

  it('shows a table while it looks at it again, also over plain HTTP', async () => {
    // As it is where the page came over plain HTTP from another machine.
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
    const columns = [{ header: 'Who', field: 'name' }];
    let answer: () => void = () => undefined;
    let looks = 0;
    serve({
      ...summary,
      ...leads([]),
      ...offers([]),
      'POST /api/projects/p1/leads/import': async () => {
        looks += 1;
        if (looks > 1) {
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
        }
        return json({ created: 1, merged: 0, refused: 0, columns, rows: [], dry_run: true });
      },
    });
    await showLeads();
    await userEvent.click((await screen.findAllByRole('button', { name: 'Import' }))[0] as HTMLElement);
    const dialog = within(await screen.findByRole('dialog', { name: 'Import leads' }));
    const table = new File(['Who\nIda\n'], 'a.csv', { type: 'text/csv' });
    await userEvent.upload(document.querySelector('input[type="file"]') as HTMLInputElement, table);
    await dialog.findByRole('button', { name: 'Import 1 row' });
    const column = dialog.getByRole('combobox', { name: 'Who' });
    await userEvent.click(column);
    await userEvent.click(await screen.findByRole('option', { name: 'Company' }));
    expect(await dialog.findByText('Looking ...')).toBeTruthy();
    expect(dialog.getByRole('combobox', { name: 'Who' })).toBe(column);
    expect(dialog.getByRole<HTMLButtonElement>('button', { name: 'Import 1 row' }).disabled).toBe(true);
    answer();
    await waitFor(() => expect(dialog.queryByText('Looking ...')).toBeNull());
  });
});
