import { describe, expect, it } from 'vitest';
import type { Proposal, Rollout } from '../../../api/types';
import {
  aMetric,
  anAnalysis,
  anAsk,
  aProposal,
  aRollout,
  COMMIT,
  later,
  stagesUpTo,
  TREE,
} from '../../../test/proposals';
import { analysisOf, isMeasuring, phaseLook, shortNumber, verdictInWords } from './analysis';
import { consequence, type Order, whyNot } from './orders';
import { stepsOf } from './steps';
import { trendOf } from './trend';

const rolledOut = (rollout: Partial<Rollout>, over: Partial<Proposal> = {}) =>
  aProposal({ stages: stagesUpTo('pull request', { status: 'running' }), rollout: aRollout(rollout), ...over });

const INCONCLUSIVE = anAnalysis('inconclusive', 'requests: 3 samples without data follow each other');
const approved = {
  subject: COMMIT,
  decision: 'approved' as const,
  decided_by: 'local',
  comment: null,
  created_at: later(40),
};

describe('the verdict in words', () => {
  const words = (analysis: unknown, rollout: Partial<Rollout> = {}) =>
    verdictInWords(rolledOut({ analysis: analysis as Rollout['analysis'], ...rollout }));

  it('is success, failure or inconclusive, with the reason', () => {
    expect(words(anAnalysis('success', '2 of 2 metrics'))).toBe('Success: 2 of 2 metrics.');
    expect(words(anAnalysis('success', ''))).toBe('Success: the canary is as good as it has to be.');
    expect(words(anAnalysis('failure', 'errors: 3 of 5 samples failed'))).toMatch(
      /^Failure: .* Errors: 3 of 5 samples failed\.$/,
    );
    expect(words(INCONCLUSIVE)).toMatch(/^Inconclusive: .* a person decides\. Requests: 3 samples/);
    const running = anAnalysis('running', '4 of 10 samples');
    expect(words(running)).toBe('The canary is being measured. 4 of 10 samples.');
    expect(words(running, { state: 'paused', paused_by: 'local' })).toMatch(/^The measuring stands still\./);
    expect(words(running, { state: 'rolled_back', ended_at: later(30) })).toMatch(/^The measuring was not finished\./);
  });

  it('is of a metric that it was not finished, once nobody measures any more', () => {
    const measured = (phase: string, rollout: Partial<Rollout>) => {
      const analysis = analysisOf(anAnalysis(phase, '', aMetric('errors', { phase: 'running' })));
      if (analysis === null) throw new Error('there is none');
      const measuring = isMeasuring(aRollout(rollout), analysis);
      return analysis.metrics.map((metric) => phaseLook(metric.phase, measuring).word);
    };
    expect(measured('running', { state: 'canary' })).toEqual(['Measuring']);
    expect(measured('running', { state: 'paused' })).toEqual(['Not finished']);
    expect(measured('failure', { state: 'canary' })).toEqual(['Not finished']);
  });

  it('says why there is none', () => {
    expect(words(null)).toBe('The canary of 0123abcd4567 has no sample yet.');
    expect(words(null, { state: 'rolled_back', ended_at: later(30) })).toBe('It ended before a sample was taken.');
    expect(verdictInWords(aProposal())).toBe('Nothing was rolled out yet.');
    const [diff, patch, test, pull, canary, promote] = stagesUpTo('canary');
    const skipped = { ...canary, evidence: { phase: 'skipped', reason: 'nobody has said where' } };
    const stages = [diff, patch, test, pull, skipped, promote] as Proposal['stages'];
    expect(verdictInWords(aProposal({ stages }))).toBe('There was no canary. Nobody has said where.');
  });

  it('never takes what it does not know for a success', () => {
    expect(analysisOf({ phase: 'great', metrics: [{}] })).toMatchObject({
      phase: 'inconclusive',
      metrics: [{ phase: 'inconclusive', required: false, taken: 0, baseline: null, points: [] }],
    });
    expect(analysisOf('text')).toBeNull();
  });

  it('counts the samples that had data, and shows the newest numbers', () => {
    const [metric] = analysisOf(anAnalysis('running', '', aMetric('errors', { failed: 1, no_data: 2 })))?.metrics ?? [];
    expect(metric).toMatchObject({ taken: 6, wanted: 5, noData: 2, baseline: 0.012, canary: 0.5 });
  });
});

it('numbers have as many digits as somebody reads', () => {
  expect([0, 0.00001, 0.01234, 1.239, 1234.5].map(shortNumber)).toEqual(['0', '1.0e-5', '0.0123', '1.24', '1,235']);
});

