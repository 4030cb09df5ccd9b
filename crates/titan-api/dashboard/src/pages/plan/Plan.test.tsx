import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { anEvent, aTask } from '../../test/fixtures';
import { aCharter, anItem, aPlan } from '../../test/plans';
import { fakeServer, json, renderPage } from '../../test/render';
import { Approval } from './Approval';
import { CharterView } from './CharterView';
import { DraftView } from './DraftView';
import { Questions } from './Questions';
import { planInView } from './sections';
import { VersionView } from './VersionView';
import { WishForm } from './WishForm';

function serve(routes: Parameters<typeof fakeServer>[0]) {
  const server = fakeServer(routes);
  vi.stubGlobal('fetch', server.fetch);
  return server;
}

const [onNewest, onRefined, onDecided] = [vi.fn(), vi.fn(), vi.fn()];

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the wish', () => {
  it('must be said, and makes one draft', async () => {
    const server = serve({ 'POST /api/projects/reiterate': () => json({ project_id: 'p9', task: {} }, 201) });
    const ordered = vi.fn();
    await renderPage(<WishForm projectId={null} onOrdered={ordered} />);
    await userEvent.click(screen.getByRole('button', { name: 'Draft a plan' }));
    expect(screen.getByText('Write what you want.')).toBeTruthy();
    await userEvent.type(screen.getByLabelText(/^Your wish/), ' A page ');
    await userEvent.click(screen.getByRole('button', { name: 'Draft a plan' }));
    await waitFor(() => expect(ordered).toHaveBeenCalledWith('p9'));
    expect(server.calls[0]?.body).toEqual({ wish: 'A page' });
    expect(server.calls[0]?.headers.get('idempotency-key')).toBeTruthy();
  });
});

describe('a draft', () => {
  it('shows its sections as they come, and why none do', async () => {
    const hint = { code: 'no_worker', message: 'No worker that serves plan has reported yet.', since: null };
    serve({ 'GET /api/tasks/t1': () => json(aTask({ hint })) });
    const draft = {
      task_id: 't1',
      run_id: 'r1',
      execution_status: 'in_progress',
      wish: 'A page',
      failure_reason: null,
      created_at: '2026-11-21T10:00:00.000Z',
    } as const;
    const page = await renderPage(<DraftView projectId="p1" draft={draft} />);
    const data = { section: 'goal', value: 'A page for tea.', round: 1, attempt: 1 } as never;
    page.hub({ type: 'run-events', runId: 'r1', events: [anEvent(1, { kind: 'plan.section', data })] });
    expect(await screen.findByText('A page for tea.')).toBeTruthy();
    // What is said aloud has no clock in it, which would be said with each second.
    expect(screen.getByTestId('draft-said').textContent).toBe('In progress, 1 of 9 sections');
    expect(document.querySelectorAll('[aria-live]')).toHaveLength(1);
    expect(await screen.findByText('No worker that serves plan has reported yet.')).toBeTruthy();
  });
});

describe('the questions', () => {
  it('are answered one by one, and refine the plan', async () => {
    const server = serve({
      'POST /api/projects/p1/plan/answers': () => json({ plan: aPlan(), task: null }),
      'POST /api/projects/reiterate': () => json({ project_id: 'p1', task: {} }, 201),
    });
    const answered = aPlan({
      answers: [{ question: 'colour', kind: 'decide', answer: null, answered_at: '2026-11-21T10:00:00.000Z' }],
    });
    const refined = vi.fn();
    await renderPage(<Questions projectId="p1" plan={answered} onRefined={refined} />);
    // The first is answered, so the second is asked.
    const form = within(screen.getByRole('form', { name: 'What is it called?' }));
    await userEvent.type(form.getByLabelText('Your answer'), 'Tea House');
    await userEvent.click(form.getByRole('button', { name: 'Answer' }));
    await waitFor(() => expect(server.calls).toHaveLength(1));
    expect(server.calls[0]?.body).toEqual({
      version: 1,
      answers: [{ question: 'name', answer: 'Tea House', decide_for_me: false }],
      refine: false,
    });
    await userEvent.click(screen.getByRole('button', { name: 'Change the answer to: Which colour?' }));
    const colour = within(screen.getByRole('form', { name: 'Which colour?' }));
    expect(colour.getByText('It matters to: Make the page')).toBeTruthy();
    await userEvent.click(colour.getByRole('button', { name: 'red' }));
    await waitFor(() => expect(server.calls).toHaveLength(2));
    await userEvent.click(screen.getByRole('button', { name: 'Refine the plan with this answer' }));
    await waitFor(() => expect(server.calls[2]?.body).toEqual({ project_id: 'p1' }));
    await waitFor(() => expect(refined).toHaveBeenCalledOnce());
  });

  it('hand the focus on from one to the next', async () => {
    const given = (question: string) => ({ question, kind: 'decide', answer: null, answered_at: 'now' }) as const;
    const answers: ReturnType<typeof given>[] = [];
    serve({
      'POST /api/projects/p1/plan/answers': ({ body }) => {
        const [{ question } = { question: '' }] = (body as { answers: { question: string }[] }).answers;
        answers.push(given(question));
        return json({ plan: aPlan({ answers }), task: null });
      },
      'GET /api/projects/p1/plans/1': () => json(aPlan({ answers })),
    });
    await renderPage(
      <VersionView projectId="p1" version={1} newest={1} drafting={false} {...{ onNewest, onRefined, onDecided }} />,
    );
    const colour = within(await screen.findByRole('form', { name: 'Which colour?' }));
    await userEvent.click(colour.getByRole('button', { name: 'Decide for me' }));
    const name = await screen.findByRole('form', { name: 'What is it called?' });
    await waitFor(() => expect(document.activeElement).toBe(name));
    await userEvent.click(within(name).getByRole('button', { name: 'Decide for me' }));
    const refine = await screen.findByRole('button', { name: 'Refine the plan with these 2 answers' });
    await waitFor(() => expect(document.activeElement).toBe(refine));
  });
});

