import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Job, Limit, Queue } from '../../api/types';
import { aJob, aLimit, aMinute, aProject, aQueue, aWorker } from '../../test/fixtures';
import { type Call, fakeServer, json, renderPage } from '../../test/render';
import { QueuePage } from './QueuePage';

interface World {
  queues?: Queue[];
  jobs?: Job[];
  limits?: Limit[];
  routes?: Record<string, (call: Call) => Response>;
}

async function show({ queues = [aQueue()], jobs = [], limits = [], routes = {} }: World = {}) {
  const server = fakeServer({
    ...routes,
    'GET /api/queues': () => json({ items: queues }),
    'GET /api/worker/health': () =>
      json({ running: true, current_task: null, last_heartbeat: null, workers: [aWorker()] }),
    'GET /api/jobs': () => json({ items: jobs, next_cursor: null }),
    'GET /api/limits': () => json({ items: limits, next_cursor: null }),
    'GET /api/projects': () => json({ items: [aProject()], next_cursor: null }),
  });
  vi.stubGlobal('fetch', server.fetch);
  const page = await renderPage(<QueuePage />);
  const asked = (route: string) => server.calls.filter((call) => `${call.method} ${call.url}`.startsWith(route));
  return { ...page, asked };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('queues', () => {
  it('are paused with the reason that was typed', async () => {
    const paused = aQueue({ paused_at: '2026-11-21T10:00:00Z', paused_reason: 'Deploy' });
    const { asked } = await show({ routes: { 'POST /api/queues/default/pause': () => json(paused) } });
    await userEvent.click(await screen.findByRole('button', { name: 'Pause default' }));
    const dialog = await screen.findByRole('dialog', { name: 'Pause the queue default' });
    await userEvent.type(within(dialog).getByLabelText('Reason'), ' Deploy ');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Pause' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(asked('POST /api/queues/default/pause').map((call) => call.body)).toEqual([{ reason: 'Deploy' }]);
    // The numbers were fetched again.
    await waitFor(() => expect(asked('GET /api/queues').length).toBeGreaterThan(1));
  });

  it('say why they stand still, how much waits and what they got done', async () => {
    const queue = aQueue({
      paused_at: '2026-11-21T10:00:00Z',
      paused_reason: 'Deploy',
      ready: 1240,
      oldest_ready_seconds: 95,
      dead: 2,
      minutes: [aMinute(0, { completed: 7, failed: 1 })],
    });
    await show({ queues: [queue] });
    const row = await screen.findByTestId('queue-row');
    for (const words of ['Paused', 'Deploy', '1,240', '1 min 35 s', '7 done', '1 failed']) {
      expect(row.textContent).toContain(words);
    }
    expect(within(row).getByRole('img').getAttribute('aria-label')).toContain('7 completed, 1 failed');
    expect(within(row).getByRole('button', { name: 'Resume default' })).toBeTruthy();
    const dead = within(row).getByRole('link', { name: '2 dead in default, show' });
    expect(dead.getAttribute('href')).toContain('state=dead');
  });
});

describe('jobs', () => {
  it('name their origin, attempt and error, and a dead one is redriven by its id', async () => {
    const job = aJob({
      id: 77,
      state: 'dead',
      attempt: 3,
      error: 'no such model',
      finished_at: '2026-11-21T10:00:00Z',
    });
    const done = { action: 'redrive', preview: false, matched: 1, changed: 1, skipped: 0, remaining: 0 };
    const { asked } = await show({ jobs: [job], routes: { 'POST /api/jobs/bulk': () => json(done) } });
    const row = await screen.findByTestId('job-row');
    await waitFor(() => expect(row.textContent).toContain('My Web App'));
    for (const words of ['3 of 3', 'no such model']) expect(row.textContent).toContain(words);
    const links = within(row).getAllByRole('link');
    expect(links.map((link) => link.getAttribute('href'))).toEqual([
      '/projects/p1/progress',
      '/projects/p1/progress?task=t1',
      '/runs/r1',
    ]);
    await userEvent.click(within(row).getByRole('button', { name: 'Redrive job 77' }));
    await waitFor(() => expect(asked('POST /api/jobs/bulk')).toHaveLength(1));
    expect(asked('POST /api/jobs/bulk')[0]?.body).toEqual({ action: 'redrive', filter: { ids: [77] } });
  });

  it('can be told apart by tab, each an address of its own', async () => {
    await show({ queues: [aQueue({ ready: 3, dead: 2 })] });
    const tabs = await screen.findByRole('navigation', { name: 'Jobs by state' });
    await waitFor(() => expect(within(tabs).getByRole('link', { name: /^Ready/ }).textContent).toBe('Ready3'));
    expect(within(tabs).getByRole('link', { current: 'page' }).textContent).toBe('All active3');
    const hrefs = within(tabs)
      .getAllByRole('link')
      .map((link) => link.getAttribute('href'));
    expect(hrefs).toEqual([
      '/queue',
      '/queue?state=ready',
      '/queue?state=scheduled',
      '/queue?state=waiting',
      '/queue?state=running',
      '/queue?state=dead',
      '/queue?state=completed',
    ]);
  });

  it('are gone, which is said', async () => {
    await show();
    await waitFor(() => expect(screen.getByText('Nothing to do')).toBeTruthy());
    expect(screen.queryByRole('button', { name: 'Cancel all matching' })).toBeNull();
  });
});

describe('limits', () => {
  it('are added with what was typed, after the form has checked it', async () => {
    const { asked } = await show({ routes: { 'PUT /api/limits/a%2Fb': () => json(aLimit({ key: 'a/b' })) } });
    await userEvent.click(await screen.findByRole('button', { name: 'Add a limit' }));
    const dialog = await screen.findByRole('dialog', { name: 'Add a limit' });
    await userEvent.type(within(dialog).getByRole('textbox', { name: /^Key/ }), 'a/b');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Add limit' }));
    expect(within(dialog).getByText(/Say how many at once/)).toBeTruthy();
    await userEvent.type(within(dialog).getByLabelText('So many jobs'), '100');
    await userEvent.type(within(dialog).getByLabelText('In so many seconds'), '60');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Add limit' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(asked('PUT').map((call) => call.body)).toEqual([{ rate_count: 100, rate_period_ms: 60_000 }]);
  });

  it('stay while jobs wait for them, and the refusal is shown', async () => {
    const problem = { title: 'Jobs wait for this limit', code: 'conflict', status: 409 };
    await show({
      limits: [aLimit({ waiting: 3 })],
      routes: { 'DELETE /api/limits/model': () => json(problem, 409) },
    });
    await userEvent.click(await screen.findByRole('button', { name: 'Delete the limit model' }));
    const dialog = await screen.findByRole('dialog', { name: 'Delete the limit' });
    await userEvent.click(within(dialog).getByRole('button', { name: 'Delete limit' }));
    await waitFor(() => expect(within(dialog).getByRole('alert').textContent).toContain('Jobs wait for this limit'));
  });
});

describe('offline', () => {
  it('keeps what is on the screen and takes no orders', async () => {
    const { hub } = await show({ queues: [aQueue({ paused_at: '2026-11-21T10:00:00Z' })], jobs: [aJob()] });
    await screen.findByTestId('job-row');
    hub({ type: 'connection', connection: { kind: 'offline', since: 0, retryAt: 0 } });
    for (const name of ['Resume default', 'Cancel job 1', 'Cancel all matching', 'Add a limit']) {
      await waitFor(() => expect(screen.getByRole<HTMLButtonElement>('button', { name }).disabled, name).toBe(true));
    }
    expect(screen.getByTestId('job-row')).toBeTruthy();
  });
});