describe('what can be ordered', () => {
  const can = (proposal: Proposal) =>
    (['promote', 'pause', 'resume', 'rollBack'] as Order[]).filter((order) => whyNot(proposal, order) === null);

  it('is, while a canary is measured, to pause it and to take it back', () => {
    expect(can(rolledOut({ state: 'canary' }))).toEqual(['pause', 'rollBack']);
    expect(whyNot(rolledOut({ state: 'canary' }), 'promote')).toBe('The canary is still being measured');
  });

  it('is, when somebody has paused it, to resume it', () => {
    const paused = rolledOut({ state: 'paused', paused_by: 'local' });
    expect(can(paused)).toEqual(['resume', 'rollBack']);
    expect(whyNot(paused, 'promote')).toBe('Paused by local');
    // The run has not looked yet.
    expect(can(rolledOut({ state: 'canary', paused_by: 'local' }))).toEqual(['resume', 'rollBack']);
  });

  it('is, when the analysis found nothing out, to promote, to measure again, or to take it back', () => {
    const waits = rolledOut(
      { state: 'paused', analysis: INCONCLUSIVE as Rollout['analysis'] },
      { state: 'waiting_for_approval', asks: anAsk({ gate: 'canary' }) },
    );
    expect(can(waits)).toEqual(['promote', 'resume', 'rollBack']);
    expect(consequence(waits, 'resume')).toContain('measured anew');
  });

  it('is, when it asks for the merge, to promote, but not by who proposed it', () => {
    const asking = { state: 'waiting_for_approval' as const, asks: anAsk() };
    expect(can(rolledOut({ state: 'approval' }, asking))).toEqual(['promote', 'pause', 'rollBack']);
    const mine = rolledOut({ state: 'approval' }, { ...asking, author: 'local' });
    expect(whyNot(mine, 'promote')).toBe('You proposed this');
    expect(can(mine)).toEqual(['pause', 'rollBack']);
  });

  it('is not to promote it twice, while the run has not looked yet', () => {
    const asking = { state: 'waiting_for_approval' as const, asks: anAsk() };
    const decided = rolledOut({ state: 'approval' }, { ...asking, decision: approved });
    expect(whyNot(decided, 'promote')).toBe('It was decided');
    // A decision about what it was before is another one.
    const before = rolledOut({ state: 'approval' }, { ...asking, decision: { ...approved, subject: TREE } });
    expect(whyNot(before, 'promote')).toBeNull();
  });

  it('is, after the merge, only to take it back, as long as that was not done', () => {
    for (const state of ['promoting', 'promoted', 'rollback_failed'] as const)
      expect(can(rolledOut({ state })), state).toEqual(['rollBack']);
    for (const state of ['rolling_back', 'rolled_back'] as const) expect(can(rolledOut({ state })), state).toEqual([]);
  });

  it('is nothing before there is a pull request, and then to close it', () => {
    expect(can(aProposal({ stages: stagesUpTo('test') }))).toEqual([]);
    expect(whyNot(aProposal(), 'rollBack')).toContain('cancel its run');
    expect(can(aProposal({ stages: stagesUpTo('pull request') }))).toEqual(['rollBack']);
    const asks = anAsk({ gate: 'pull_request', subject: TREE });
    const asksFirst = aProposal({ stages: stagesUpTo('diff'), state: 'waiting_for_approval', asks });
    expect(can(asksFirst)).toEqual([]);
  });
});

describe('what an order does, said before it is given', () => {
  it('is, to promote, which commit goes where', () => {
    const text = consequence(rolledOut({ state: 'approval' }, { asks: anAsk() }), 'promote');
    expect(text).toBe(
      'Commit 0123abcd4567 is merged into main as pull request 12 and goes to production (local), which ran 89ab89ab89ab before.',
    );
    const nowhere = aProposal({ stages: stagesUpTo('pull request'), asks: anAsk() });
    expect(consequence(nowhere, 'promote')).toContain('nothing is deployed');
  });

  it('is, to roll back, another thing before the merge than after it', () => {
    expect(consequence(rolledOut({ state: 'canary' }), 'rollBack')).toBe(
      'The canary ends and production (local) stays on 89ab89ab89ab. Pull request 12 is closed.',
    );
    expect(consequence(rolledOut({ state: 'promoted', merged_as: TREE }), 'rollBack')).toContain(
      'gets 89ab89ab89ab again',
    );
  });
});

