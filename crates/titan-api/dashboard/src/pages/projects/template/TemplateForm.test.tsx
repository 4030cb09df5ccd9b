import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { aProject, aTemplate, aTemplateEntry } from '../../../test/fixtures';
import { type Call, fakeServer, json, renderPage } from '../../../test/render';
import { CreateDialog } from '../CreateDialog';

const textbox = (name: RegExp) => screen.getByRole<HTMLInputElement>('textbox', { name });
const create = () => userEvent.click(screen.getByRole('button', { name: 'Create project' }));

function serve(answer: (call: Call) => Response) {
  const server = fakeServer({
    'GET /api/templates?': () => json({ items: [aTemplateEntry()], broken: [], next_cursor: null }),
    'GET /api/templates/': () => json(aTemplate()),
    'POST /api/projects': answer,
  });
  vi.stubGlobal('fetch', server.fetch);
  return () => server.calls.filter(({ method }) => method === 'POST');
}

/** Up to the form of the template. */
async function choose() {
  await userEvent.click(screen.getByRole('radio', { name: 'From a template' }));
  await userEvent.click(await screen.findByRole('button', { name: /Static site/ }));
  await screen.findByRole('textbox', { name: /^Name/ });
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('creating a project of a template', () => {
  it('leads back to all templates where none has the words', async () => {
    const server = fakeServer({
      'GET /api/templates?': ({ url }) =>
        json({ items: url.includes('q=') ? [] : [aTemplateEntry()], broken: [], next_cursor: null }),
    });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<CreateDialog opened onClose={() => undefined} />);
    await userEvent.click(screen.getByRole('radio', { name: 'From a template' }));
    await userEvent.type(await screen.findByRole('searchbox'), 'xyz');
    await userEvent.click(await screen.findByRole('button', { name: 'Show all templates' }));
    expect(await screen.findByRole('button', { name: /Static site/ })).toBeTruthy();
    expect(screen.getByRole<HTMLInputElement>('searchbox').value).toBe('');
  });

  it('sends the inputs by their types, the title being the name until another one is written', async () => {
    const sent = serve(() => json(aProject(), 201));
    const close = vi.fn();
    await renderPage(<CreateDialog opened onClose={close} />);
    await choose();
    await userEvent.type(textbox(/^Name/), 'Tea house');
    expect(textbox(/^Title/).value).toBe('Tea house');
    await userEvent.type(textbox(/^Description/), 'For tea');
    await userEvent.type(textbox(/^Features/), 'one{Enter}two');
    await create();
    await waitFor(() => expect(close).toHaveBeenCalledOnce());
    expect(sent()[0]?.body).toEqual({
      name: 'Tea house',
      type: 'static-site',
      template_ref: 'static-site@1.0.0',
      spec: { description: 'For tea' },
      inputs: { title: 'Tea house', description: 'For tea', features: ['one', 'two'] },
      target: 'preview',
    });
  });

  it('asks for what is needed before it asks the server', async () => {
    const sent = serve(() => json(aProject(), 201));
    await renderPage(<CreateDialog opened onClose={() => undefined} />);
    await choose();
    await create();
    expect(screen.getByText('A project needs a name.')).toBeTruthy();
    expect(screen.getByText('This is needed.')).toBeTruthy();
    expect(sent()).toHaveLength(0);
  });

  it("puts the server's problems at their fields, and what has none in view", async () => {
    const problem = (field: string) => ({
      type: 'about:blank',
      title: 'The template is wrong',
      status: 422,
      detail: 'It does not fit.',
      code: 'template_invalid',
      request_id: 'r',
      errors: [{ field, message: 'must be a Sunday' }],
    });
    const fields = ['inputs/title', 'files/README.md'];
    const sent = serve(() => json(problem(fields[sent().length - 1] ?? ''), 422));
    await renderPage(<CreateDialog opened onClose={() => undefined} template="static-site" />);
    await userEvent.type(await screen.findByRole('textbox', { name: /^Name/ }), 'x');
    await create();
    await waitFor(() => expect(screen.getByText('must be a Sunday')).toBeTruthy());
    expect(textbox(/^Title/).getAttribute('aria-invalid')).toBe('true');
    expect(screen.queryByTestId('error')).toBeNull();
    await create();
    await waitFor(() => expect(screen.getByTestId('error').textContent).toContain('must be a Sunday'));
    const [first, second] = sent().map(({ headers }) => headers.get('idempotency-key'));
    expect(first).toBe(second);
  });
});
