import { describe, expect, it } from 'vitest';
import { aMessage } from '../../test/fixtures';
import { buildTurns, lastSummarised } from './thread';

describe('buildTurns', () => {
  it('puts an answer to the message of its task, also when another message came between', () => {
    const turns = buildTurns([
      aMessage({ id: 'a', task_id: 't1' }),
      aMessage({ id: 'b', task_id: 't2' }),
      aMessage({ id: 'x', task_id: 't1', role: 'assistant' }),
      aMessage({ id: 'y', task_id: 't2', role: 'assistant' }),
    ]);
    expect(turns.map((turn) => [turn.user?.id, turn.answers.map((answer) => answer.id)])).toEqual([
      ['a', ['x']],
      ['b', ['y']],
    ]);
  });

  it('shows an answer whose message is on an earlier page', () => {
    const turns = buildTurns([
      aMessage({ id: 'x', task_id: 'old', role: 'assistant' }),
      aMessage({ id: 'b', task_id: 't2' }),
    ]);
    expect(turns.map((turn) => turn.user?.id ?? null)).toEqual([null, 'b']);
  });

  it('knows up to where a summary stands in', () => {
    const turns = buildTurns([
      aMessage({ id: 'a', task_id: 't1', summarised: true }),
      aMessage({ id: 'x', task_id: 't1', role: 'assistant', summarised: true }),
      aMessage({ id: 'b', task_id: 't2' }),
    ]);
    expect(lastSummarised(turns)).toBe('a');
    expect(lastSummarised(turns.slice(1))).toBeNull();
  });
});
