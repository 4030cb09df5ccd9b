import { act, cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { DeployTarget, Proposal } from '../../api/types';
import { targetsQuery } from '../../data/ops';
import { setSingleKeys } from '../../lib/shortcuts';
import { anAsk, aProposal, COMMIT, stagesUpTo } from '../../test/proposals';
import { fakeServer, json, renderPage } from '../../test/render';
import { OpsPage } from './OpsPage';

const TARGET: DeployTarget = {
  name: 'local',
  commit: COMMIT,
  ready: true,
  reason: null,
  seen_at: new Date().toISOString(),
  since: new Date(Date.now() - 5 * 24 * 3600_000).toISOString(),
};

interface Shown {
  next?: string | null;
  /** The server's clock. */
  date?: Date;
}

async function show(proposals: Proposal[], targets = [TARGET], { next = null, date = new Date() }: Shown = {}) {
  const call = { id: 9, at: TARGET.seen_at, request_id: 'q', actor: 'token', method: 'POST', path: '/api/ops/propose' };
  const server = fakeServer({
    'GET /api/ops/proposals?limit=50&cursor=c1': () =>
      json({ items: [aProposal({ id: 'p1', title: 'Older' })], next_cursor: null }),
    'GET /api/ops/proposals': () => json({ items: proposals, next_cursor: next }),
    'GET /api/ops/targets': () => {
      const answer = json({ items: targets });
      answer.headers.set('date', date.toUTCString());
      return answer;
    },
    'GET /api/ops/audit': () =>
      json({ items: [{ ...call, peer: null, status: 401, code: 'unauthorized' }], next_cursor: null }),
  });
  vi.stubGlobal('fetch', server.fetch);
  const page = await renderPage(<OpsPage />);
  return { ...page, server };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('production', () => {
  it('is the top line: its commit, how it is, and when it was asked', async () => {
    await show([]);
    const line = await screen.findByTestId('target');
    for (const words of ['Production (local):', '0123abcd4567', 'Ready', 'asked just now'])
      expect(line.textContent).toContain(words);
  });

  it('says since when it answers so', async () => {
    const since = new Date(Date.now() - 5 * 24 * 3600_000);
    await show([], [{ ...TARGET, since: since.toISOString() }]);
    const line = await screen.findByTestId('target');
    expect(line.textContent).toMatch(/Readysince .*\d{2}:\d{2}:\d{2}asked/);
    expect(line.querySelector('time')?.dateTime).toBe(since.toISOString());
    cleanup();
    await show([], [{ ...TARGET, since: null }]);
    expect((await screen.findByTestId('target')).textContent).not.toContain('since');
  });

  it('is not known once nobody has asked for three minutes', async () => {
    const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
    await show([], [{ ...TARGET, seen_at: ago(170) }]);
    expect((await screen.findByTestId('target')).textContent).toContain('Ready');
    cleanup();
    await show([], [{ ...TARGET, seen_at: ago(190) }]);
    const line = await screen.findByTestId('target');
    expect(line.textContent).toContain('not known now');
    expect(line.textContent).toContain('asked last 3 min ago, when it answered 0123abcd4567');
    expect(line.textContent).not.toContain('Ready');
  });

  it('is as old as the server says, whatever time it is here', async () => {
    for (const minutes of [-10, 10]) {
      const there = (seconds: number) => new Date(Date.now() + minutes * 60_000 - seconds * 1000);
      await show([], [{ ...TARGET, seen_at: there(30).toISOString() }], { date: there(0) });
      const line = await screen.findByTestId('target');
      expect(line.textContent, `${minutes}`).toMatch(/Ready.*asked (29|30|31) s ago/);
      cleanup();
      await show([], [{ ...TARGET, seen_at: there(190).toISOString() }], { date: there(0) });
      expect((await screen.findByTestId('target')).textContent).toContain('no worker that knows it has asked since');
      cleanup();
    }
  });

  it('is not known, and no worker is to blame, while Titan does not answer', async () => {
    const { client } = await show([]);
    await screen.findByTestId('target');
    const { queryKey } = targetsQuery();
    act(() => void client.setQueryData(queryKey, (known) => known, { updatedAt: Date.now() - 4 * 60_000 }));
    await waitFor(() => expect(screen.getByTestId('target').dataset.known).toBe('false'));
    const line = screen.getByTestId('target').textContent;
    expect(line).toContain('not known now');
    expect(line).toContain('asked last 4 min ago');
    expect(line).toContain('this page has not heard from Titan since');
    expect(line).not.toContain('worker');
  });

  it('says why it is not well, and what is not known', async () => {
    await show([], [{ ...TARGET, commit: null, ready: false, reason: 'connection refused' }]);
    const line = await screen.findByTestId('target');
    for (const words of ['its commit is not known', 'Not ready', 'connection refused'])
      expect(line.textContent).toContain(words);
  });

  it('says which variable is missing when nothing is set up', async () => {
    await show([], []);
    await waitFor(() => expect(screen.getByTestId('production').textContent).toContain('TITAN_OPS_TARGET'));
  });
});

describe('the list', () => {
  it('has a dot for each stage, named by how it stands', async () => {
    await show([aProposal({ stages: stagesUpTo('patch', { status: 'running' }) })]);
    const row = await screen.findByTestId('proposal-row');
    const dots = within(within(row).getByRole('list', { name: 'Gates' })).getAllByRole('listitem');
    expect(dots.map((dot) => dot.textContent)).toEqual([
      'diff: passed',
      'patch: passed',
      'test: running',
      'pull request: not yet',
      'canary: not yet',
      'promote: not yet',
    ]);
    for (const words of ['Update README', 'by token', 'medium risk', '2 files', 'Running'])
      expect(row.textContent).toContain(words);
    expect(within(row).getByRole('link').getAttribute('href')).toBe('/ops/p7');
    expect(row.dataset.asks).toBe('false');
  });

  it('lets what asks something stand out, and says what', async () => {
    const asks = anAsk({ question: '0123abcd4567 is to be merged into main' });
    await show([aProposal({ state: 'waiting_for_approval', asks, reason: asks.question })]);
    const row = await screen.findByTestId('proposal-row');
    expect(row.dataset.asks).toBe('true');
    expect(row.textContent).toContain('Asks you: 0123abcd4567 is to be merged into main');
    expect(row.textContent?.split('is to be merged')).toHaveLength(2);
    expect(row.querySelector('[data-status="waiting_for_approval"]')?.textContent).toBe('Needs approval');
  });

  it('is gone through by keys, unless they are off', async () => {
    await show([aProposal({ id: 'p1', title: 'First' }), aProposal({ id: 'p2', title: 'Second' })]);
    await screen.findByRole('link', { name: 'First' });
    await userEvent.keyboard('jj');
    expect(document.activeElement).toBe(screen.getByRole('link', { name: 'Second' }));
    await userEvent.keyboard('k');
    expect(document.activeElement).toBe(screen.getByRole('link', { name: 'First' }));
    setSingleKeys(false);
    await userEvent.keyboard('j');
    expect(document.activeElement).toBe(screen.getByRole('link', { name: 'First' }));
  });

  it('has more when there is more', async () => {
    await show([aProposal()], [], { next: 'c1' });
    await userEvent.click(await screen.findByRole('button', { name: 'Load more' }));
    await screen.findByRole('link', { name: 'Older' });
    expect(screen.queryByRole('button', { name: 'Load more' })).toBeNull();
  });

  it('shows, while it is empty, how a proposal is made', async () => {
    await show([]);
    await screen.findByText('No proposals yet');
    const command = screen.getByTestId('propose-command').textContent ?? '';
    expect(command).toContain(`curl -X POST ${window.location.origin}/api/ops/propose`);
    expect(command).toContain('"path": "README.md", "content": "# My Project\\n\\n## Deployment\\n\\n..."');
  });
});

it('who called what is fetched when somebody wants to know', async () => {
  const { server } = await show([]);
  await screen.findByText('No proposals yet');
  expect(server.calls.some((call) => call.url.startsWith('/api/ops/audit'))).toBe(false);
  const details = screen.getByText('Who called what').closest('details');
  if (details === null) throw new Error('it does not open');
  details.open = true;
  fireEvent(details, new Event('toggle'));
  const row = await screen.findByTestId('call-row');
  for (const words of ['token', 'POST /api/ops/propose', '401 unauthorized']) expect(row.textContent).toContain(words);
});
