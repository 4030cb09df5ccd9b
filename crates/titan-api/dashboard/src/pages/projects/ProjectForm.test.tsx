import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { aProject } from '../../test/fixtures';
import { fakeServer, json, renderPage } from '../../test/render';
import { CreateDialog } from './CreateDialog';
import { DeleteDialog } from './DeleteDialog';

const name = () => screen.getByRole<HTMLInputElement>('textbox', { name: /^Name/ });
const create = () => screen.getByRole('button', { name: 'Create project' });

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('creating a project', () => {
  it('asks for a name before it asks the server', async () => {
    const server = fakeServer({});
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<CreateDialog opened onClose={() => undefined} />);
    await userEvent.click(create());
    expect(screen.getByText('A project needs a name.')).toBeTruthy();
    expect(server.calls).toHaveLength(0);
  });

  it('keeps what was typed while somebody looks at another way, and the wish until it is ordered', async () => {
    vi.stubGlobal('fetch', fakeServer({}).fetch);
    function Page() {
      const [opened, setOpened] = useState(true);
      return (
        <>
          <button type="button" onClick={() => setOpened(true)}>
            New
          </button>
          <CreateDialog opened={opened} onClose={() => setOpened(false)} />
        </>
      );
    }
    await renderPage(<Page />);
    await userEvent.type(name(), 'Tea');
    await userEvent.click(screen.getByText('Describe what you want'));
    const wish = () => screen.getByRole<HTMLTextAreaElement>('textbox', { name: /^Your wish/ });
    await userEvent.type(wish(), 'A page for tea');
    await userEvent.click(screen.getByText('Name it'));
    expect(name().value).toBe('Tea');
    await userEvent.click(screen.getByText('Describe what you want'));
    expect(wish().value).toBe('A page for tea');
    await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await userEvent.click(screen.getByRole('button', { name: 'New' }));
    expect(wish().value).toBe('A page for tea');
  });

  it('sends name, type and description, and closes', async () => {
    const server = fakeServer({ 'POST /api/projects': () => json(aProject(), 201) });
    vi.stubGlobal('fetch', server.fetch);
    const close = vi.fn();
    await renderPage(<CreateDialog opened onClose={close} />);
    await userEvent.type(name(), ' My Web App ');
    await userEvent.type(screen.getByLabelText('Description'), 'For the office');
    await userEvent.click(create());
    await waitFor(() => expect(close).toHaveBeenCalledOnce());
    expect(server.calls[0]?.body).toEqual({
      name: 'My Web App',
      type: 'general',
      spec: { description: 'For the office' },
    });
  });

  it("puts the server's message at its field and repeats the same form with the same key", async () => {
    const problem = {
      type: 'about:blank',
      title: 'The request is not valid',
      status: 422,
      detail: '',
      code: 'validation_failed',
      request_id: 'r',
      errors: [{ field: 'name', message: 'is taken' }],
    };
    const server = fakeServer({ 'POST /api/projects': () => json(problem, 422) });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<CreateDialog opened onClose={() => undefined} />);
    await userEvent.type(name(), 'x');
    await userEvent.click(create());
    await waitFor(() => expect(screen.getByText('is taken')).toBeTruthy());
    await userEvent.click(create());
    await waitFor(() => expect(server.calls).toHaveLength(2));
    await userEvent.type(name(), 'y');
    await userEvent.click(create());
    await waitFor(() => expect(server.calls).toHaveLength(3));
    const used = server.calls.map((call) => call.headers.get('idempotency-key'));
    expect(used[0]).toBe(used[1]);
    expect(used[2]).not.toBe(used[1]);
  });
});

describe('deleting a project', () => {
  it('needs its name typed', async () => {
    const server = fakeServer({ 'DELETE /api/projects/p1': () => new Response(null, { status: 204 }) });
    vi.stubGlobal('fetch', server.fetch);
    const close = vi.fn();
    await renderPage(<DeleteDialog project={aProject()} onClose={close} />);
    const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Delete project' });
    expect(button.disabled).toBe(true);
    await userEvent.type(screen.getByRole('textbox'), 'My Web App');
    expect(button.disabled).toBe(false);
    await userEvent.click(button);
    await waitFor(() => expect(close).toHaveBeenCalledOnce());
  });
});
