// A limit between its form and the API: what was typed, what is wrong with it, and how it reads.
import type { Limit, LimitInput } from '../../api/types';
import { formatDuration } from '../../lib/format';

export interface LimitText {
  key: string;
  maxRunning: string;
  rateCount: string;
  rateSeconds: string;
}

export const EMPTY_LIMIT: LimitText = { key: '', maxRunning: '', rateCount: '', rateSeconds: '' };

export const textOfLimit = (limit: Limit): LimitText => ({
  key: limit.key,
  maxRunning: limit.max_running?.toString() ?? '',
  rateCount: limit.rate_count?.toString() ?? '',
  rateSeconds: limit.rate_period_ms === null ? '' : String(limit.rate_period_ms / 1000),
});

export type LimitProblems = Partial<Record<keyof LimitText, string>>;

/** What stops the form before the server is asked. The server judges the rest. */
export function problemsOf(text: LimitText): LimitProblems {
  const problems: LimitProblems = {};
  if (text.key.trim() === '') problems.key = 'A limit needs a key.';
  for (const field of ['maxRunning', 'rateCount'] as const) {
    if (text[field].trim() !== '' && !isWhole(text[field])) problems[field] = 'A whole number above 0.';
  }
  if (text.rateSeconds.trim() !== '' && !(milliseconds(text.rateSeconds) >= 1)) {
    problems.rateSeconds = 'A number of seconds above 0.';
  }
  const hasCount = text.rateCount.trim() !== '';
  const hasPeriod = text.rateSeconds.trim() !== '';
  if (hasCount && !hasPeriod) problems.rateSeconds = 'In how many seconds?';
  if (hasPeriod && !hasCount) problems.rateCount = 'How many in that time?';
  if (!hasCount && !hasPeriod && text.maxRunning.trim() === '') {
    problems.maxRunning = 'Say how many at once, or how many in a time, or both.';
  }
  return problems;
}

const isWhole = (text: string): boolean => /^\d+$/.test(text.trim()) && Number(text) > 0;
const milliseconds = (seconds: string): number => Math.round(Number(seconds.trim()) * 1000);

/** Only for a text without problems. What is left out is no longer limited. */
export function inputOf(text: LimitText): LimitInput {
  return {
    ...(text.maxRunning.trim() === '' ? {} : { max_running: Number(text.maxRunning) }),
    ...(text.rateCount.trim() === ''
      ? {}
      : { rate_count: Number(text.rateCount), rate_period_ms: milliseconds(text.rateSeconds) }),
  };
}

/** "100 in 1 min", or null without a rate. */
export function rateInWords({ rate_count, rate_period_ms }: Limit): string | null {
  if (rate_count === null || rate_period_ms === null) return null;
  return `${rate_count.toLocaleString('en')} in ${periodInWords(rate_period_ms)}`;
}

/** "1 min", not "1 min 0 s": a period is mostly a round one. */
const periodInWords = (period: number): string =>
  formatDuration(period)
    .replace(/(\d+)\.0 s$/, '$1 s')
    .replace(/ 0 (s|min|h)$/, '');
