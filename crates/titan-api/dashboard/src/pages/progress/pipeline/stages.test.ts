import { describe, expect, it } from 'vitest';
import { anEvent, aPipelineRun, aStep, aTask } from '../../../test/fixtures';
import { complaintOf, failureOf, linesOf, newestPipeline, orderOf, SHOWN_LINES, stagesOf } from './stages';

const summary = (run: Parameters<typeof stagesOf>[0]) =>
  stagesOf(run).map(({ name, status, word, current }) => [name, word ?? status, current]);

describe('stages of a pipeline', () => {
  it('marks the one that runs, and what is to come', () => {
    expect(summary(aPipelineRun(['completed', 'running', 'pending', 'pending', 'pending']))).toEqual([
      ['scaffold', 'completed', false],
      ['build', 'running', true],
      ['deploy', 'To come', false],
      ['verify', 'To come', false],
      ['publish', 'To come', false],
    ]);
  });

  it('marks none when all are completed', () => {
    const run = aPipelineRun(Array(5).fill('completed'), { status: 'completed' });
    expect(stagesOf(run).some(({ current }) => current)).toBe(false);
  });

  it('says what failed and why, and what was never reached', () => {
    const run = aPipelineRun(['completed', 'failed', 'pending', 'pending', 'pending'], { status: 'failed' });
    const [, build] = run.steps;
    if (build) build.error = 'Build ended with exit code 1';
    expect(failureOf(run)).toMatchObject({ stage: { name: 'build' }, reason: 'Build ended with exit code 1' });
    expect(summary(run)[2]).toEqual(['deploy', 'Not reached', false]);
    expect(stagesOf(run).filter(({ current }) => current)).toMatchObject([{ name: 'build' }]);
  });

  it('tells a stage that was kept from the run before, without a duration', () => {
    const run = aPipelineRun(['completed', 'running', 'pending', 'pending', 'pending'], {
      created_at: '2026-11-21T11:00:00.000Z',
    });
    expect(stagesOf(run)[0]).toMatchObject({ word: 'Kept', from: null });
  });

  it('knows no failed stage of a run that was stopped', () => {
    const run = aPipelineRun(['completed', 'canceled', 'canceled', 'canceled', 'canceled'], { status: 'canceled' });
    expect(failureOf(run)).toBeNull();
    expect(stagesOf(run)[1]).toMatchObject({ status: 'canceled', current: true });
  });

  it('tells the stage that was stopped from those that were canceled with it, unbegun', () => {
    const run = aPipelineRun(['completed', 'canceled', 'canceled', 'canceled', 'canceled'], { status: 'canceled' });
    for (const step of run.steps.slice(2)) step.started_at = null;
    expect(summary(run).map(([, word]) => word)).toEqual(['completed', 'canceled', ...Array(3).fill('Not reached')]);
    const [, build] = run.steps;
    if (build) build.started_at = null;
    expect(summary(run)[1], 'stopped before it began').toEqual(['build', 'Not reached', true]);
  });

  it('shows the stages of a run whose steps are not known yet', () => {
    expect(summary({ ...aPipelineRun([]), status: 'queued' })[0]).toEqual(['scaffold', 'To come', true]);
  });
});

describe('a pipeline', () => {
  const latest = { id: 'r1', status: 'queued', stage: 'intake' } as const;

  it('is the newest task of its type that has a run', () => {
    const older = aTask({ id: 'a', type: 'pipeline', created_at: '2026-11-21T10:00:00Z', latest_run: latest });
    const newer = aTask({ id: 'b', type: 'pipeline', created_at: '2026-11-21T11:00:00Z', latest_run: latest });
    const chat = aTask({ id: 'c', created_at: '2026-11-21T12:00:00Z', latest_run: latest });
    expect(newestPipeline([older, chat, newer, older])?.id).toBe('b');
    expect(newestPipeline([chat])).toBeNull();
  });

  it('is told again what it was told', () => {
    const payload = { template: 'x@1.0.0', sha256: 'f0', inputs: { title: 'T' }, target: 'hook', hook: 'SHOP' };
    expect(orderOf(aTask({ payload }))).toEqual({
      template: 'x@1.0.0',
      inputs: { title: 'T' },
      target: 'hook',
      hook: 'SHOP',
    });
    expect(orderOf(aTask({ payload: {} }))).toEqual({});
  });
});

describe('what a tool complains of', () => {
  const command = (seq: number) =>
    anEvent(seq, { step: 2, kind: 'command.started', message: '$ Build: npm run build' });
  const said = (seq: number, message: string) => anEvent(seq, { step: 2, message });

  it('is what the last command said first, without colours and frames', () => {
    const events = [
      command(1),
      said(2, '0 errors, this error is of an earlier command'),
      command(3),
      said(4, 'building'),
      said(5, '\u001b[31mCould not resolve\u001b[39m ./missing.ts'),
      said(6, ''),
      said(7, '    at resolve (vite.js:1:2)'),
      said(8, '  in index.html'),
      anEvent(9, { step: 2, kind: 'command.ended', level: 'error', message: 'Build ended with exit code 1' }),
    ];
    expect(complaintOf(events, 2, 'Build ended with exit code 1: }')).toEqual([
      'Could not resolve ./missing.ts',
      '  in index.html',
    ]);
  });

  it('is not said twice, and not made up', () => {
    expect(complaintOf([command(1), said(2, 'error: no')], 2, 'Build ended: error: no')).toEqual([]);
    expect(complaintOf([command(1), said(2, 'all is well')], 2, 'It was stopped')).toEqual([]);
    expect(complaintOf([said(1, 'error')], 2, 'x')).toEqual([]);
  });
});

describe('lines of a stage', () => {
  it('are its own, the last ones, and counted', () => {
    const own = Array.from({ length: SHOWN_LINES + 3 }, (_, index) =>
      anEvent(index + 1, { step: 2, message: `line ${index + 1}` }),
    );
    const events = [...own, anEvent(900, { step: 1, message: 'another' }), anEvent(901, { step: 2 })];
    const { lines, dropped } = linesOf(events, 2);
    expect(lines).toHaveLength(SHOWN_LINES);
    expect(dropped).toBe(3);
    expect(lines.at(-1)?.message).toBe(`line ${SHOWN_LINES + 3}`);
  });

  it('are no more than there are', () => {
    expect(linesOf([aStepLine()], 1)).toMatchObject({ lines: [{ message: 'one' }], dropped: 0 });
  });
});

const aStepLine = () => anEvent(1, { step: aStep('scaffold').seq, message: 'one' });
