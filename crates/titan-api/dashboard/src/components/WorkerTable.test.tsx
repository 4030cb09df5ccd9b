import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';
import { aWorker } from '../test/fixtures';
import { renderPage } from '../test/render';
import { WorkerTable } from './WorkerTable';

const health = { running: true, current_task: null, last_heartbeat: null };

describe('WorkerTable', () => {
  it('shows slots, queues, work at hand and what was counted', async () => {
    const { stats } = aWorker();
    const worker = aWorker({
      queues: ['default', 'mail'],
      slots: 8,
      running: 6,
      current_tasks: Array.from({ length: 6 }, (_, index) => `00000000-0000-0000-0000-00000000000${index}`),
      stats: { ...stats, finished: 12_400, failed: 3, rescued: 2, fenced: 1 },
    });
    await renderPage(<WorkerTable health={{ ...health, workers: [worker] }} />);
    const row = screen.getByTestId('worker-row');
    for (const words of [
      '6 of 8',
      'default, mail',
      '12,400 finished',
      '3 failed, 2 rescued, 1 fenced off',
      'and 1 more',
    ]) {
      expect(row.textContent).toContain(words);
    }
    expect(row.querySelector<HTMLElement>('[style]')?.style.width).toBe('75%');
  });

  it('keeps those that have stopped out of the way, but never a lost one', async () => {
    const workers = [aWorker(), aWorker({ id: 'w2', status: 'stopped' }), aWorker({ id: 'w3', status: 'lost' })];
    await renderPage(<WorkerTable health={{ ...health, workers }} />);
    expect(screen.getAllByTestId('worker-row')).toHaveLength(2);
    await userEvent.click(screen.getByRole('button', { name: 'Show 1 worker that has stopped' }));
    expect(screen.getAllByTestId('worker-row')).toHaveLength(3);
  });

  it('says how to start one when there is none', async () => {
    await renderPage(<WorkerTable health={{ ...health, running: false, workers: [] }} />);
    expect(screen.getByTestId('no-worker').textContent).toContain('titan-worker run');
  });
});
