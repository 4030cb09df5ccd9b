// Amounts in the smallest unit of their currency, as people read and write them.

/** Digits behind the point; an unknown currency has two, and the server refuses it. */
export function digitsOf(currency: string): number {
  try {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    return format.resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

export function formatMoney(amount: number, currency: string): string {
  const value = amount / 10 ** digitsOf(currency);
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).format(value);
  } catch {
    return `${value} ${currency}`;
  }
}

/** As it stands in a field. */
export const moneyText = (amount: number, currency: string): string =>
  (amount / 10 ** digitsOf(currency)).toFixed(digitsOf(currency));

/**
 * Null for what is no amount. The last point or comma is the decimal one, unless three digits stand behind it, as they do
 * behind one for thousands.
 */
export function parseMoney(text: string, currency: string): number | null {
  const digits = digitsOf(currency);
  const bare = text.replace(/[\s'’]/g, '');
  if (!/^\d[\d.,]*$/.test(bare)) return null;
  const at = Math.max(bare.lastIndexOf('.'), bare.lastIndexOf(','));
  const behind = at < 0 ? '' : bare.slice(at + 1);
  const marks = bare.split(bare[at] ?? ' ').length - 1;
  const thousands = at < 0 || (behind.length === 3 && (digits !== 3 || marks > 1));
  const groups = (thousands ? bare : bare.slice(0, at)).split(/[.,]/);
  const fraction = thousands ? '' : behind;
  const grouped = groups.length === 1 || (groups[0]?.length ?? 0) <= 3;
  if (!grouped || groups.slice(1).some(({ length }) => length !== 3) || fraction.length > digits) return null;
  if (!thousands && fraction === '') return null;
  const amount = Number(groups.join('') + fraction.padEnd(digits, '0'));
  return Number.isSafeInteger(amount) ? amount : null;
}

/** Those that are asked for most; any other of ISO 4217 may be typed. */
export const CURRENCIES = ['EUR', 'USD', 'GBP', 'CHF', 'JPY', 'SEK', 'NOK', 'DKK', 'PLN', 'CAD', 'AUD', 'INR'];
