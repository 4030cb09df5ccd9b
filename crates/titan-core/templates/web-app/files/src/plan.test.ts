import { describe, expect, it } from 'vitest';

import { read, write } from './memory';
import { progress, toggled } from './plan';
import project from './project.json';

describe('the plan', () => {
  it('has the words of the project', () => {
    expect(project.title).not.toBe('');
    expect(progress(project.features, new Set(project.features)).done).toBe(project.features.length);
  });

  it('counts what is done and still planned', () => {
    expect(progress(['a', 'b'], new Set(['b', 'gone']))).toEqual({ done: 1, total: 2 });
  });

  it('ticks and unticks without changing what it was given', () => {
    const before = new Set(['a']);
    expect(toggled(before, 'b')).toEqual(new Set(['a', 'b']));
    expect(toggled(before, 'a')).toEqual(new Set());
    expect(before).toEqual(new Set(['a']));
  });
});

describe('the memory', () => {
  it('reads what it wrote', () => {
    const kept = new Map<string, string>();
    write({ setItem: (key, value) => void kept.set(key, value) }, new Set(['a']));
    expect(read({ getItem: (key) => kept.get(key) ?? null })).toEqual(new Set(['a']));
  });

  it('takes nothing for what it does not understand', () => {
    for (const text of ['{', '7', 'null', '[1, {"a": 2}]']) expect(read({ getItem: () => text })).toEqual(new Set());
  });
});
