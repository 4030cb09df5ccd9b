import { describe, expect, it } from 'vitest';
import { aBudget } from '../../test/fixtures';
import { EMPTY_BUDGET, inputOf, problemsOf, raisedText, textOfBudget } from './budgetForm';

const NONE = { cost: null, tokens: null, calls: null };

describe('the form of a budget', () => {
  it('needs at least one limit', () => {
    expect(Object.keys(problemsOf(EMPTY_BUDGET))).toEqual(['cost']);
    expect(problemsOf({ ...EMPTY_BUDGET, calls: '0' })).toEqual({});
  });

  it.each(['$5', '0.50', '.5', ' 12 ', '0'])('takes %s as dollars', (cost) => {
    expect(problemsOf({ ...EMPTY_BUDGET, cost })).toEqual({});
  });

  it.each(['-1', '1,000', '5 dollars', '1e3', '2000000000'])('refuses %s as dollars', (cost) => {
    expect(problemsOf({ ...EMPTY_BUDGET, cost })).toHaveProperty('cost');
  });

  it.each(['-1', '1.5', 'many', '10000000000000000'])('refuses %s as tokens and as calls', (value) => {
    expect(Object.keys(problemsOf({ ...EMPTY_BUDGET, tokens: value, calls: value }))).toEqual(['tokens', 'calls']);
  });

  it('sends what was typed, and leaves out what is not limited', () => {
    expect(inputOf({ cost: ' $0.50', tokens: '', calls: '3', period: 'day' })).toEqual({
      cost: 0.5,
      calls: 3,
      period: 'day',
    });
  });

  it('shows a stored budget so that saving it unchanged changes nothing', () => {
    const budget = aBudget({ limit: { cost: 0.5, tokens: 1000, calls: 3 }, period: 'month' });
    expect(inputOf(textOfBudget(budget))).toEqual({ cost: 0.5, tokens: 1000, calls: 3, period: 'month' });
  });
});

describe('a raised budget', () => {
  it('leaves room for as much again of what is used up, and the rest as it is', () => {
    const budget = aBudget({
      limit: { cost: 5, tokens: null, calls: 2 },
      spent: { cost: 1, tokens: 900, calls: 2 },
      left: { cost: 4, tokens: null, calls: 0 },
    });
    expect(raisedText(budget)).toEqual({ cost: '5', tokens: '', calls: '4', period: 'total' });
  });

  it('raises everything when a little is left of each, to whole cents', () => {
    const budget = aBudget({
      limit: { ...NONE, cost: 0.01 },
      spent: { cost: 0.00731, tokens: 0, calls: 1 },
      left: { ...NONE, cost: 0.00269 },
    });
    expect(raisedText(budget).cost).toBe('0.02');
  });

  it('is more than nothing where the limit was 0', () => {
    const budget = aBudget({
      limit: { ...NONE, calls: 0 },
      spent: { cost: 0, tokens: 0, calls: 0 },
      left: { ...NONE, calls: 0 },
    });
    expect(raisedText(budget).calls).toBe('1');
  });
});
