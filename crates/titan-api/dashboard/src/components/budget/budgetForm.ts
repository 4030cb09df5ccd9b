// A budget between its form and the API: what was typed, what is wrong with it, and what to offer when it is used up.
import type { Budget, BudgetInput, BudgetPeriod } from '../../api/types';

export interface BudgetText {
  cost: string;
  tokens: string;
  calls: string;
  period: BudgetPeriod;
}

export const EMPTY_BUDGET: BudgetText = { cost: '', tokens: '', calls: '', period: 'total' };

/** What the API takes at most. */
const MOST_DOLLARS = 1e9;
const MOST = 1e15;

const typed = (value: number | null): string => (value === null ? '' : String(value));

export const textOfBudget = ({ limit, period }: Budget): BudgetText => ({
  cost: typed(limit.cost),
  tokens: typed(limit.tokens),
  calls: typed(limit.calls),
  period,
});

/** To begin with where a limit is 0 and would be 0 again. */
const FIRST = { cost: 1, tokens: 10_000, calls: 1 };

/** The same budget with room for as much again: of what is used up, or of everything when a little of each is left. */
export function raisedText(budget: Budget): BudgetText {
  const { limit, left, spent, reserved } = budget;
  const units = (['cost', 'tokens', 'calls'] as const).filter((unit) => limit[unit] !== null);
  const usedUp = units.filter((unit) => left[unit] === 0);
  const text = textOfBudget(budget);
  for (const unit of usedUp.length > 0 ? usedUp : units) {
    const more = spent[unit] + reserved[unit] + (limit[unit] || FIRST[unit]);
    text[unit] = unit === 'cost' ? String(Math.ceil(more * 100) / 100) : String(more);
  }
  return text;
}

export type BudgetProblems = Partial<Record<'cost' | 'tokens' | 'calls', string>>;

const dollars = (text: string): string => text.trim().replace(/^\$\s*/, '');

/** What stops the form before the server is asked. The server judges the rest. */
export function problemsOf(text: BudgetText): BudgetProblems {
  const problems: BudgetProblems = {};
  const cost = dollars(text.cost);
  if (cost !== '' && !(/^\d*\.?\d+$/.test(cost) && Number(cost) <= MOST_DOLLARS)) {
    problems.cost = 'US dollars, such as 5 or 0.50, without a thousands separator.';
  }
  for (const unit of ['tokens', 'calls'] as const) {
    const value = text[unit].trim();
    if (value !== '' && !(/^\d+$/.test(value) && Number(value) <= MOST)) problems[unit] = 'A whole number, 0 or more.';
  }
  if (cost === '' && text.tokens.trim() === '' && text.calls.trim() === '') {
    problems.cost = 'Limit at least one of the three.';
  }
  return problems;
}

/** Only for a text without problems. What is left out is no longer limited. */
export function inputOf(text: BudgetText): BudgetInput {
  const given = (unit: 'cost' | 'tokens' | 'calls') => {
    const value = unit === 'cost' ? dollars(text.cost) : text[unit].trim();
    return value === '' ? {} : { [unit]: Number(value) };
  };
  return { ...given('cost'), ...given('tokens'), ...given('calls'), period: text.period };
}
