import { useQuery } from '@tanstack/react-query';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Preview, Run } from '../../../api/types';
import { tasksQuery } from '../../../data/queries';
import { anEvent, aPipelineRun, aTask } from '../../../test/fixtures';
import { fakeServer, json, renderPage } from '../../../test/render';
import PipelinePanel from './PipelinePanel';

const payload = { template: 'web-app@1.0.0', sha256: 'f0', inputs: { title: 'T' }, target: 'preview' };
const task = aTask({ type: 'pipeline', payload, latest_run: { id: 'r1', status: 'running', stage: 'processing' } });
const PREVIEW: Preview = {
  project_id: 'p1',
  run_id: 'r1',
  commit_id: 'c0ffee',
  state: 'running',
  address: 'http://127.0.0.1:4000/',
  error: null,
  updated_at: '2026-11-21T10:00:00.000Z',
};

/** The list out of which the page takes its pipeline. */
function Listed() {
  return <p>{useQuery(tasksQuery('p1')).data?.items.length ?? 'none'} listed</p>;
}

type Routes = Parameters<typeof fakeServer>[0];

async function show(run: Run, preview: Preview | null = PREVIEW, more: Routes = {}, beside: ReactNode = null) {
  const events = [anEvent(1, { step: 2, message: 'building the page' })];
  const server = fakeServer({
    'GET /api/runs/r1/events': () => json({ items: events, next_cursor: null }),
    'GET /api/runs/r1': () => json(run),
    'GET /api/projects/p1/preview': () => json({ preview }),
    'GET /api/projects/p1/publications': () => json({ items: [], next_cursor: null }),
    'GET /api/setup': () => json({ items: [] }),
    'POST /api/projects/p1/preview/stop': () => json({ ...PREVIEW, state: 'stopped' }),
    'POST /api/projects/p1/pipelines': () => json(task, 201),
    'POST /api/tasks/execute': () => json({ task_id: 't1', run_id: 'r2', status: 'queued' }, 202),
    'POST /api/runs/r1/cancel': () => json(run),
    ...more,
  });
  vi.stubGlobal('fetch', server.fetch);
  await renderPage(
    <>
      <PipelinePanel task={task} />
      {beside}
    </>,
  );
  await screen.findByRole('list', { name: 'Stages of the pipeline' });
  return (method: string) => server.calls.filter((call) => call.method === method);
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the pipeline of a project', () => {
  it('marks the stage that runs, and can be stopped', async () => {
    const calls = await show(aPipelineRun(['completed', 'running', 'pending', 'pending', 'pending']));
    const current = within(screen.getByRole('list', { name: 'Stages of the pipeline' }))
      .getAllByRole('listitem')
      .filter((item) => item.getAttribute('aria-current') === 'step');
    expect(current.map((item) => item.textContent)).toEqual([expect.stringContaining('Build')]);
    await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(calls('POST').map(({ url }) => url)).toEqual(['/api/runs/r1/cancel']));
  });

  it('says what failed and why, and goes on from there', async () => {
    const run = aPipelineRun(['completed', 'failed', 'skipped', 'skipped', 'skipped'], { status: 'failed' });
    const [, build] = run.steps;
    if (build) build.error = 'Build ended with exit code 1';
    const calls = await show(run);
    expect(screen.getByRole('alert').textContent).toContain('Build failed. Build ended with exit code 1');
    expect(await screen.findByText('building the page')).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Retry from build' }));
    await waitFor(() => expect(calls('POST')[0]?.body).toEqual({ task_id: 't1', wait_seconds: 0 }));
  });

  it('says that only starting over sees files that were changed after the build', async () => {
    await show(aPipelineRun(['completed', 'completed', 'completed', 'failed', 'skipped'], { status: 'failed' }));
    expect(screen.getByRole('alert').textContent).toContain('start over instead');
    expect(screen.getByRole('button', { name: 'Retry from verify' })).toBeTruthy();
  });

  it('can be started over with the same order', async () => {
    const calls = await show(aPipelineRun(Array(5).fill('completed'), { status: 'completed' }));
    await userEvent.click(screen.getByRole('button', { name: 'Start over' }));
    await waitFor(() =>
      expect(calls('POST')[0]?.body).toEqual({ template: 'web-app@1.0.0', inputs: { title: 'T' }, target: 'preview' }),
    );
  });

  it('is started over once, though the answer is lost and the button is pressed again', async () => {
    let answers = 0;
    const calls = await show(aPipelineRun(Array(5).fill('completed'), { status: 'completed' }), PREVIEW, {
      'POST /api/projects/p1/pipelines': () => {
        answers += 1;
        if (answers === 1) throw new TypeError('the connection was lost');
        return json(task, 201);
      },
    });
    const button = screen.getByRole('button', { name: 'Start over' });
    await userEvent.click(button);
    await waitFor(() => expect(calls('POST')).toHaveLength(1));
    await waitFor(() => expect(button.hasAttribute('data-loading')).toBe(false));
    await userEvent.click(button);
    await waitFor(() => expect(calls('POST')).toHaveLength(2));
    const [first, second] = calls('POST').map(({ headers }) => headers.get('idempotency-key'));
    expect(first).toBeTruthy();
    expect(second).toBe(first);
  });

  it('cannot be started over again before the page knows of what was begun', async () => {
    let lists = 0;
    let arrive: () => void = () => undefined;
    const second = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const calls = await show(
      aPipelineRun(Array(5).fill('completed'), { status: 'completed' }),
      PREVIEW,
      {
        'GET /api/projects/p1/tasks': async () => {
          lists += 1;
          if (lists === 2) await second;
          return json({ items: [task], next_cursor: null });
        },
      },
      <Listed />,
    );
    await screen.findByText('1 listed');
    const button = screen.getByRole('button', { name: 'Start over' });
    await userEvent.click(button);
    await waitFor(() => expect(lists).toBe(2));
    expect(button.hasAttribute('data-loading')).toBe(true);
    await userEvent.click(button);
    expect(calls('POST')).toHaveLength(1);
    arrive();
    await waitFor(() => expect(button.hasAttribute('data-loading')).toBe(false));
  });

  it('leads to the preview in a second tab, and stops it', async () => {
    const calls = await show(aPipelineRun(Array(5).fill('completed'), { status: 'completed' }));
    const link = await screen.findByRole<HTMLAnchorElement>('link', { name: /127\.0\.0\.1:4000/ });
    expect([link.target, link.rel, link.href]).toEqual(['_blank', 'noopener noreferrer', PREVIEW.address]);
    await userEvent.click(screen.getByRole('button', { name: 'Stop the preview' }));
    await waitFor(() => expect(calls('POST').map(({ url }) => url)).toEqual(['/api/projects/p1/preview/stop']));
  });

  it.each([
    ['javascript:alert(1)', 'running'],
    [null, 'starting'],
  ])('makes no link of %s', async (address, state) => {
    await show(aPipelineRun(Array(5).fill('completed'), { status: 'completed' }), { ...PREVIEW, address, state });
    await screen.findByRole('button', { name: 'Stop the preview' });
    expect(screen.queryAllByRole('link').map((link) => link.textContent)).toEqual(['Open the run']);
  });

  it('says why a preview failed', async () => {
    await show(aPipelineRun(Array(5).fill('completed'), { status: 'completed' }), {
      ...PREVIEW,
      state: 'failed',
      error: 'The port was taken',
    });
    expect(await screen.findByText('The port was taken')).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Start the preview' })).toBeTruthy();
  });
});
