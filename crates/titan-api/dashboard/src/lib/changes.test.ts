import { expect, it } from 'vitest';
import { changesOf } from './changes';

const before = { name: 'Ida', tags: ['a'], value: 100, currency: 'EUR' };

it('sends what was changed, and nothing else', () => {
  expect(changesOf({ ...before, tags: ['a', 'b'] }, before)).toEqual({ tags: ['a', 'b'] });
  expect(changesOf({ ...before, tags: ['a'] }, before)).toEqual({});
});

it('sends an amount with its currency', () => {
  const pair = ['value', 'currency'] as const;
  expect(changesOf({ ...before, value: 200 }, before, pair)).toEqual({ value: 200, currency: 'EUR' });
  expect(changesOf({ ...before, name: 'Bo' }, before, pair)).toEqual({ name: 'Bo' });
});
