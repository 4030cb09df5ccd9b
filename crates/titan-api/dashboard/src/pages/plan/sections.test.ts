import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../api/types';
import { anEvent } from '../../test/fixtures';
import { aCharter, aContent, anItem } from '../../test/plans';
import { isFree } from './charter';
import { draftOf, planInView, sumOf } from './sections';

const section = (seq: number, name: string, value: unknown, round = 1, attempt = 1): RunEvent =>
  anEvent(seq, { kind: 'plan.section', data: { section: name, value, round, attempt } as never });

describe('a draft on its way', () => {
  it('is what came of the last attempt and round', () => {
    const draft = draftOf([
      section(1, 'goal', 'killed'),
      section(2, 'goal', 'broken', 1, 2),
      anEvent(3, { kind: 'plan.repaired', message: 'It is repaired for the first time: /goal: too short' }),
      section(4, 'goal', 'mended', 2, 2),
      section(5, 'gaps', ['photos'], 2, 2),
    ]);
    expect(draft).toEqual({
      plan: { goal: 'mended', gaps: ['photos'] },
      round: 2,
      repair: 'It is repaired for the first time: /goal: too short',
    });
  });

  it('shows nothing of what has another shape than it should', () => {
    const odd = [
      section(1, 'goal', 7),
      section(2, 'tasks', [null, 'x', { key: 'a' }, { key: 'b', title: 'B', needs: 'a' }]),
      section(3, 'cost', { low: 'much' }),
      section(4, 'risks', 'none'),
      section(5, 'colour', 'red'),
    ];
    expect(draftOf(odd).plan).toEqual({
      tasks: [{ key: 'b', title: 'B', executionType: 'manual', needs: [], parent: null }],
      risks: [],
    });
  });
});

describe('a plan in view', () => {
  it('says what a range of costs is', () => {
    expect(planInView(aContent()).cost).toBe('0 to 20 EUR: a domain');
    const same = aContent({ cost: { currency: 'EUR', low: 9.5, high: 9.5, basis: 'x' } });
    expect(planInView(same).cost).toBe('9.50 EUR: x');
  });

  it('counts groups apart from tasks', () => {
    expect(sumOf(planInView(aContent()).tasks ?? [])).toEqual({ tasks: 2, groups: 1, alone: 1, byHand: 1 });
  });
});

describe('a task of the charter', () => {
  it('is free for a person when what it needs is done', () => {
    const texts = anItem({ key: 'texts', task_id: 't-texts', execution_type: 'fully_automated' });
    const page = anItem({ needs: ['t-texts'] });
    expect(isFree(aCharter([texts, page]), page)).toBe(false);
    expect(isFree(aCharter([{ ...texts, execution_status: 'completed' }, page]), page)).toBe(true);
    expect(isFree(aCharter([texts, page]), texts)).toBe(false);
  });
});
