import { describe, expect, it } from 'vitest';
import { aMinute } from '../../test/fixtures';
import { stripInWords, stripOf } from './minutes';

const HEIGHT = 26;
const tall = (bar: { completed: number; canceled: number; failed: number } | undefined) =>
  bar === undefined ? Number.NaN : bar.completed + bar.canceled + bar.failed;

describe('the strip of minutes', () => {
  it('gives the busiest minute the whole height and the others their share', () => {
    const strip = stripOf([aMinute(0, { completed: 50 }), aMinute(1, { completed: 100 }), aMinute(2)], HEIGHT);
    expect(strip.bars.map(tall)).toEqual([HEIGHT / 2, HEIGHT, 0]);
    expect(strip).toMatchObject({ completed: 150, failed: 0, canceled: 0, most: 100 });
  });

  it('shows one failure among thousands, and no bar outgrows the strip', () => {
    const strip = stripOf([aMinute(0, { completed: 5000, failed: 1, canceled: 1 })], HEIGHT);
    const [bar] = strip.bars;
    expect(bar?.failed).toBeGreaterThanOrEqual(1);
    expect(bar?.canceled).toBeGreaterThanOrEqual(1);
    expect(tall(bar)).toBeCloseTo(HEIGHT);
  });

  it('takes from the largest part, whichever that is', () => {
    const [bar] = stripOf([aMinute(0, { completed: 1, failed: 5000 })], HEIGHT).bars;
    expect(bar?.completed).toBeGreaterThan(0);
    expect(tall(bar)).toBeCloseTo(HEIGHT);
  });

  it('survives a queue without any minute', () => {
    expect(stripOf([], HEIGHT)).toMatchObject({ bars: [], most: 0 });
  });
});

describe('the strip in words', () => {
  it('says the sums and the peak', () => {
    const minutes = [aMinute(0, { completed: 1200, failed: 3 }), aMinute(1, { completed: 5 })];
    expect(stripInWords(stripOf(minutes, HEIGHT))).toBe(
      'Last 2 minutes: 1,205 completed, 3 failed; at most 1,203 in one minute',
    );
  });

  it('names canceled jobs only when there are some, and silence as silence', () => {
    expect(stripInWords(stripOf([aMinute(0, { canceled: 2 })], HEIGHT))).toContain('2 canceled');
    expect(stripInWords(stripOf([aMinute(0), aMinute(1)], HEIGHT))).toBe('No job ended in the last 2 minutes');
  });
});
