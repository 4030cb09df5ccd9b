import { describe, expect, it } from 'vitest';
import { aCall, anEvent } from '../../test/fixtures';
import { askedText, readAsked, wantedBefore } from './turns';

describe('turns', () => {
  it('know from the events what was sent with a call', () => {
    const asked = readAsked([
      anEvent(1, { data: { call_id: 'c1', messages: 3 } }),
      anEvent(2, { data: { provider: 'openai' } }),
      anEvent(3, { kind: 'usage', data: { call_id: 'c2', messages: 9 } }),
    ]);
    expect([...asked]).toEqual([['c1', { messages: 3, parts: null }]]);
    const [parted] = readAsked([
      anEvent(4, {
        data: { call_id: 'c3', messages: 12, system_tokens: 812, history_tokens: 3400, last_tokens: 40, images: 1 },
      }),
    ]).values();
    expect(parted && askedText(parted)).toBe(
      'Sent with it: 12 messages, about 812 tokens of instructions and memory, 3,400 of what was said before, ' +
        '40 of the message itself, 1 image',
    );
  });

  it('name the model that a fallback stands in for, of the same step and purpose', () => {
    const calls = [
      aCall({ id: 'a', model: 'wanted' }),
      aCall({ id: 'b', model: 'other step', step: 2 }),
      aCall({ id: 'c', model: 'memory', purpose: 'memory' }),
      aCall({ id: 'd', model: 'second', fallback: 1 }),
      aCall({ id: 'e', model: 'third', fallback: 2 }),
    ];
    expect(calls.map((_, index) => wantedBefore(calls, index)?.model ?? null)).toEqual([
      null,
      null,
      null,
      'wanted',
      'wanted',
    ]);
    expect(wantedBefore([aCall({ fallback: 1 })], 0)).toBeNull();
  });
});
