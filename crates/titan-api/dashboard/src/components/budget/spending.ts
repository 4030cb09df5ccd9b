// What was spent and what is left, in words: the limited units with cost first, and how tight each of them is.
import type { Budget, BudgetPeriod, BudgetScope, Spending } from '../../api/types';
import { formatCost, formatCount, plural } from '../../lib/format';

const UNITS = ['cost', 'tokens', 'calls'] as const;
type Unit = (typeof UNITS)[number];

/** Enough to go on, nearly used up, or nothing left: a colour and a word for each. */
export type Tightness = 'good' | 'near' | 'out';

export interface Gauge {
  unit: Unit;
  limit: number;
  spent: number;
  reserved: number;
  left: number;
  /** Of the limit, 0 to 1. What is spent may be more than a limit that was lowered. */
  spentShare: number;
  reservedShare: number;
  tightness: Tightness;
}

const NEAR = 0.8;

/** One for each unit that is limited. */
export function gaugesOf(budget: Budget): Gauge[] {
  const gauges: Gauge[] = [];
  for (const unit of UNITS) {
    const [limit, left] = [budget.limit[unit], budget.left[unit]];
    if (limit === null || left === null) continue;
    const [spent, reserved] = [budget.spent[unit], budget.reserved[unit]];
    const share = (amount: number) => (limit === 0 ? 1 : Math.min(1, amount / limit));
    const spentShare = share(spent);
    const reservedShare = Math.min(1 - spentShare, share(reserved));
    const tightness = left <= 0 ? 'out' : share(spent + reserved) >= NEAR ? 'near' : 'good';
    gauges.push({ unit, limit, spent, reserved, left, spentShare, reservedShare, tightness });
  }
  return gauges;
}

export function amount(unit: Unit, value: number): string {
  if (unit === 'cost') return formatCost(value);
  return unit === 'tokens' ? `${formatCount(value)} tokens` : plural(value, 'call');
}

/** Of two amounts of one unit the first needs no unit of its own: "3 of 10 calls". */
export const amountOf = (unit: Unit, value: number, limit: number): string =>
  `${unit === 'cost' ? formatCost(value) : formatCount(value)} of ${amount(unit, limit)}`;

export const TIGHTNESS_WORDS: Record<Tightness, string> = {
  good: 'enough left',
  near: 'nearly used up',
  out: 'used up',
};

export const PERIOD_WORDS: Record<BudgetPeriod, string> = { total: 'in total', day: 'today', month: 'this month' };

export const SCOPE_WORDS: Record<BudgetScope, string> = {
  installation: 'this Titan',
  project: 'this project',
  task: 'this task',
  run: 'this run',
};

/** All that was ever spent: "$0.42, 12.4k tokens, 3 calls". No cost may mean no more than that no price is known. */
export const spentInWords = ({ spent }: Spending): string =>
  UNITS.filter((unit) => unit !== 'cost' || spent.cost > 0)
    .map((unit) => amount(unit, spent[unit]))
    .join(', ');

/** Null where there is no history to tell from, or nothing to do. */
export function forecastInWords({ forecast }: Spending): string | null {
  if (forecast === null || forecast.open_tasks === 0) return null;
  const { low, high, open_tasks, based_on_runs } = forecast;
  const range = formatCost(low) === formatCost(high) ? formatCost(high) : `${formatCost(low)} to ${formatCost(high)}`;
  return `${plural(open_tasks, 'open task')} will cost about ${range}, going by ${plural(based_on_runs, 'run')}`;
}

const SCOPE_IN_REASON = /the budget of the (installation|project|task|run)\b/;

/** Whose budget holds a run up, as its reason names it. */
export const scopeOfReason = (reason: string | null): BudgetScope =>
  (SCOPE_IN_REASON.exec(reason ?? '')?.[1] as BudgetScope | undefined) ?? 'project';
