import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Setup } from '../../api/types';
import { aProject, aTask } from '../../test/fixtures';
import { type Call, fakeServer, json, renderPage } from '../../test/render';
import { ProjectsPage } from '../projects/ProjectsPage';
import { DEMO } from './useDemo';

const setup: Setup = {
  items: [
    { variable: 'OPENAI_API_KEY', set: false, needed_for: 'answers from OpenAI', provider: 'OpenAI', main: true },
    { variable: 'OPENAI_BASE_URL', set: false, needed_for: 'a local server', provider: 'OpenAI', main: false },
  ],
  worker_running: false,
  default_provider: null,
};

async function show(routes: Record<string, (call: Call) => Response> = {}) {
  const server = fakeServer({
    ...routes,
    'GET /api/setup': () => json(setup),
    'GET /api/projects': () => json({ items: [], next_cursor: null }),
  });
  vi.stubGlobal('fetch', server.fetch);
  await renderPage(<ProjectsPage />);
  return { steps: await screen.findByTestId('first-steps'), server };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the first steps', () => {
  it('stand in place of an empty list, with what is missing by name', async () => {
    const { steps } = await show();
    expect(steps.textContent).toContain('Missing');
    expect(steps.textContent).toContain('titan-worker run');
    const row = within(steps).getByTestId('setup-row');
    expect(row.textContent).toContain('Not set');
    expect(row.textContent).toContain('OPENAI_API_KEY');
    expect(screen.getByTestId('new-project')).toBeTruthy();
  });

  it('can be skipped, once and for all', async () => {
    await show();
    await userEvent.click(screen.getByRole('button', { name: 'Skip this' }));
    expect(await screen.findByText('No projects yet')).toBeTruthy();
    expect(screen.getByRole('link', { name: 'first steps' }).getAttribute('href')).toBe('/welcome');
    expect(window.localStorage.length).toBe(1);
  });

  it('make a demo, and one project however often it is tried', async () => {
    const answers = [() => json({ title: 'Away', status: 503, code: 'unavailable' }, 503), () => json(aTask(), 201)];
    const { steps, server } = await show({
      'POST /api/projects/p1/messages': () => answers.shift()?.() ?? json({}, 500),
      'POST /api/projects': () => json(aProject(), 201),
    });
    await userEvent.click(within(steps).getByRole('button', { name: 'Try the offline demo' }));
    await within(steps).findByText('Away');
    await userEvent.click(within(steps).getByRole('button', { name: 'Try the offline demo' }));
    const posts = (path: string) => server.calls.filter((call) => call.method === 'POST' && call.url === path);
    await waitFor(() => expect(posts('/api/projects/p1/messages')).toHaveLength(2));
    const keysOf = (path: string) => new Set(posts(path).map((call) => call.headers.get('idempotency-key')));
    expect(keysOf('/api/projects').size).toBe(1);
    expect(keysOf('/api/projects/p1/messages').size).toBe(1);
    expect(posts('/api/projects/p1/messages')[0]?.body).toEqual({ content: DEMO.message });
  });
});
