import { describe, expect, it } from 'vitest';
import { aLimit } from '../../test/fixtures';
import { EMPTY_LIMIT, inputOf, problemsOf, rateInWords, textOfLimit } from './limit';

const text = { ...EMPTY_LIMIT, key: 'model' };

describe('the form of a limit', () => {
  it('needs a key and at least one limit', () => {
    expect(Object.keys(problemsOf(EMPTY_LIMIT)).sort()).toEqual(['key', 'maxRunning']);
    expect(problemsOf({ ...text, maxRunning: '4' })).toEqual({});
    expect(problemsOf({ ...text, rateCount: '10', rateSeconds: '0.5' })).toEqual({});
  });

  it('needs both halves of a rate', () => {
    expect(Object.keys(problemsOf({ ...text, rateCount: '10' }))).toEqual(['rateSeconds']);
    expect(Object.keys(problemsOf({ ...text, rateSeconds: '60' }))).toEqual(['rateCount']);
  });

  it.each(['0', '-1', '1.5', 'many'])('refuses "%s" at once', (maxRunning) => {
    expect(problemsOf({ ...text, maxRunning })).toHaveProperty('maxRunning');
  });

  it.each(['0', '-1', 'soon'])('refuses "%s" seconds', (rateSeconds) => {
    expect(problemsOf({ ...text, rateCount: '1', rateSeconds })).toHaveProperty('rateSeconds');
  });

  it('sends what was typed, and leaves out what is not limited', () => {
    expect(inputOf({ ...text, maxRunning: ' 4 ' })).toEqual({ max_running: 4 });
    expect(inputOf({ ...text, rateCount: '100', rateSeconds: '1.5' })).toEqual({
      rate_count: 100,
      rate_period_ms: 1500,
    });
  });

  it('shows a stored limit so that saving it unchanged changes nothing', () => {
    const limit = aLimit({ max_running: 4, rate_count: 100, rate_period_ms: 1500 });
    expect(inputOf(textOfLimit(limit))).toEqual({ max_running: 4, rate_count: 100, rate_period_ms: 1500 });
  });
});

describe('a rate in words', () => {
  it.each([
    [500, '2 in 500 ms'],
    [1000, '2 in 1 s'],
    [60_000, '2 in 1 min'],
    [90_000, '2 in 1 min 30 s'],
    [3_600_000, '2 in 1 h'],
  ])('%i ms', (rate_period_ms, words) => {
    expect(rateInWords(aLimit({ rate_count: 2, rate_period_ms }))).toBe(words);
  });

  it('is absent without a rate', () => {
    expect(rateInWords(aLimit())).toBeNull();
  });
});
