import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Task } from '../../api/types';
import { loadDraft } from '../../lib/drafts';
import { aDelta, anEvent, aRun, aTask } from '../../test/fixtures';
import { fakeServer, json, renderPage } from '../../test/render';
import { Composer } from './Composer';
import { LiveAnswer } from './LiveAnswer';
import { useSend } from './useSend';

function Harness() {
  const send = useSend('p1');
  return <Composer projectId="p1" send={send} answering={false} />;
}

const problem = (status: number, code: string, title: string) =>
  json({ type: 'about:blank', title, status, code, detail: '' }, status);
const field = () => screen.getByLabelText<HTMLTextAreaElement>('Message');

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('Composer', () => {
  it('sends with Ctrl+Enter, and Enter alone makes a new line', async () => {
    const server = fakeServer({ 'POST /api/projects/p1/messages': () => json(aTask(), 201) });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<Harness />);
    await userEvent.type(field(), 'first{Enter}second');
    expect(server.calls).toHaveLength(0);
    await userEvent.type(field(), '{Control>}{Enter}{/Control}');
    await waitFor(() => expect(field().value).toBe(''));
    expect(server.calls[0]?.body).toEqual({ content: 'first\nsecond' });
    expect(server.calls[0]?.headers.get('idempotency-key')).toBeTruthy();
  });

  it('keeps the text of a failed send, says why, and repeats it with the same key', async () => {
    const answers = [
      () => problem(503, 'database_unavailable', 'The database is not available'),
      () => json(aTask(), 201),
    ];
    const server = fakeServer({ 'POST /api/projects/p1/messages': () => answers.shift()?.() ?? json({}, 500) });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<Harness />);
    await userEvent.type(field(), 'keep me');
    await userEvent.click(screen.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('The database is not available'));
    expect(field().value).toBe('keep me');
    expect(loadDraft('p1').text).toBe('keep me');
    await userEvent.click(screen.getByRole('button', { name: 'Retry' }));
    await waitFor(() => expect(field().value).toBe(''));
    const used = server.calls.map((call) => call.headers.get('idempotency-key'));
    expect(used).toHaveLength(2);
    expect(used[0]).toBe(used[1]);
    expect(loadDraft('p1').text).toBe('');
  });

  it('makes one request of a double press', async () => {
    let release: (response: Response) => void = () => undefined;
    const server = fakeServer({
      'POST /api/projects/p1/messages': () =>
        new Promise<Response>((resolve) => {
          release = resolve;
        }),
    });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<Harness />);
    await userEvent.type(field(), 'once');
    await userEvent.keyboard('{Control>}{Enter}{Enter}{/Control}');
    expect(server.calls).toHaveLength(1);
    release(json(aTask(), 201));
    await waitFor(() => expect(field().value).toBe(''));
  });

  it('does not send while Titan cannot be reached, and keeps what is typed', async () => {
    const page = await renderPage(<Harness />);
    await userEvent.type(field(), 'later');
    act(() => page.hub({ type: 'connection', connection: { kind: 'offline', since: 0, retryAt: 0 } }));
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Send' }).disabled).toBe(true);
    expect(screen.getByText('Titan cannot be reached now. Your text is kept.')).toBeTruthy();
    expect(field().value).toBe('later');
  });
});

describe('what goes with a message', () => {
  const sent = (name: string) => ({ id: `id-${name}`, name, media_type: 'text/plain', size: 2, created_at: '' });
  const routes = {
    'POST /api/projects/p1/attachments': (call: { body: unknown }) =>
      json(sent((call.body as { name: string }).name), 201),
    'POST /api/projects/p1/messages': () => json(aTask(), 201),
    'GET /api/agents': () =>
      json({
        items: [
          { name: 'jason', title: 'Jason', description: 'Keeps the overview.', model: null, default: true },
          { name: 'writer', title: 'Writer', description: 'Writes texts.', model: null, default: false },
        ],
      }),
    'GET /api/models': (call: { url: string }) =>
      json({
        items: call.url.includes('q=big')
          ? [{ ...aModel('one:big') }]
          : [{ ...aModel('one:small'), default: true }, aModel('one:big')],
        next_cursor: null,
      }),
  };
  const aModel = (name: string) => ({
    name,
    provider: 'one',
    id: name.split(':')[1],
    context_tokens: null,
    max_output_tokens: null,
    default: false,
  });

  it('files are sent at once, can be taken back, and are named by the message', async () => {
    const server = fakeServer(routes);
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<Harness />);
    const input = document.querySelector<HTMLInputElement>('input[type="file"]');
    await userEvent.upload(input as HTMLInputElement, [new File(['ab'], 'a.txt'), new File(['cd'], 'b.txt')]);
    await waitFor(() => expect(screen.getAllByTestId('draft-file')).toHaveLength(2));
    expect(server.calls[0]?.body).toMatchObject({ name: 'a.txt', data: 'YWI=' });
    await userEvent.click(screen.getByRole('button', { name: 'Remove a.txt' }));
    expect(screen.getAllByTestId('draft-file')).toHaveLength(1);
    expect(loadDraft('p1').files.map((file) => file.name)).toEqual(['b.txt']);
    await userEvent.type(field(), 'look{Control>}{Enter}{/Control}');
    await waitFor(() => expect(field().value).toBe(''));
    expect(server.calls.at(-1)?.body).toEqual({ content: 'look', attachments: ['id-b.txt'] });
    expect(screen.queryAllByTestId('draft-file')).toHaveLength(0);
  });

  it('a file comes with what is pasted, and one that cannot be sent says why', async () => {
    const refuse = () => problem(422, 'validation_failed', 'A field is wrong');
    const server = fakeServer({ ...routes, 'POST /api/projects/p1/attachments': refuse });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<Harness />);
    const data = new DataTransfer();
    data.items.add(new File(['%PDF'], 'a.pdf'));
    fireEvent.paste(field(), { clipboardData: data });
    await waitFor(() => expect(screen.getByTestId('sending-file').textContent).toContain('A field is wrong'));
    await userEvent.type(field(), 'x');
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Send' }).disabled).toBe(true);
    await userEvent.click(screen.getByRole('button', { name: 'Remove a.pdf' }));
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Send' }).disabled).toBe(false);
  });

  it('an agent and a model can be chosen, and the default model is marked', async () => {
    const server = fakeServer(routes);
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<Harness />);
    expect(server.calls).toHaveLength(0);
    await userEvent.click(screen.getByRole('combobox', { name: 'Agent' }));
    await userEvent.click(await screen.findByRole('option', { name: /Writer/ }));
    await userEvent.click(screen.getByRole('combobox', { name: 'Model' }));
    expect((await screen.findByRole('option', { name: /one:small/ })).textContent).toContain('default');
    await userEvent.type(screen.getByRole('combobox', { name: 'Model' }), 'big');
    await waitFor(() => expect(screen.queryByRole('option', { name: /one:small/ })).toBeNull());
    await userEvent.click(screen.getByRole('option', { name: /one:big/ }));
    await userEvent.type(field(), 'hello{Control>}{Enter}{/Control}');
    await waitFor(() => expect(field().value).toBe(''));
    const said = server.calls.find((call) => call.url === '/api/projects/p1/messages');
    expect(said?.body).toEqual({ content: 'hello', agent: 'writer', model: 'one:big' });
  });
});

