import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { BulkResult } from '../../api/types';
import { type Call, fakeServer, json, renderPage } from '../../test/render';
import { BulkDialog } from './BulkDialog';

const result = (over: Partial<BulkResult>): BulkResult => ({
  action: 'cancel',
  preview: false,
  matched: 0,
  changed: 0,
  skipped: 0,
  remaining: 0,
  ...over,
});

/** Counts so many for a preview, and gives the answers one after the other to what is really asked. */
function serverOf(matched: number, answers: Response[] = []) {
  const server = fakeServer({
    'POST /api/jobs/bulk': ({ body }: Call) =>
      (body as { preview?: boolean }).preview
        ? json(result({ preview: true, matched, remaining: matched }))
        : (answers.shift() ?? json(result({}))),
  });
  vi.stubGlobal('fetch', server.fetch);
  return server;
}

const button = (name: string) => screen.getByRole<HTMLButtonElement>('button', { name });
const figure = (name: string) => document.querySelector(`[data-figure="${name}"]`)?.textContent;
const show = (close = vi.fn()) =>
  renderPage(
    <BulkDialog
      action="cancel"
      filter={{ state: 'ready', queue: 'mail', project: 'p1' }}
      projectName="Shop"
      onClose={close}
    />,
  );
const filter = { state: 'ready', queue: 'mail', project_id: 'p1' };

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('changing all jobs that match', () => {
  it('asks how many first, says the filter in words, then does it and shows the outcome', async () => {
    const server = serverOf(3, [json(result({ matched: 3, changed: 2, skipped: 1 }))]);
    const close = vi.fn();
    await show(close);
    await waitFor(() => expect(screen.getByTestId('bulk-what')).toBeTruthy());
    expect(screen.getByTestId('bulk-what').textContent).toBe('3 ready jobs in the queue “mail”, of the project “Shop”');
    expect(server.calls.map((call) => call.body)).toEqual([{ action: 'cancel', filter, preview: true }]);

    await userEvent.click(button('Cancel them'));
    await waitFor(() => expect(screen.getByTestId('bulk-outcome')).toBeTruthy());
    expect(server.calls.at(-1)?.body).toEqual({ action: 'cancel', filter });
    expect([figure('changed'), figure('skipped'), figure('remaining')]).toEqual(['2', '1', '0']);
    expect(screen.queryByRole('button', { name: 'Go on with the rest' })).toBeNull();
    await userEvent.click(button('Done'));
    expect(close).toHaveBeenCalledOnce();
  });

  it('has the number typed when there are more than 100', async () => {
    const server = serverOf(1240);
    await show();
    await waitFor(() => expect(screen.getByLabelText('Type 1,240 to confirm')).toBeTruthy());
    expect(button('Cancel them').disabled).toBe(true);
    await userEvent.type(screen.getByRole('textbox'), '124{Enter}');
    expect(button('Cancel them').disabled).toBe(true);
    expect(server.calls).toHaveLength(1);
    await userEvent.type(screen.getByRole('textbox'), '0{Enter}');
    await waitFor(() => expect(server.calls).toHaveLength(2));
  });

  it('needs no typing for 100', async () => {
    serverOf(100);
    await show();
    await waitFor(() => expect(button('Cancel them').disabled).toBe(false));
    expect(screen.queryByRole('textbox')).toBeNull();
  });

  it('goes on with the rest, and adds up', async () => {
    serverOf(50, [
      json(result({ matched: 50, changed: 28, skipped: 2, remaining: 20 })),
      json(result({ matched: 20, changed: 20 })),
    ]);
    await show();
    await waitFor(() => expect(screen.getByTestId('bulk-what')).toBeTruthy());
    await userEvent.click(button('Cancel them'));
    await waitFor(() => expect(figure('remaining')).toBe('20'));
    await userEvent.click(button('Go on with the rest'));
    await waitFor(() => expect(figure('remaining')).toBe('0'));
    expect([figure('changed'), figure('skipped')]).toEqual(['48', '2']);
  });

  it('says so when nothing matches any more', async () => {
    const server = serverOf(0);
    await show();
    await waitFor(() => expect(screen.getByText(/Nothing matches any more/)).toBeTruthy());
    expect(server.calls).toHaveLength(1);
  });

  it('keeps the question open when the server refuses', async () => {
    serverOf(3, [json({ title: 'The database does not answer', code: 'unavailable', status: 503 }, 503)]);
    await show();
    await waitFor(() => expect(screen.getByTestId('bulk-what')).toBeTruthy());
    await userEvent.click(button('Cancel them'));
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('The database does not answer'));
    expect(button('Cancel them').disabled).toBe(false);
  });
});
