import { describe, expect, it } from 'vitest';
import {
  elapsed,
  formatAge,
  formatAhead,
  formatBytes,
  formatClock,
  formatCost,
  formatCount,
  formatDuration,
  formatLimit,
  formatSince,
  plural,
  shortId,
} from './format';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

describe('formatSince', () => {
  it('is the time of day, with the date on another one', () => {
    const noon = new Date(2026, 10, 21, 12, 0, 0);
    expect(formatSince(new Date(2026, 10, 21, 0, 5, 9).toISOString(), noon.getTime())).toBe('00:05:09');
    expect(formatSince(new Date(2026, 10, 20, 23, 59, 9).toISOString(), noon.getTime())).toMatch(/20.* 23:59:09$/);
    expect(formatSince('never', noon.getTime())).toBe('an unknown time');
  });
});

describe('formatAge', () => {
  it.each([
    [0, 'just now'],
    [42, '42 s ago'],
    [60, '1 min ago'],
    [3599, '59 min ago'],
    [3600, '1 h ago'],
    [86_399, '23 h ago'],
  ])('%i seconds is "%s"', (seconds, text) => {
    expect(formatAge(ago(seconds), NOW)).toBe(text);
  });

  it('shows the date after a day', () => {
    expect(formatAge(ago(90_000), NOW)).toMatch(/2026/);
  });

  it('never shows a negative age when clocks differ', () => {
    expect(formatAge(ago(-30), NOW)).toBe('just now');
  });

  it('says so when the time cannot be read', () => {
    expect(formatAge('nonsense', NOW)).toBe('unknown time');
  });
});

describe('formatAhead', () => {
  it.each([
    [-3, 'now'],
    [0, 'now'],
    [0.2, 'in 1 s'],
    [59, 'in 59 s'],
    [90, 'in 1 min'],
    [7200, 'in 2 h'],
  ])('%d seconds ahead is "%s"', (seconds, text) => {
    expect(formatAhead(ago(-seconds), NOW)).toBe(text);
  });

  it('shows the date from a day on', () => {
    expect(formatAhead(ago(-90_000), NOW)).toMatch(/^on .*2026/);
  });
});

describe('formatLimit', () => {
  it.each([
    [5, '5 s'],
    [90, '1 min 30 s'],
    [600, '10 min'],
    [3600, '1 h'],
    [5400, '1 h 30 min'],
  ])('says %i seconds as %s', (seconds, text) => {
    expect(formatLimit(seconds)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1500, '1.5 s'],
    [42_900, '42 s'],
    [61_000, '1 min 1 s'],
    [3_720_000, '1 h 2 min'],
    [90_000_000, '1 d 1 h'],
  ])('%i ms is "%s"', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

describe('elapsed', () => {
  it('is null before the start, grows while it lasts and stands still after the end', () => {
    expect(elapsed(null, null, NOW)).toBeNull();
    expect(elapsed(ago(2), null, NOW)).toBe('2.0 s');
    expect(elapsed(ago(10), ago(8), NOW)).toBe('2.0 s');
  });
});

describe('numbers', () => {
  it.each([
    [950, '950'],
    [12_400, '12.4k'],
    [2000, '2k'],
    [999_960, '1M'],
    [3_140_000, '3.1M'],
  ])('%i tokens are "%s"', (value, text) => {
    expect(formatCount(value)).toBe(text);
  });

  it('writes sizes, costs and plurals', () => {
    expect([0, 1, 1023, 1536, 1_048_576].map(formatBytes)).toEqual([
      '0 bytes',
      '1 byte',
      '1023 bytes',
      '1.5 KB',
      '1 MB',
    ]);
    expect([0, 0.0042, 1.5].map(formatCost)).toEqual(['$0', '$0.0042', '$1.50']);
    expect([plural(0, 'line'), plural(1, 'line'), plural(1922, 'line'), plural(2, 'memory', 'memories')]).toEqual([
      '0 lines',
      '1 line',
      '1,922 lines',
      '2 memories',
    ]);
  });

  it('shortens ids to the part that differs', () => {
    const a = shortId('019aa000-1111-7000-8000-0000deadbeef');
    expect(a).toBe('deadbeef');
  });
});

describe('formatClock', () => {
  it('keeps milliseconds when asked', () => {
    expect(formatClock('2026-11-21T10:00:00.007Z', true)).toMatch(/^\d{2}:\d{2}:00\.007$/);
  });
});
