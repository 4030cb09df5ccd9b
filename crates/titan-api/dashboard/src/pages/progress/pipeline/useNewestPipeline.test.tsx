import { screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { aPipelineRun, aTask } from '../../../test/fixtures';
import { fakeServer, json, renderPage } from '../../../test/render';
import { useNewestPipeline } from './useNewestPipeline';

const latest_run = { id: 'r1', status: 'completed', stage: 'done' } as const;
const chat = aTask({ id: 'chat', latest_run });

function Shown({ more }: { more: boolean }) {
  return <p>{useNewestPipeline('p1', [chat], more)?.id ?? 'none'}</p>;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

it('finds a pipeline that is older than all tasks in view, by what it published', async () => {
  const server = fakeServer({
    'GET /api/projects/p1/publications': () => json({ items: [{ run_id: 'r1', number: 1 }], next_cursor: null }),
    'GET /api/runs/r1': () => json(aPipelineRun([], { task_id: 'old' })),
    'GET /api/tasks/old': () => json(aTask({ id: 'old', type: 'pipeline', latest_run })),
  });
  vi.stubGlobal('fetch', server.fetch);
  await renderPage(<Shown more />);
  expect(await screen.findByText('old')).toBeTruthy();
});

it('asks nobody when all tasks are in view', async () => {
  const server = fakeServer({});
  vi.stubGlobal('fetch', server.fetch);
  await renderPage(<Shown more={false} />);
  expect(screen.getByText('none')).toBeTruthy();
  expect(server.calls).toEqual([]);
});
