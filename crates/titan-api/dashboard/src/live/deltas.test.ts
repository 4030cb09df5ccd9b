import { describe, expect, it } from 'vitest';
import { aDelta, anEvent } from '../test/fixtures';
import { DeltaAssembler } from './deltas';

/** A small generator with a seed, so that a failing case can be repeated. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

const TEXT = 'Größe zählt: 🚀🚀 und 👩‍👩‍👧, dann weiter mit ganz normalem Text.';
const scalars = Array.from(TEXT);

function cut(random: () => number): { offset: number; text: string }[] {
  const pieces: { offset: number; text: string }[] = [];
  for (let at = 0; at < scalars.length; ) {
    const size = 1 + Math.floor(random() * 6);
    pieces.push({ offset: at, text: scalars.slice(at, at + size).join('') });
    at += size;
  }
  return pieces;
}

function shuffled<T>(items: T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

describe('DeltaAssembler', () => {
  it('puts pieces in order together', () => {
    const assembler = new DeltaAssembler();
    expect(assembler.apply(aDelta(1, 0, 'Hello'))).toBe(true);
    assembler.apply(aDelta(2, 5, ' world'));
    expect(assembler.latest()).toEqual({ step: 1, attempt: 1, text: 'Hello world' });
  });

  it('counts offsets in Unicode scalar values, not in UTF-16 units', () => {
    const assembler = new DeltaAssembler();
    assembler.apply(aDelta(1, 0, '🚀'));
    assembler.apply(aDelta(2, 1, '!'));
    expect(assembler.text(1)).toBe('🚀!');
  });

  it('drops the text of a killed attempt as soon as its successor starts', () => {
    const assembler = new DeltaAssembler();
    assembler.apply(aDelta(1, 0, 'half an ans'));
    const changed = assembler.apply(anEvent(2, { kind: 'step.started', step: 1, data: { attempt: 2 } }));
    expect(changed).toBe(true);
    expect(assembler.latest()).toBeNull();
    assembler.apply(aDelta(3, 0, 'whole', 2));
    expect(assembler.latest()).toEqual({ step: 1, attempt: 2, text: 'whole' });
  });

  it('ignores late pieces of an older attempt', () => {
    const assembler = new DeltaAssembler();
    assembler.apply(aDelta(1, 0, 'new', 2));
    expect(assembler.apply(aDelta(2, 3, ' old', 1))).toBe(false);
    expect(assembler.text(1)).toBe('new');
  });

  it('cuts what overlaps and ignores what is there already', () => {
    const assembler = new DeltaAssembler();
    assembler.apply(aDelta(1, 0, 'abcd'));
    expect(assembler.apply(aDelta(2, 0, 'abcd'))).toBe(false);
    assembler.apply(aDelta(3, 2, 'cdef'));
    expect(assembler.text(1)).toBe('abcdef');
  });

  it('holds an early piece back until the one before it has come', () => {
    const assembler = new DeltaAssembler();
    assembler.apply(aDelta(1, 3, 'def'));
    expect(assembler.latest()).toBeNull();
    assembler.apply(aDelta(2, 0, 'abc'));
    expect(assembler.text(1)).toBe('abcdef');
  });

  it('keeps the steps apart and shows the last one that has text', () => {
    const assembler = new DeltaAssembler();
    assembler.apply(aDelta(1, 0, 'plan', 1, 1));
    assembler.apply(aDelta(2, 0, 'answer', 1, 2));
    assembler.apply(aDelta(3, 4, '!', 1, 1));
    expect(assembler.latest()?.text).toBe('answer');
    expect(assembler.text(1)).toBe('plan!');
  });

  it('ignores deltas that lack a field or carry a wrong one', () => {
    const assembler = new DeltaAssembler();
    for (const data of [
      null,
      'text',
      {},
      { step: 1, attempt: 1, offset: -1, text: 'x' },
      { step: 1, attempt: 1, offset: 0 },
    ]) {
      expect(assembler.apply(anEvent(1, { kind: 'delta', step: 1, data: data as never }))).toBe(false);
    }
    expect(assembler.latest()).toBeNull();
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'rebuilds the text from any order with repeats (seed %i)',
    (seed) => {
      const random = generator(seed);
      const pieces = cut(random);
      const repeated = [...pieces, ...pieces.filter(() => random() < 0.4), ...cut(random)];
      const assembler = new DeltaAssembler();
      for (const piece of shuffled(repeated, random)) assembler.apply(aDelta(1, piece.offset, piece.text));
      expect(assembler.text(1)).toBe(TEXT);
    },
  );

  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'shows only the last attempt, however attempts mix (seed %i)',
    (seed) => {
      const random = generator(seed + 1000);
      const killed = cut(random).slice(0, 3 + Math.floor(random() * 4));
      const events = [
        ...killed.map((piece) => aDelta(1, piece.offset, piece.text.toUpperCase(), 1)),
        ...cut(random).map((piece) => aDelta(1, piece.offset, piece.text, 2)),
      ];
      const assembler = new DeltaAssembler();
      for (const event of shuffled(events, random)) assembler.apply(event);
      expect(assembler.latest()).toEqual({ step: 1, attempt: 2, text: TEXT });
    },
  );
});
