import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fakeServer, json, renderPage } from '../../test/render';
import { InstallDialog, NOTHING } from './InstallDialog';

const refusal = (field: string, message: string) =>
  json(
    {
      title: 'A field is wrong',
      detail: `${field}: ${message}`,
      code: 'validation_failed',
      errors: [{ field, message }],
    },
    422,
  );

async function show(post: () => Response) {
  const server = fakeServer({ 'POST /api/templates/install': post });
  vi.stubGlobal('fetch', server.fetch);
  const heard = { onClose: vi.fn(), onInstalled: vi.fn() };
  await renderPage(<InstallDialog initial={NOTHING} {...heard} />);
  return { server, dialog: within(await screen.findByRole('dialog', { name: 'Install a template' })), ...heard };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('installing a template', () => {
  it('has a repository fetched, and keeps what was typed when the server refuses it', async () => {
    const answers = [refusal('ref', 'must be a tag'), json({ id: 'i1', state: 'pending' }, 202)];
    const { server, dialog, onClose } = await show(() => answers.shift() ?? json({}, 500));
    await userEvent.click(dialog.getByRole('button', { name: 'Install' }));
    expect(dialog.getByText('Write the address of a repository.')).toBeTruthy();
    await userEvent.type(dialog.getByLabelText(/^Address/), 'http://example.com/a.git');
    expect(dialog.getByText('Write an address that begins with https://.')).toBeTruthy();
    expect(server.calls).toEqual([]);
    await userEvent.clear(dialog.getByLabelText(/^Address/));
    await userEvent.type(dialog.getByLabelText(/^Address/), ' https://example.com/a.git');
    await userEvent.type(dialog.getByLabelText('Tag, branch or commit'), '-x{Enter}');
    await waitFor(() => expect(dialog.getByText('must be a tag')).toBeTruthy());
    expect(onClose).not.toHaveBeenCalled();
    await userEvent.clear(dialog.getByLabelText('Tag, branch or commit'));
    await userEvent.click(dialog.getByRole('button', { name: 'Install' }));
    await waitFor(() => expect(onClose).toHaveBeenCalled());
    expect(server.calls.map((call) => call.body)).toEqual([
      { git: 'https://example.com/a.git', ref: '-x' },
      { git: 'https://example.com/a.git' },
    ]);
    const keys = server.calls.map((call) => call.headers.get('idempotency-key'));
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('sends an archive, and shows what is wrong with it beside the file', async () => {
    const installed = { reference: 'web/shop@1.0.0', sha256: 'x', unchanged: false };
    const answers = [refusal('archive', 'is not a .tar or .tar.gz'), json(installed)];
    const { server, dialog, onInstalled } = await show(() => answers.shift() ?? json({}, 500));
    await userEvent.click(dialog.getByText('From a file'));
    await userEvent.click(dialog.getByRole('button', { name: 'Install' }));
    expect(dialog.getByText('Choose a file.', { selector: '.mantine-FileInput-error' })).toBeTruthy();
    const input = document.querySelector<HTMLInputElement>('input[type="file"]');
    if (input === null) throw new Error('there is no input for a file');
    await userEvent.upload(input, new File(['tar'], 'shop.tar'));
    await userEvent.click(dialog.getByRole('button', { name: 'Install' }));
    await waitFor(() => expect(dialog.getByText('is not a .tar or .tar.gz')).toBeTruthy());
    await userEvent.click(dialog.getByRole('button', { name: 'Install' }));
    await waitFor(() => expect(onInstalled).toHaveBeenCalledWith('web/shop@1.0.0'));
    expect(server.calls[1]?.body).toEqual({ archive: btoa('tar') });
  });
});
