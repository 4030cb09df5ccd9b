import { describe, expect, it } from 'vitest';
import { aMemory } from '../../test/fixtures';
import { patchOf, problemsOf, textOf } from './edit';
import { byAgent, confidenceWords, pinnedFirst, whyFound } from './words';

const NOW = Date.parse('2026-11-21T12:00:00Z');

describe('editing a memory', () => {
  it('comes to nothing when nothing was changed', () => {
    const memory = aMemory({ person: 'Ida', expires_at: '2027-01-31T08:00:00Z', confidence: 0.7 });
    expect(patchOf(textOf(memory), memory)).toEqual({});
  });

  it('sends what was changed and nothing else, and null for what was taken away', () => {
    const memory = aMemory({ person: 'Ida', expires_at: '2027-01-31T08:00:00Z' });
    const text = { ...textOf(memory), content: ' The owner likes tea. ', person: '', until: '', confidence: '90' };
    expect(patchOf(text, memory)).toEqual({
      content: 'The owner likes tea.',
      person: null,
      expires_at: null,
      confidence: 0.9,
    });
    const agents = { ...textOf(memory), scope: 'agent' as const, agent: 'ada', pinned: true };
    expect(patchOf(agents, memory)).toEqual({ scope: 'agent', agent: 'ada', pinned: true });
  });

  it('says what is wrong before the server has to', () => {
    const memory = aMemory();
    const text = { ...textOf(memory), content: ' ', scope: 'agent' as const, confidence: '120', until: '2020-01-01' };
    expect(Object.keys(problemsOf(text, memory, NOW))).toEqual(['content', 'agent', 'confidence', 'until']);
    expect(problemsOf({ ...textOf(memory), until: '2026-11-30' }, memory, NOW)).toEqual({});
    // A day that has passed in the meantime is only wrong when somebody sets it.
    const old = aMemory({ expires_at: '2026-11-20T12:00:00Z' });
    expect(problemsOf(textOf(old), old, NOW)).toEqual({});
  });
});

describe('words for memories', () => {
  it('say how sure it is and why it was found', () => {
    expect([1, 0.7, 0.3, 0].map(confidenceWords)).toEqual(['certain', 'likely', 'unsure', 'doubtful']);
    expect(whyFound({ text_rank: 1, vector_rank: 2 })).toBe('Found by its words and its meaning');
    expect(whyFound({ text_rank: null, vector_rank: 2 })).toBe('Found by its meaning');
    expect(whyFound({ text_rank: 1, vector_rank: null })).toBe('Found by its words');
  });

  it('put pinned ones first and agents apart', () => {
    const [a, b, c] = [aMemory({ id: 'a' }), aMemory({ id: 'b', pinned: true }), aMemory({ id: 'c' })];
    expect(pinnedFirst([a, b, c]).map(({ id }) => id)).toEqual(['b', 'a', 'c']);
    const [ada, jason] = [aMemory({ agent: 'ada' }), aMemory({ agent: 'jason' })];
    expect(byAgent([ada, jason, ada]).map(([agent, list]) => [agent, list.length])).toEqual([
      ['ada', 2],
      ['jason', 1],
    ]);
  });
});
