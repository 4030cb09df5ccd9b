import { describe, expect, it } from 'vitest';
import { ApiError } from '../api/errors';
import { steadily, untilHealed } from './healing';

const failed = (status: number) => ({
  state: { status: 'error', error: new ApiError('problem', { title: 'x', code: 'x', status }) },
});

describe('untilHealed', () => {
  it('asks again while the reason can pass', () => {
    expect(untilHealed(failed(503))).toBeGreaterThan(0);
    expect(untilHealed({ state: { status: 'error', error: ApiError.network(new TypeError('x')) } })).toBeGreaterThan(0);
  });

  it('leaves alone what asking cannot change', () => {
    expect(untilHealed(failed(404))).toBe(false);
    expect(untilHealed({ state: { status: 'success', error: null } })).toBe(false);
  });
});

describe('steadily', () => {
  it('keeps its pace while all is well, and asks no more for what does not exist', () => {
    expect(steadily({ state: { status: 'success', error: null } }, 2000)).toBe(2000);
    expect(steadily(failed(404), 2000)).toBe(false);
    expect(steadily(failed(503), 2000)).toBe(untilHealed(failed(503)));
  });
});
