import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Model, Provider } from '../../api/types';
import { fakeServer, json, renderPage } from '../../test/render';
import { ModelPanel } from './ModelPanel';
import { ProviderTable } from './ProviderTable';

const UNUSED = {
  calls: 0,
  failed_calls: 0,
  input_tokens: 0,
  output_tokens: 0,
  cost: 0,
  first_token_ms: null,
  duration_ms: null,
};

const aProvider = (over: Partial<Provider> = {}): Provider => ({
  name: 'openai',
  kind: 'openai',
  model: 'small',
  state: 'ready',
  default: false,
  detail: '',
  last_error: null,
  model_count: 1,
  checked_at: '2026-11-21T10:00:00Z',
  last_30_days: UNUSED,
  ...over,
});

const aModel = (over: Partial<Model> = {}): Model => ({
  name: 'openai:small',
  provider: 'openai',
  id: 'small',
  context_tokens: 128_000,
  max_output_tokens: null,
  input_price: 0.15,
  output_price: null,
  default: false,
  ...over,
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('ProviderTable', () => {
  it('tells what became of the calls, and an error once', async () => {
    const error = 'the model provider does not accept the key in OPENAI_API_KEY (HTTP 401): wrong';
    const used = {
      calls: 1240,
      failed_calls: 3,
      input_tokens: 52_000,
      output_tokens: 9100,
      cost: 1.5,
      first_token_ms: 420,
      duration_ms: 3100,
    };
    const failing = aProvider({ state: 'failing', detail: error, last_error: error, last_30_days: used });
    const offline = aProvider({ name: 'offline', kind: 'offline', model: 'echo', default: true });
    const local = aProvider({ name: 'ollama', kind: 'ollama', model: 'auto' });
    await renderPage(<ProviderTable providers={[failing, offline, local]} />);
    const rows = await screen.findAllByTestId('provider-row');
    expect(rows[0]?.textContent).toContain('offline answers');
    expect(rows[1]?.textContent).toContain('auto the first that the server lists');
    expect(rows[1]?.textContent).toContain('not asked in 30 days');
    const text = rows[2]?.textContent ?? '';
    for (const words of ['1,240', '3 failed', '52k / 9.1k', '$1.50', '420 ms / 3.1 s']) expect(text).toContain(words);
    expect(text.split('does not accept the key')).toHaveLength(2);
  });
});

describe('ModelPanel', () => {
  it('shows context and prices, says how many there are, and never that none is known while it looks', async () => {
    const found: Record<string, Model[]> = { big: [], '': [aModel(), aModel({ name: 'a:b', id: 'auto' })] };
    const seen: string[] = [];
    const server = fakeServer({
      'GET /api/models': async ({ url }) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        seen.push(document.body.textContent ?? '');
        const q = new URL(url, 'http://titan').searchParams.get('q') ?? '';
        return json({ items: found[q] ?? [], next_cursor: null });
      },
    });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<ModelPanel />);
    const [row, auto] = await screen.findAllByTestId('model-row');
    expect(row?.textContent).toMatch(/small.*openai.*128,000.*0\.15.*not known/);
    expect(auto?.textContent).toContain('the first that the server lists');
    expect(screen.getByRole('status').textContent).toBe('2 models');
    const search = screen.getByLabelText('Search the models');
    await userEvent.type(search, 'big');
    await screen.findByText('No model has this in its name');
    await waitFor(() => expect(screen.getByRole('status').textContent).toBe('No model found'));
    await userEvent.clear(search);
    await screen.findAllByTestId('model-row');
    for (const text of seen) expect(text).not.toContain('No model is known');
  });
});
