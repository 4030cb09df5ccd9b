import { describe, expect, it } from 'vitest';
import { aBudget, aSpending } from '../../test/fixtures';
import { amountOf, forecastInWords, gaugesOf, scopeOfReason, spentInWords } from './spending';

const forecast = { low: 0.4, high: 0.9, open_tasks: 3, based_on_runs: 12 };

describe('gauges', () => {
  it('are one for each limited unit, cost first', () => {
    const budget = aBudget({
      limit: { cost: 1, tokens: null, calls: 4 },
      spent: { cost: 0.85, tokens: 0, calls: 3 },
      reserved: { cost: 0.1, tokens: 0, calls: 1 },
      left: { cost: 0.05, tokens: null, calls: 0 },
    });
    const [cost, calls, ...more] = gaugesOf(budget);
    expect(more).toEqual([]);
    expect(cost).toMatchObject({ unit: 'cost', spentShare: 0.85, tightness: 'near' });
    expect(calls).toMatchObject({ unit: 'calls', spentShare: 0.75, reservedShare: 0.25, tightness: 'out' });
  });

  it('stay within the bar when more is spent than a limit that was lowered', () => {
    const budget = aBudget({
      limit: { cost: null, tokens: null, calls: 2 },
      spent: { cost: 0, tokens: 0, calls: 5 },
      reserved: { cost: 0, tokens: 0, calls: 1 },
      left: { cost: null, tokens: null, calls: 0 },
    });
    expect(gaugesOf(budget)[0]).toMatchObject({ spentShare: 1, reservedShare: 0, tightness: 'out' });
  });
});

describe('in words', () => {
  it('says what was spent, and of how much', () => {
    expect(spentInWords(aSpending())).toBe('$0.25, 1.2k tokens, 1 call');
    expect(spentInWords(aSpending({ spent: { cost: 0, tokens: 1200, calls: 1 } }))).toBe('1.2k tokens, 1 call');
    expect(amountOf('cost', 0.25, 5)).toBe('$0.25 of $5.00');
    expect(amountOf('calls', 3, 10)).toBe('3 of 10 calls');
  });

  it('says what open tasks will cost, where anything is known and open', () => {
    expect(forecastInWords(aSpending({ forecast }))).toBe(
      '3 open tasks will cost about $0.40 to $0.90, going by 12 runs',
    );
    expect(forecastInWords(aSpending({ forecast: { ...forecast, high: 0.4 } }))).toContain('about $0.40, going');
    expect(forecastInWords(aSpending({ forecast: { ...forecast, open_tasks: 0 } }))).toBeNull();
    expect(forecastInWords(aSpending())).toBeNull();
  });

  it('finds whose budget a reason speaks of', () => {
    expect(scopeOfReason('the budget of the task is used up: 2 of 2 calls are made')).toBe('task');
    expect(scopeOfReason('the budget of the installation is in dollars, and ...')).toBe('installation');
    expect(scopeOfReason(null)).toBe('project');
  });
});
