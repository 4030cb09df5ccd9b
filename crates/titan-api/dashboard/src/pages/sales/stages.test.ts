import { describe, expect, it } from 'vitest';
import { movesFrom, unitWords } from './stages';

describe('the stages of leads', () => {
  it('moves as the server allows', () => {
    expect(movesFrom('new')).toEqual(['contacted', 'qualified', 'proposal', 'lost']);
    expect(movesFrom('contacted')).toEqual(['new', 'qualified', 'proposal', 'lost']);
    expect(movesFrom('qualified')).toEqual(['contacted', 'proposal', 'won', 'lost']);
    expect(movesFrom('proposal')).toEqual(['qualified', 'won', 'lost']);
    expect(movesFrom('won')).toEqual(['proposal']);
    expect(movesFrom('lost')).toEqual(['contacted']);
  });

  it('says for what a price is', () => {
    expect(['once', 'month', 'seat'].map(unitWords)).toEqual(['', 'per month', 'per seat']);
  });
});
