import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { aContact } from '../../test/fixtures';
import { fakeServer, json, renderPage } from '../../test/render';
import { ContactsView } from './ContactsView';

function serve(routes: Parameters<typeof fakeServer>[0]) {
  const server = fakeServer(routes);
  vi.stubGlobal('fetch', server.fetch);
  return server;
}

const listed = (items: unknown[]) => ({
  'GET /api/projects/p1/contacts?': () => json({ items, next_cursor: null }),
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the contacts of a project', () => {
  it('offer the way to the first one', async () => {
    serve(listed([]));
    await renderPage(<ContactsView projectId="p1" q="" onSearch={vi.fn()} />);
    await userEvent.click(await screen.findByRole('button', { name: 'Add the first contact' }));
    expect(await screen.findByRole('dialog', { name: 'New contact' })).toBeTruthy();
  });

  it('writes one down, and shows what the server has against it beside the field', async () => {
    const refusal = {
      title: 'A field is wrong',
      detail: 'phone: must be a number',
      code: 'validation_failed',
      errors: [{ field: 'phone', message: 'must be a number' }],
    };
    const answers = [json(refusal, 422), json(aContact(), 201)];
    const server = serve({
      ...listed([]),
      'POST /api/projects/p1/contacts': () => answers.shift() ?? json(aContact(), 201),
    });
    await renderPage(<ContactsView projectId="p1" q="" onSearch={vi.fn()} />);
    await userEvent.click(await screen.findByRole('button', { name: 'Add contact' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'New contact' }));
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    expect(dialog.getByText('Write what the person is called.')).toBeTruthy();
    await userEvent.type(dialog.getByLabelText(/^Name/), 'Ida');
    await userEvent.type(dialog.getByLabelText('Phone'), 'call me');
    await userEvent.type(dialog.getByLabelText('Tags'), 'vip, tea,');
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(dialog.getByText('must be a number')).toBeTruthy());
    await userEvent.clear(dialog.getByLabelText('Phone'));
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    const posts = server.calls.filter((call) => call.method === 'POST');
    expect(posts[1]?.body).toMatchObject({ name: 'Ida', phone: null, tags: ['vip', 'tea'] });
    // Another body is another request.
    expect(posts[0]?.headers.get('idempotency-key')).not.toBe(posts[1]?.headers.get('idempotency-key'));
  });

  it('leads back when nobody was found', async () => {
    const search = vi.fn();
    serve(listed([]));
    await renderPage(<ContactsView projectId="p1" q="zebra" onSearch={search} />);
    await userEvent.click(await screen.findByRole('button', { name: 'Show all contacts' }));
    expect(search).toHaveBeenCalledWith('');
  });
});