describe('the steps of a rollout', () => {
  const steps = (rollout: Partial<Rollout>, over: Partial<Proposal> = {}) => {
    const proposal = rolledOut(rollout, over);
    return stepsOf(proposal, proposal.rollout ?? aRollout());
  };
  const words = (...given: Parameters<typeof steps>) => steps(...given).map((step) => `${step.name}: ${step.word}`);

  it('are those that it has passed, the one where it stands, and those to come', () => {
    expect(words({ state: 'canary' })).toEqual([
      'Canary: Measuring',
      'Approval: Not yet',
      'Promoting: Not yet',
      'Promoted: Not yet',
    ]);
    const measured = { stages: stagesUpTo('canary', { status: 'running' }) };
    expect(words({ state: 'approval' }, measured).slice(0, 2)).toEqual(['Canary: Passed', 'Approval: Needs approval']);
    expect(words({ state: 'paused', paused_by: 'local' }, measured)[1]).toBe('Approval: Paused by local');
    expect(words({ state: 'paused', analysis: INCONCLUSIVE as Rollout['analysis'] })[0]).toBe('Canary: Inconclusive');
  });

  it('have the times that were written down, and the one that lasts has no end', () => {
    const measured = { stages: stagesUpTo('canary', { status: 'running', started_at: later(25) }) };
    const [canary, approval, promoting] = steps({ state: 'approval' }, measured);
    expect(canary).toMatchObject({ from: later(20), to: later(25), current: false });
    expect(approval).toMatchObject({ from: later(25), to: null, current: true });
    expect(promoting).toMatchObject({ from: null, to: null });
  });

  it('end in production', () => {
    const all = steps(
      { state: 'promoted', merged_as: TREE, ended_at: later(50) },
      { stages: stagesUpTo('promote'), state: 'done', decision: approved },
    );
    expect(all.map((step) => step.word)).toEqual(['Passed', 'Approved by local', 'Passed', 'In production']);
    expect(all[1]).toMatchObject({ from: later(25), to: later(40) });
    expect(all.at(-1)).toMatchObject({ current: true, from: later(50), to: later(50) });
    const alone = steps({ state: 'promoted', ended_at: later(50) }, { stages: stagesUpTo('promote'), state: 'done' });
    expect(alone[1]?.word).toBe('Not needed');
  });

  it('keep that it was in production before it was taken back', () => {
    const stages = stagesUpTo('promote');
    const rollout = { state: 'rolled_back' as const, merged_as: TREE, ended_at: later(50) };
    const all = steps(rollout, { stages, decision: approved });
    expect(all.map((step) => step.word)).toEqual([
      'Passed',
      'Approved by local',
      'Passed',
      'It was in production',
      'Production is as it was',
    ]);
    expect(all.filter((step) => step.current).map((step) => step.name)).toEqual(['Rolled back']);
  });

  it('end where it was before, or nobody knows where', () => {
    const failure = anAnalysis('failure', 'errors: 3 of 5 samples failed') as Rollout['analysis'];
    const ended = { analysis: failure, ended_at: later(30) };
    expect(words({ state: 'rolled_back', ...ended })).toEqual([
      'Canary: Failure',
      'Approval: Not reached',
      'Promoting: Not reached',
      'Rolled back: Production is as it was',
    ]);
    expect(words({ state: 'rollback_failed', ...ended }).at(-1)).toBe('Rollback failed: A person has to look');
    const merged = steps(
      { state: 'rolling_back', merged_as: TREE },
      { stages: stagesUpTo('canary'), decision: approved },
    );
    expect(merged.map((step) => step.word)).toEqual(['Passed', 'Approved by local', 'Stopped here', 'Running']);
    expect(merged.at(-1)).toMatchObject({ status: 'rolling_back', current: true, to: null });
  });
});

describe('the trend of a metric', () => {
  it('has both sides on one scale, and leaves out what is not there', () => {
    const trend = trendOf(
      [
        { baseline: 0, canary: 10 },
        { baseline: null, canary: 5 },
        { baseline: 0, canary: 10 },
      ],
      100,
      20,
    );
    expect(trend.canary).toBe('0,0 50,10 100,0');
    expect(trend.baseline).toBe('0,20 100,20');
    expect(trend.words).toBe('3 samples: canary from 10 to 10, baseline from 0 to 0');
  });

  it('is a line in the middle when nothing moves, and none without data', () => {
    expect(trendOf([{ baseline: 7, canary: null }], 100, 20)).toEqual({
      baseline: '0,10',
      canary: '',
      words: '1 sample: canary without data, baseline from 7 to 7',
    });
    expect(trendOf([], 100, 20).canary).toBe('');
  });
});
