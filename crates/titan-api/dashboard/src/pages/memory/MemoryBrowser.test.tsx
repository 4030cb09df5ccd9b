import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Memory } from '../../api/types';
import { aMemory } from '../../test/fixtures';
import { type Call, fakeServer, json, renderPage } from '../../test/render';
import { MemoryBrowser } from './MemoryBrowser';

type Routes = Parameters<typeof fakeServer>[0];

const listed = (memories: Memory[]) => ({
  'GET /api/projects/p1/memories?': ({ url }: Call) =>
    json({ items: memories.filter((memory) => url.includes(`scope=${memory.scope}`)), next_cursor: null }),
});

function serve(routes: Routes) {
  const server = fakeServer(routes);
  vi.stubGlobal('fetch', server.fetch);
  return server;
}

const show = (q = '', onSearch = vi.fn()) => renderPage(<MemoryBrowser projectId="p1" q={q} onSearch={onSearch} />);
const rows = () => screen.getAllByTestId('memory-row');
const sent = (calls: Call[], method: string) => calls.filter((call) => call.method === method);

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the memory browser', () => {
  it('nests memories by who is shown them, and says whose word each is', async () => {
    serve(
      listed([
        aMemory({ id: 'm1', use_count: 2, person: 'Ida', trust: 'outside' }),
        aMemory({ id: 'm2', content: 'Be brief.', scope: 'agent', agent: 'ada' }),
        aMemory({ id: 'm3', content: 'We pay in euros.', scope: 'global', project_id: 'p2', source_run_id: null }),
      ]),
    );
    await show();
    await waitFor(() => expect(rows()).toHaveLength(3));
    const own = within(screen.getByTestId('memory-project'));
    expect(own.getByText('From outside, not checked')).toBeTruthy();
    expect(own.getByText('likely')).toBeTruthy();
    expect(own.getByText('about Ida')).toBeTruthy();
    expect(own.getByText('used 2 times')).toBeTruthy();
    expect(own.getByRole('link', { name: 'Run r1' }).getAttribute('href')).toBe('/runs/r1');
    expect(within(screen.getByRole('region', { name: 'Agent ada' })).getByText('Be brief.')).toBeTruthy();
    const all = within(screen.getByTestId('memory-global'));
    expect(all.getByText('added by hand')).toBeTruthy();
    expect(all.getByRole('link', { name: 'from another project' })).toBeTruthy();
    expect(screen.getByRole('link', { name: 'Export' }).getAttribute('href')).toBe('/api/projects/p1/memories/export');
  });

  it('says that there is nothing yet', async () => {
    serve(listed([]));
    await show();
    await waitFor(() => expect(screen.getByText('Nothing remembered yet')).toBeTruthy());
  });

  it('shows an error with a way to try again', async () => {
    const problem = { title: 'The database is not available', detail: 'Soon.', code: 'database_unavailable' };
    serve({ 'GET /api/projects/p1/memories?': () => json(problem, 503) });
    await show();
    await waitFor(() => expect(screen.getAllByText('The database is not available')).toHaveLength(3));
    expect(screen.getAllByRole('button', { name: 'Retry' })).toHaveLength(3);
  });

  it('looks while somebody types, and shows why something was found', async () => {
    const search = vi.fn();
    serve(listed([]));
    await show('', search);
    await userEvent.type(screen.getByLabelText('Search the memory'), 'tea');
    await waitFor(() => expect(search).toHaveBeenCalledWith('tea'));
    expect(search).toHaveBeenCalledOnce();
  });

  it('shows what was found and why', async () => {
    const hit = { memory: aMemory(), text_rank: null, vector_rank: 1, score: 0.1 };
    const server = serve({
      'GET /api/projects/p1/memories/search?q=tea': () => json({ items: [hit], by: 'text_and_meaning' }),
    });
    await show('tea');
    await waitFor(() => expect(rows()).toHaveLength(1));
    expect(screen.getByTestId('memory-why').textContent).toBe('Found by its meaning');
    expect(screen.getByTestId('memory-found').textContent).toBe('1 memory found by words and by meaning');
    expect(server.calls).toHaveLength(1);
  });

  it('leads back when nothing was found', async () => {
    const search = vi.fn();
    serve({ 'GET /api/projects/p1/memories/search': () => json({ items: [], by: 'text' }) });
    await show('zebra', search);
    await userEvent.click(await screen.findByRole('button', { name: 'Show everything' }));
    expect(search).toHaveBeenCalledWith('');
  });

  it('adds one for every project, and keeps the text until the server has it', async () => {
    const answers = [json({ title: 'Timeout', detail: '', code: 'timeout' }, 504), json(aMemory(), 201)];
    const server = serve({
      ...listed([]),
      'POST /api/projects/p1/memories': () => answers.shift() ?? json(aMemory(), 201),
    });
    await show();
    const text = screen.getByLabelText<HTMLTextAreaElement>('Something to remember');
    await userEvent.type(text, 'We pay in euros.');
    await userEvent.click(screen.getByRole('combobox', { name: 'Who is shown it' }));
    await userEvent.click(await screen.findByRole('option', { name: 'For every project' }));
    await userEvent.click(screen.getByRole('button', { name: 'Remember' }));
    await waitFor(() => expect(screen.getByText('Timeout')).toBeTruthy());
    expect(text.value).toBe('We pay in euros.');
    await userEvent.click(screen.getByRole('button', { name: 'Remember' }));
    await waitFor(() => expect(text.value).toBe(''));
    const posts = sent(server.calls, 'POST');
    expect(posts.map((call) => call.body)).toEqual(Array(2).fill({ content: 'We pay in euros.', scope: 'global' }));
    expect(posts[0]?.headers.get('idempotency-key')).toBe(posts[1]?.headers.get('idempotency-key'));
  });

  it('pins by one press', async () => {
    const server = serve({ ...listed([aMemory()]), 'PATCH /api/memories/m1': () => json(aMemory({ pinned: true })) });
    await show();
    const pin = await screen.findByRole('button', { name: /^Pin: The owner/ });
    expect(pin.getAttribute('aria-pressed')).toBe('false');
    await userEvent.click(pin);
    await waitFor(() => expect(sent(server.calls, 'PATCH')[0]?.body).toEqual({ pinned: true }));
  });

  it('changes the words, and shows what the server has against them beside the field', async () => {
    const refusal = {
      title: 'A field is wrong',
      detail: 'person: is too long',
      code: 'validation_failed',
      errors: [{ field: 'person', message: 'is too long' }],
    };
    const answers = [json(refusal, 422), json(aMemory())];
    const server = serve({
      ...listed([aMemory()]),
      'PATCH /api/memories/m1': () => answers.shift() ?? json(aMemory()),
    });
    await show();
    await userEvent.click(await screen.findByRole('button', { name: /^Edit: The owner/ }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Change a memory' }));
    const words = dialog.getByLabelText('What is remembered');
    await userEvent.clear(words);
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    expect(dialog.getByText('Write what is to be remembered.')).toBeTruthy();
    await userEvent.type(words, 'Ida likes tea.');
    await userEvent.type(dialog.getByLabelText('About'), 'Ida');
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(dialog.getByText('is too long')).toBeTruthy());
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(sent(server.calls, 'PATCH').at(-1)?.body).toEqual({ content: 'Ida likes tea.', person: 'Ida' });
  });

  it('forgets after a question', async () => {
    const server = serve({
      ...listed([aMemory()]),
      'DELETE /api/memories/m1': () => new Response(null, { status: 204 }),
    });
    await show();
    await userEvent.click(await screen.findByRole('button', { name: /^Forget: The owner/ }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Forget this?' }));
    expect(sent(server.calls, 'DELETE')).toHaveLength(0);
    await userEvent.click(dialog.getByRole('button', { name: 'Forget' }));
    await waitFor(() => expect(sent(server.calls, 'DELETE')).toHaveLength(1));
  });

  it('erases a person only when the word was typed, and everything when that is chosen', async () => {
    const server = serve({
      ...listed([aMemory()]),
      'POST /api/projects/p1/memories/erase': () => json({ erased: 3, projects: 1 }),
      'POST /api/memories/erase': () => json({ erased: 4, projects: 2 }),
    });
    await show();
    const open = async () => {
      await userEvent.click(await screen.findByRole('button', { name: 'Erase' }));
      return within(await screen.findByRole('dialog', { name: 'Erase memories' }));
    };
    const gone = () => waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    let dialog = await open();
    const button = () => dialog.getByRole<HTMLButtonElement>('button', { name: 'Erase' });
    await userEvent.type(dialog.getByLabelText('Type erase to confirm'), 'erase');
    expect(button().disabled).toBe(true);
    await userEvent.type(dialog.getByLabelText('Name of the person'), 'Ida Holm');
    await userEvent.click(button());
    await gone();
    dialog = await open();
    await userEvent.click(dialog.getByLabelText('What any project remembers about a person'));
    await userEvent.type(dialog.getByLabelText('Name of the person'), 'Ida Holm');
    await userEvent.type(dialog.getByLabelText('Type erase to confirm'), 'erase{Enter}');
    await gone();
    dialog = await open();
    await userEvent.click(dialog.getByLabelText('Everything that this project remembers'));
    expect(button().disabled).toBe(true);
    await userEvent.type(dialog.getByLabelText('Type erase to confirm'), 'erase{Enter}');
    await gone();
    expect(sent(server.calls, 'POST').map(({ url, body }) => [url, body])).toEqual([
      ['/api/projects/p1/memories/erase', { confirm: true, person: 'Ida Holm' }],
      ['/api/memories/erase', { confirm: true, person: 'Ida Holm' }],
      ['/api/projects/p1/memories/erase', { confirm: true }],
    ]);
  });
});
