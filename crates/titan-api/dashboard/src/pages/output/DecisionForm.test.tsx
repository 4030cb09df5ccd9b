import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { anOutput } from '../../test/fixtures';
import { fakeServer, json, renderPage } from '../../test/render';
import { DecisionForm } from './DecisionForm';

/** Plays the list, which turns keys into requests. */
function ByKey() {
  const [asked, setAsked] = useState<{ decision: 'approve' | 'reject'; at: number } | null>(null);
  return (
    <>
      <button type="button" onClick={() => setAsked({ decision: 'reject', at: 1 })}>
        press r
      </button>
      <button type="button" onClick={() => setAsked({ decision: 'approve', at: 2 })}>
        press a
      </button>
      <DecisionForm output={anOutput()} asked={asked} />
    </>
  );
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('DecisionForm', () => {
  it('sends the decision with its comment and tells what came of it', async () => {
    const server = fakeServer({
      'POST /api/outputs/o1/reject': () => json(anOutput({ review: 'rejected', comment: 'too long' })),
    });
    vi.stubGlobal('fetch', server.fetch);
    const decided = vi.fn();
    await renderPage(<DecisionForm output={anOutput()} asked={null} onDecided={decided} />);
    await userEvent.type(screen.getByLabelText('Comment'), 'too long');
    await userEvent.click(screen.getByRole('button', { name: 'Reject' }));
    await waitFor(() => expect(decided).toHaveBeenCalledOnce());
    expect(server.calls[0]?.body).toEqual({ comment: 'too long', run_again: false });
  });

  it('has the task done again with the comment', async () => {
    const rejected = { ...anOutput({ review: 'rejected', comment: 'too long' }), next_run_id: 'r2' };
    const server = fakeServer({ 'POST /api/outputs/o1/reject': () => json(rejected) });
    vi.stubGlobal('fetch', server.fetch);
    const decided = vi.fn();
    await renderPage(<DecisionForm output={anOutput()} asked={null} onDecided={decided} />);
    await userEvent.type(screen.getByLabelText('Comment'), ' too long ');
    await userEvent.click(screen.getByRole('button', { name: 'Reject and run again' }));
    await waitFor(() => expect(decided).toHaveBeenCalledOnce());
    expect(server.calls[0]?.body).toEqual({ comment: 'too long', run_again: true });
  });

  it('approves by key at once, and asks for the reason before a rejection by key', async () => {
    const server = fakeServer({ 'POST /api/outputs/o1/approve': () => json(anOutput({ review: 'approved' })) });
    vi.stubGlobal('fetch', server.fetch);
    await renderPage(<ByKey />);
    await userEvent.click(screen.getByRole('button', { name: 'press r' }));
    expect(document.activeElement).toBe(screen.getByLabelText('Comment'));
    expect(server.calls).toHaveLength(0);
    await userEvent.click(screen.getByRole('button', { name: 'press a' }));
    await waitFor(() => expect(server.calls).toHaveLength(1));
  });

  it('shows what was decided instead of buttons', async () => {
    const output = anOutput({ review: 'approved', comment: 'Well done', reviewed_at: '2026-11-21T10:00:00Z' });
    await renderPage(<DecisionForm output={output} asked={null} />);
    expect(screen.getByTestId('decided').textContent).toContain('Well done');
    expect(screen.queryByRole('button', { name: 'Approve' })).toBeNull();
  });
});
