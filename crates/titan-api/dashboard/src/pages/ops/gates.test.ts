import { describe, expect, it } from 'vitest';
import type { OpsStage, ProposalState } from '../../api/types';
import { aProposal, aRollout, aStage, stagesUpTo } from '../../test/proposals';
import { effectInWords } from './effects';
import { gateInWords, gateOf, stateOf } from './gates';

const words = (over: Partial<OpsStage>, name = 'test') => gateInWords(aStage(name, over));

describe('the dot of a gate', () => {
  it('says how its stage stands', () => {
    expect(words({})).toBe('test: not yet');
    expect(words({ status: 'ready' })).toBe('test: waits for a worker');
    expect(words({ status: 'running' })).toBe('test: running');
    expect(words({ status: 'completed' })).toBe('test: passed');
    expect(words({ status: 'failed' })).toBe('test: failed');
    expect(words({ status: 'canceled' })).toBe('test: canceled');
  });

  it('tells what a person has to do from what takes its time', () => {
    expect(words({ status: 'running', waiting_on: 'approval' }, 'promote')).toBe('promote: needs approval');
    expect(words({ status: 'running', waiting_on: 'input' }, 'canary')).toBe('canary: paused');
    expect(words({ status: 'running', waiting_on: 'timer' })).toBe('test: waiting');
    expect(gateOf(aStage('promote', { status: 'running', waiting_on: 'approval' })).status).toBe(
      'waiting_for_approval',
    );
  });

  it('knows a canary that was left out, and one that somebody let pass', () => {
    const canary = (evidence: unknown) => words({ status: 'completed', evidence }, 'canary');
    expect(canary({ phase: 'success' })).toBe('canary: passed');
    expect(canary({ phase: 'skipped' })).toBe('canary: skipped');
    expect(canary({ phase: 'inconclusive', approved_by: 'local' })).toBe('canary: inconclusive, let pass by local');
  });
});

describe('the state of a proposal', () => {
  it('is one word for each', () => {
    const states: Partial<Record<ProposalState, string>> = {
      waiting_for_approval: 'Needs approval',
      done: 'Done',
      rejected: 'Rejected',
      failed: 'Failed',
      canceled: 'Canceled',
      rolling_back: 'Rolling back',
      rolled_back: 'Rolled back',
      rollback_failed: 'Rollback failed',
    };
    for (const [state, word] of Object.entries(states))
      expect(stateOf(aProposal({ state: state as ProposalState })).word).toBe(word);
  });

  it('is closer while it runs', () => {
    expect(stateOf(aProposal()).word).toBe('Queued');
    expect(stateOf(aProposal({ stages: stagesUpTo('diff', { status: 'running' }) })).word).toBe('Running');
    const rollingOut = (state: 'canary' | 'paused' | 'promoting') =>
      stateOf(aProposal({ stages: stagesUpTo('pull request'), rollout: aRollout({ state }) })).word;
    expect([rollingOut('canary'), rollingOut('paused'), rollingOut('promoting')]).toEqual([
      'Canary',
      'Paused',
      'Promoting',
    ]);
  });

  it('is promoted only where something was deployed', () => {
    const rollout = aRollout({ state: 'promoted' });
    expect(stateOf(aProposal({ state: 'done', rollout })).word).toBe('Promoted');
    expect(stateOf(aProposal({ state: 'done' })).word).toBe('Done');
  });
});

it('effects have words, and those that nobody knows keep their keys', () => {
  expect(effectInWords('pull')).toBe('Open the pull request');
  expect(effectInWords('commit:feed')).toBe('Make the commit');
  expect(effectInWords('deploy:canary:0123abcd45678:r1')).toBe('Deploy 0123abcd4567 to canary');
  expect(effectInWords('revert:0123:pull')).toBe('Open the pull request that takes it back');
  expect(effectInWords('revert:0123:commit')).toBe('Commit the opposite');
  expect(effectInWords('something:else')).toBe('something:else');
});
