import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { aTask, statsOf } from '../../test/fixtures';
import { renderPage } from '../../test/render';
import { Board } from './Board';

describe('Board', () => {
  it('says what to do while there are no tasks', async () => {
    await renderPage(<Board projectId="p1" lists={[]} stats={statsOf()} />);
    expect(screen.getByTestId('empty').textContent).toContain('No tasks yet');
    expect(screen.getByRole('link', { name: 'Write a message' }).getAttribute('href')).toBe('/projects/p1/input');
  });

  it('puts tasks into their columns with true counts, and says why one does not move', async () => {
    const hint = { code: 'no_worker', message: 'No worker since 2026-11-21T10:29:41Z.', since: null };
    const lists = [
      [aTask({ id: 'a', title: 'Waits', hint }), aTask({ id: 'b', title: 'Runs', execution_status: 'in_progress' })],
    ];
    await renderPage(
      <Board projectId="p1" lists={lists} stats={statsOf({ total: 812, queued: 811, in_progress: 1 })} />,
    );
    const queued = screen.getByTestId('column-queued');
    expect(within(queued).getByText('Waits')).toBeTruthy();
    expect(queued.textContent).toContain('811');
    expect(queued.textContent).toContain('The newest 1 of 811.');
    expect(within(queued).getByTestId('hint').textContent).toMatch(/^No worker since \d\d:\d\d:41\.$/);
    expect(within(screen.getByTestId('column-progress')).getByText('Runs')).toBeTruthy();
  });

  it('shows why a task failed on its card', async () => {
    const lists = [[aTask({ execution_status: 'failed', failure_reason: 'rate limit reached' })]];
    await renderPage(<Board projectId="p1" lists={lists} stats={statsOf({ total: 1, failed: 1 })} />);
    expect(within(screen.getByTestId('column-done')).getByTestId('hint').textContent).toBe('rate limit reached');
  });
});
