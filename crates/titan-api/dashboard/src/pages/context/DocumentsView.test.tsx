import { notifications } from '@mantine/notifications';
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { aDocument } from '../../test/fixtures';
import { fakeServer, json, renderPage } from '../../test/render';
import { DocumentsView } from './DocumentsView';

function serve(routes: Parameters<typeof fakeServer>[0]) {
  const server = fakeServer(routes);
  vi.stubGlobal('fetch', server.fetch);
  return server;
}

const listed = (items: unknown[]) => ({
  'GET /api/projects/p1/documents?': () => json({ items, next_cursor: null }),
});
const show = (q = '', onSearch = vi.fn()) => renderPage(<DocumentsView projectId="p1" q={q} onSearch={onSearch} />);

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the documents of a project', () => {
  it('says how far each is read, and why one cannot be', async () => {
    serve(
      listed([
        aDocument(),
        aDocument({ id: 'd2', name: 'scan.pdf', state: 'failed', reason: 'there is no text in it', preview: null }),
        aDocument({ id: 'd3', name: 'new.txt', state: 'reading', preview: null, text_size: null, left_out: null }),
      ]),
    );
    await show();
    await waitFor(() => expect(screen.getAllByTestId('document')).toHaveLength(3));
    expect(screen.getAllByText('2 KB of text')[0]).toBeTruthy();
    expect(screen.getByText('It cannot be read: there is no text in it')).toBeTruthy();
    expect(screen.getByText('Being read')).toBeTruthy();
    expect(screen.getByRole('link', { name: 'Download prices.md' }).getAttribute('href')).toBe(
      '/api/documents/d1/download',
    );
  });

  it('says that there are none yet', async () => {
    serve(listed([]));
    await show();
    await waitFor(() => expect(screen.getByText('No documents yet')).toBeTruthy());
  });

  it('shows an error with a way to try again', async () => {
    const problem = { title: 'The database is not available', detail: 'Soon.', code: 'database_unavailable' };
    serve({ 'GET /api/projects/p1/documents?': () => json(problem, 503) });
    await show();
    await waitFor(() => expect(screen.getByText('The database is not available')).toBeTruthy());
    expect(screen.getByRole('button', { name: 'Retry' })).toBeTruthy();
  });

  it('sends what is dropped, and keeps what was refused with its reason', async () => {
    const refusal = {
      title: 'A field is wrong',
      detail: 'body: must be a text',
      code: 'validation_failed',
      errors: [],
    };
    const server = serve({
      ...listed([]),
      'POST /api/projects/p1/documents?name=notes.md': () => json(aDocument(), 201),
      'POST /api/projects/p1/documents?name=photo.png': () => json(refusal, 422),
    });
    await show();
    const files = [new File(['# x'], 'notes.md'), new File(['x'], 'photo.png'), new File([], 'empty.txt')];
    fireEvent.drop(await screen.findByTestId('documents'), { dataTransfer: { files } });
    await waitFor(() => expect(screen.getByText('body: must be a text')).toBeTruthy());
    await waitFor(() => expect(screen.getAllByTestId('upload')).toHaveLength(2));
    expect(screen.getByText('empty.txt is empty.')).toBeTruthy();
    const sent = server.calls.filter((call) => call.method === 'POST');
    expect(sent).toHaveLength(2);
    expect(sent[0]?.headers.get('content-type')).toBe('application/octet-stream');
    expect(sent[0]?.headers.get('idempotency-key')).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Take photo.png off the list' }));
    expect(screen.getAllByTestId('upload')).toHaveLength(1);
  });

  it('says it elsewhere when a file is refused after the view was left', async () => {
    const told = vi.spyOn(notifications, 'show').mockReturnValue('');
    let refuse: () => void = () => undefined;
    const server = serve({
      ...listed([]),
      'POST /api/projects/p1/documents?name=notes.md': async () => {
        await new Promise<void>((resolve) => {
          refuse = resolve;
        });
        return json({ title: 'Too large', detail: 'It has 60 MB.', code: 'payload_too_large', errors: [] }, 413);
      },
    });
    function Page() {
      const [there, setThere] = useState(true);
      return (
        <>
          <button type="button" onClick={() => setThere(false)}>
            Leave
          </button>
          {there && <DocumentsView projectId="p1" q="" onSearch={vi.fn()} />}
        </>
      );
    }
    await renderPage(<Page />);
    fireEvent.drop(await screen.findByTestId('documents'), { dataTransfer: { files: [new File(['x'], 'notes.md')] } });
    await waitFor(() => expect(server.calls.some(({ method }) => method === 'POST')).toBe(true));
    await userEvent.click(screen.getByRole('button', { name: 'Leave' }));
    refuse();
    await waitFor(() => expect(told).toHaveBeenCalledOnce());
    expect(told.mock.calls[0]?.[0]).toMatchObject({ title: 'Sending notes.md: Too large', message: 'It has 60 MB.' });
    told.mockRestore();
  });

  it('shows the passages that were found', async () => {
    const hit = { document_id: 'd1', name: 'prices.md', passage: 0, excerpt: 'Green tea costs 3 euros.', score: 1 };
    serve({
      'GET /api/projects/p1/documents/search?q=green': () => json({ items: [hit] }),
      ...listed([aDocument()]),
    });
    await show('green');
    await waitFor(() => expect(screen.getByTestId('passage').textContent).toContain('costs 3 euros'));
    expect(screen.getByTestId('documents-found').textContent).toBe('1 passage found');
  });

  it('deletes after a question', async () => {
    const server = serve({
      ...listed([aDocument()]),
      'DELETE /api/documents/d1': () => new Response(null, { status: 204 }),
    });
    await show();
    await userEvent.click(await screen.findByRole('button', { name: 'Delete prices.md' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Delete this document?' }));
    await userEvent.click(dialog.getByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(server.calls.some((call) => call.method === 'DELETE')).toBe(true));
  });
});
