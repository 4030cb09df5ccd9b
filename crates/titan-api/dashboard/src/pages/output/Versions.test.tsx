import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { anOutput } from '../../test/fixtures';
import { fakeServer, json, renderPage } from '../../test/render';
import { Preview } from './Preview';
import { Versions } from './Versions';

const FIRST = anOutput({ id: 'o0', review: 'rejected' });
const SECOND = anOutput({ id: 'o1' });

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('Versions', () => {
  it('says nothing of a single one', async () => {
    const server = fakeServer({ 'GET /api/outputs/o1/versions': () => json({ items: [SECOND] }) });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<Versions output={SECOND} />);
    await waitFor(() => expect(server.calls).toHaveLength(1));
    expect(screen.queryByTestId('versions')).toBeNull();
  });

  it('lists them and compares two', async () => {
    const server = fakeServer({
      'GET /api/outputs/o1/versions': () => json({ items: [FIRST, SECOND] }),
      'GET /api/outputs/o1/diff': () => json({ patch: '@@ -1 +1 @@\n-long\n+short\n', truncated: false }),
    });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<Versions output={SECOND} />);
    const current = await screen.findByRole('link', { name: 'Version 2' });
    expect(current.getAttribute('aria-current')).toBe('true');
    expect(screen.getByTestId('versions').textContent).toContain('rejected');
    await userEvent.selectOptions(screen.getByLabelText('Compare with'), 'Version 1');
    const patch = await screen.findByTestId('patch');
    expect(patch.querySelector('[data-line="added"]')?.textContent).toBe('+short\n');
    expect(server.calls.at(-1)?.url).toBe('/api/outputs/o1/diff?from=o0');
  });

  it('says that two are the same, and what is wrong when they cannot be compared', async () => {
    let refuse = false;
    const server = fakeServer({
      'GET /api/outputs/o1/versions': () => json({ items: [FIRST, SECOND] }),
      'GET /api/outputs/o1/diff': () =>
        refuse
          ? json({ code: 'conflict', title: 'No', status: 409, detail: 'Only texts are compared.', errors: [] }, 409)
          : json({ patch: '', truncated: false }),
    });
    vi.stubGlobal('fetch', server.fetch);
    const page = await renderPage(<Versions output={SECOND} />);
    await userEvent.selectOptions(await screen.findByLabelText('Compare with'), 'Version 1');
    await screen.findByText('The two are the same');
    refuse = true;
    await page.client.resetQueries({ queryKey: ['comparison'] });
    await screen.findByText(/Only texts are compared/);
  });
});

describe('Preview', () => {
  it('shows a PDF in a frame of its own', async () => {
    await renderPage(<Preview output={anOutput({ kind: 'file', media_type: 'application/pdf', name: 'offer.pdf' })} />);
    const frame = screen.getByTitle('offer.pdf');
    expect(frame.tagName).toBe('IFRAME');
    expect(frame.getAttribute('src')).toBe('/api/outputs/o1/content');
  });

  it('shows a diff by its lines', async () => {
    const preview = '@@ -1 +1 @@\n-a\n+b\n';
    const output = anOutput({ kind: 'code', media_type: 'text/x-diff', name: 'x', preview, size: preview.length });
    await renderPage(<Preview output={output} />);
    expect(screen.getByTestId('patch').querySelector('[data-line="removed"]')?.textContent).toBe('-a\n');
  });
});
