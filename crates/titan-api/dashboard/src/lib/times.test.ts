import { describe, expect, it } from 'vitest';
import { compareTimes } from './times';

describe('compareTimes', () => {
  it('orders by the moment, however many digits the fraction has', () => {
    const sorted = [
      '2026-11-21T10:00:00.1Z',
      '2026-11-21T10:00:00Z',
      '2026-11-21T10:00:00.101234Z',
      '2026-11-21T10:00:00.101233Z',
    ].sort(compareTimes);
    expect(sorted).toEqual([
      '2026-11-21T10:00:00Z',
      '2026-11-21T10:00:00.1Z',
      '2026-11-21T10:00:00.101233Z',
      '2026-11-21T10:00:00.101234Z',
    ]);
  });
});