describe('a version', () => {
  it('says that there is a newer one above its approval', async () => {
    serve({ 'GET /api/projects/p1/plans/1': () => json(aPlan()) });
    await renderPage(
      <VersionView projectId="p1" version={1} newest={2} drafting={false} {...{ onNewest, onRefined, onDecided }} />,
    );
    expect((await screen.findByTestId('newer-version')).textContent).toContain('Version 2 is newer.');
    await userEvent.click(screen.getByRole('button', { name: 'Show version 2' }));
    expect(onNewest).toHaveBeenCalledOnce();
  });

  it('is refused after a question, with the reason', async () => {
    const server = serve({ 'POST /api/projects/p1/plan/refuse': () => json(aPlan({ state: 'refused' })) });
    const decided = vi.fn();
    await renderPage(<Approval projectId="p1" version={1} plan={planInView(aPlan().content)} onDecided={decided} />);
    await userEvent.click(screen.getByRole('button', { name: 'Refuse this version' }));
    const dialog = within(await screen.findByRole('dialog', { name: 'Refuse version 1?' }));
    expect(server.calls).toEqual([]);
    await userEvent.type(dialog.getByLabelText('Why'), 'Too dear. ');
    await userEvent.click(dialog.getByRole('button', { name: 'Refuse' }));
    await waitFor(() => expect(decided).toHaveBeenCalledOnce());
    expect(server.calls[0]?.body).toEqual({ version: 1, reason: 'Too dear.' });
  });
});

describe('the approval', () => {
  it('says what it makes, and shows why it is refused', async () => {
    const problem = {
      title: 'Its state does not allow this',
      detail: 'Version 1 was refused.',
      code: 'conflict',
      errors: [],
    };
    serve({ 'POST /api/projects/p1/plan/approve': () => json(problem, 409) });
    await renderPage(<Approval projectId="p1" version={1} plan={planInView(aPlan().content)} onDecided={onDecided} />);
    expect(screen.getByText('2 tasks in 1 group will be created.')).toBeTruthy();
    expect(screen.getByText(/2 questions would stay open/)).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Approve charter and create 2 tasks' }));
    expect(await screen.findByText('Version 1 was refused.')).toBeTruthy();
  });
});

describe('the charter', () => {
  it('lets a person say that a task is done when its turn has come', async () => {
    const items = [
      anItem({ key: 'texts', task_id: 't-texts', title: 'Write the texts', execution_type: 'fully_automated' }),
      anItem({ needs: ['t-texts'] }),
      anItem({ key: 'look', task_id: 't-look', title: 'Look at it' }),
    ];
    const server = serve({
      'GET /api/projects/p1/charter': () => json(aCharter(items)),
      'POST /api/tasks/t-look/complete': () => json({}),
    });
    await renderPage(<CharterView projectId="p1" />);
    expect(await screen.findByText('after Write the texts')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Done: Make the page' })).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Done: Look at it' }));
    await waitFor(() => expect(server.calls.some((call) => call.method === 'POST')).toBe(true));
  });
});
