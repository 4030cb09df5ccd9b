import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../api/types';
import { anEvent } from '../../test/fixtures';
import { aCharter, aContent, anItem } from '../../test/plans';
import { isFree } from './charter';
import { draftOf, entryName, planInView, sectionText, sumOf } from './sections';

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

describe('a comparison in words', () => {
  it('names tasks and questions by what they say, of whichever version has them', () => {
    const [before, after] = [[{ key: 'old', title: 'The old task' }], [{ key: 'new', title: 'The new task' }]];
    expect(entryName('tasks', 'new', after, before)).toBe('The new task');
    expect(entryName('tasks', 'old', after, before)).toBe('The old task');
    expect(entryName('questions', 'who', [{ key: 'who', question: 'Who is it for?' }])).toBe('Who is it for?');
    expect(entryName('tasks', 'gone', null, 'no list')).toBe('gone');
    expect(entryName('gaps', 'No model.', ['No model.'])).toBe('No model.');
  });

  it('says what a template is given, line by line', () => {
    const template = { ref: 'static-site', reason: 'It fits.', inputs: { title: 'Tea', features: ['map'] } };
    expect(sectionText('template', template)).toBe('static-site: It fits.\ntitle: Tea\nfeatures: ["map"]');
    expect(sectionText('template', null)).toBe('nothing');
    expect(sectionText('cost', { low: 0, high: 0, currency: 'EUR', basis: 'Nothing is asked.' })).toBe(
      '0 EUR: Nothing is asked.',
    );
    expect(sectionText('goal', 'A page.')).toBe('A page.');
    expect(sectionText('unknown', { a: 1 })).toContain('"a": 1');
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