describe('LiveAnswer', () => {
  const running = (): Task =>
    aTask({ execution_status: 'in_progress', latest_run: { id: 'r1', status: 'running', stage: 'processing' } });
  const text = () => screen.queryByTestId('streaming-text')?.textContent ?? '';

  it('shows the answer as it streams, and of a killed attempt nothing', async () => {
    const page = await renderPage(<LiveAnswer projectId="p1" task={running()} />);
    expect(page.sent).toContainEqual({ type: 'watch', runId: 'r1', after: 0 });
    act(() => page.hub({ type: 'run-events', runId: 'r1', events: [aDelta(1, 0, 'Hel'), aDelta(2, 3, 'lo')] }));
    await waitFor(() => expect(text()).toContain('Hello'));
    act(() =>
      page.hub({
        type: 'run-events',
        runId: 'r1',
        events: [anEvent(3, { kind: 'step.started', step: 1, data: { attempt: 2 } }), aDelta(4, 0, 'Again', 2)],
      }),
    );
    await waitFor(() => expect(text()).toContain('Again'));
    expect(text()).not.toContain('Hello');
    expect(screen.getByText(/attempt 2/)).toBeTruthy();
  });

  it('cancels at once', async () => {
    const server = fakeServer({ 'POST /api/tasks/t1/cancel': () => json(running()) });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<LiveAnswer projectId="p1" task={running()} />);
    await userEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(server.calls).toHaveLength(1));
  });

  it('says why a task does not move', async () => {
    const hint = { code: 'no_worker', message: 'No worker that serves chat has reported since 13:58.', since: null };
    await renderPage(<LiveAnswer projectId="p1" task={aTask({ hint })} />);
    expect(screen.getByTestId('hint').textContent).toBe(hint.message);
  });

  it('says why an answer failed and offers to repeat it', async () => {
    const server = fakeServer({ 'POST /api/tasks/execute': () => json({ run_id: 'r2', task_id: 't1' }, 202) });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(
      <LiveAnswer
        projectId="p1"
        task={aTask({ execution_status: 'failed', failure_reason: 'The model server answered 429.' })}
      />,
    );
    expect(screen.getByRole('alert').textContent).toContain('The model server answered 429.');
    await userEvent.click(screen.getByRole('button', { name: 'Retry' }));
    const posted = () => server.calls.find((call) => call.method === 'POST')?.body;
    await waitFor(() => expect(posted()).toEqual({ task_id: 't1', wait_seconds: 0 }));
  });

  it('names the way to the setting that a failure is about', async () => {
    const item = { variable: 'OPENAI_API_KEY', set: true, needed_for: '', provider: 'OpenAI', main: true };
    const setup = { items: [item], worker_running: true, default_provider: 'openai' };
    vi.stubGlobal('fetch', fakeServer({ 'GET /api/setup': () => json(setup) }).fetch);
    const failure_reason = 'the model provider does not accept the key in OPENAI_API_KEY (HTTP 401): wrong';
    await renderPage(<LiveAnswer projectId="p1" task={aTask({ execution_status: 'failed', failure_reason })} />);
    const link = await screen.findByRole('link', { name: 'Where OPENAI_API_KEY is set' });
    expect(link.getAttribute('href')).toBe('/system#setup');
  });

  it('says that it waits for a budget, and offers to raise it', async () => {
    const reason = 'the budget of the project is used up: 1 of 1 calls are made';
    const run = aRun({ waiting_on: 'budget', waiting_since: new Date().toISOString(), waiting_reason: reason });
    vi.stubGlobal('fetch', fakeServer({ 'GET /api/runs/r1': () => json(run) }).fetch);
    const hint = { code: 'waiting', message: `Waiting: ${reason}`, since: null };
    await renderPage(<LiveAnswer projectId="p1" task={{ ...running(), hint }} />);
    expect((await screen.findByTestId('wait')).textContent).toContain('1 of 1 calls are made');
    expect(screen.getByRole('button', { name: 'Raise the budget' })).toBeTruthy();
    expect(screen.queryByTestId('hint')).toBeNull();
  });
});
