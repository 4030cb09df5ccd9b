import { describe, expect, it } from 'vitest';
import { formatMoney, moneyText, parseMoney } from './money';

describe('money', () => {
  it('is shown in its currency', () => {
    expect(formatMoney(123450, 'EUR')).toBe('€1,234.50');
    expect(formatMoney(1234, 'JPY')).toBe('¥1,234');
    expect(formatMoney(100, 'nonsense')).toBe('1 nonsense');
  });

  it('is read as people write it', () => {
    expect(parseMoney('49', 'EUR')).toBe(4900);
    expect(parseMoney(' 49,9 ', 'EUR')).toBe(4990);
    expect(parseMoney('1,234.50', 'EUR')).toBe(123450);
    expect(parseMoney('1.234,50', 'EUR')).toBe(123450);
    expect(parseMoney('1200', 'JPY')).toBe(1200);
    for (const wrong of ['', 'many', '-5', '1,23,456', '1.2345', '5.', '.5'])
      expect(parseMoney(wrong, 'EUR')).toBeNull();
    expect(parseMoney('12.5', 'JPY')).toBeNull();
  });

  it('comes back from a field as it was', () => {
    for (const currency of ['EUR', 'JPY', 'KWD']) {
      for (const amount of [0, 7, 1234, 123450]) expect(parseMoney(moneyText(amount, currency), currency)).toBe(amount);
    }
  });
});
