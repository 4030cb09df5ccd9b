import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { FileEntry } from '../../api/types';
import { keys } from '../../data/keys';
import { fakeServer, json, renderPage } from '../../test/render';
import { FilesView } from './FilesView';

interface Stored {
  id: string;
  text: string;
}

/** Drafts are kept by project, and these projects have nothing to do with each other. */
let projects = 0;

/** A project whose files the test changes behind the page's back. */
async function show(files: Record<string, Stored>, selected: string | null = 'a.txt', perPage = 1000) {
  projects += 1;
  const id = `files-${projects}`;
  const at = `/api/projects/${id}/files`;
  const encoder = new TextEncoder();
  const entries = (): FileEntry[] =>
    Object.entries(files)
      .map(([path, { id, text }]) => ({ path, id, size: text.length, executable: false }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  let wrote = 0;
  const server = fakeServer({
    [`GET ${at}?`]: ({ url }) => {
      const cursor = new URL(url, 'http://x').searchParams.get('cursor') ?? '';
      const rest = entries().filter(({ path }) => path > cursor);
      const items = rest.slice(0, perPage);
      const next_cursor = rest.length > perPage ? (items.at(-1)?.path ?? null) : null;
      return json({ commit: 'c', total: entries().length, total_size: 9, items, next_cursor });
    },
    [`GET ${at}/`]: ({ url }) => {
      const file = files[url.slice(at.length + 1)];
      if (!file) return json({ code: 'not_found', title: 'Not found' }, 404);
      return new Response(encoder.encode(file.text), { headers: { etag: `"${file.id}"` } });
    },
    [`PUT ${at}/`]: ({ url, headers, body }) => {
      const path = url.slice(at.length + 1);
      const wanted = headers.get('if-match');
      const fits = wanted === null ? files[path] === undefined : wanted === `"${files[path]?.id}"`;
      if (!fits) return json({ code: 'precondition_failed', title: 'It is another one' }, 412);
      wrote += 1;
      files[path] = { id: `w${wrote}`, text: (body as { content: string }).content };
      return json({ path, commit: 'c', changed: true });
    },
    [`GET /api/projects/${id}/git/log`]: () => json({ items: [], next_cursor: null }),
  });
  vi.stubGlobal('fetch', server.fetch);
  function View() {
    const [path, setPath] = useState(selected);
    const [there, setThere] = useState(true);
    return (
      <>
        <button type="button" onClick={() => setThere(!there)}>
          Other tab
        </button>
        {there && <FilesView projectId={id} selected={path} onSelect={setPath} />}
      </>
    );
  }
  const page = await renderPage(<View />);
  return { ...page, files, changed: () => page.client.invalidateQueries({ queryKey: keys.files(id) }) };
}

const click = async (name: string | RegExp) => userEvent.click(await screen.findByRole('button', { name }));
const field = () => screen.findByRole<HTMLTextAreaElement>('textbox');

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a file that is being changed', () => {
  const two = () => ({ 'a.txt': { id: 'a1', text: 'one\n' }, 'b.txt': { id: 'b1', text: 'two\n' } });

  it('is still there after looking at the history, another file and another tab', async () => {
    await show(two());
    await click('Edit');
    await userEvent.type(await field(), 'mine');
    const typed = (await field()).value;

    await userEvent.click(screen.getByRole('switch', { name: 'History' }));
    expect(screen.queryByRole('textbox')).toBeNull();
    await userEvent.click(screen.getByRole('switch', { name: 'History' }));
    expect((await field()).value).toBe(typed);

    await click(/^b\.txt/);
    expect(screen.queryByRole('textbox')).toBeNull();
    await click(/^a\.txt.*not saved/);
    expect((await field()).value).toBe(typed);

    await click('Other tab');
    await click('Other tab');
    expect((await field()).value).toBe(typed);
    await click('Discard');
    await screen.findByRole('button', { name: 'Edit' });
    expect(Object.keys(window.localStorage)).toEqual([]);
  });

  it('can be made again when somebody has deleted it', async () => {
    const { files, changed } = await show(two());
    await click('Edit');
    await userEvent.type(await field(), 'mine');
    delete files['a.txt'];
    await changed();
    expect((await screen.findByRole('alert')).textContent).toContain('deleted or renamed');
    await click(/^b\.txt/);
    await click(/^a\.txt.*not saved/);
    await click('Make it again');
    await click('Save');
    await waitFor(() => expect(files['a.txt']?.text).toContain('mine'));
    await screen.findByRole('button', { name: 'Edit' });
  });

  it('is written over what somebody else wrote, where the page learns of that only by the refusal', async () => {
    const { files } = await show(two());
    await click('Edit');
    await userEvent.type(await field(), 'mine');
    files['a.txt'] = { id: 'a2', text: 'theirs\n' };
    await click('Save');
    await click('Write over it');
    expect(screen.queryByRole('alert')).toBeNull();
    await click('Save');
    await waitFor(() => expect(files['a.txt']?.text).toContain('mine'));
  });

  it('keeps its byte order mark and its line ends', async () => {
    const { files } = await show({ 'a.txt': { id: 'a1', text: '\uFEFFone\r\ntwo\r\n' } });
    await click('Edit');
    expect((await field()).value).toBe('one\ntwo\n');
    await userEvent.type(await field(), 'three');
    await click('Save');
    await waitFor(() => expect(files['a.txt']?.text).toBe('\uFEFFone\r\ntwo\r\nthree'));
  });

  it('is none where its lines end in two ways', async () => {
    await show({ 'a.txt': { id: 'a1', text: 'one\r\ntwo\n' } });
    await screen.findByText(/Its lines end in two ways/);
    expect(screen.queryByRole('button', { name: 'Edit' })).toBeNull();
  });

  it('has the focus, and gives it to its heading', async () => {
    await show(two());
    await click('Edit');
    expect(document.activeElement).toBe(await field());
    await click('Discard');
    expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'a.txt' }));
    await click('Edit');
    await click('Save');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'a.txt' })));
  });
});

describe('the list of files', () => {
  it('is fetched as far as the file that the address names', async () => {
    const files = Object.fromEntries(
      ['a', 'b', 'c', 'd', 'e'].map((name) => [name, { id: name, text: `text ${name}` }]),
    );
    await show(files, 'c', 2);
    await screen.findByText('text c');
    await click('Load more');
    await click(/^e/);
    await screen.findByText('text e');
    expect(screen.queryByRole('button', { name: 'Load more' })).toBeNull();
  });

  it('does not show a text as that of another version', async () => {
    const { files, changed } = await show(
      { 'a.txt': { id: 'a1', text: 'old' }, 'b.txt': { id: 'b1', text: 'b' } },
      null,
    );
    await screen.findByRole('button', { name: /^a\.txt/ });
    files['a.txt'] = { id: 'a2', text: 'new' };
    await click(/^a\.txt/);
    await screen.findByText('new');
    // The list has learnt of it, so that an edit begins from what is there.
    await changed();
    await click('Edit');
    expect(screen.queryByRole('alert')).toBeNull();
  });
});
