import { describe, expect, it } from 'vitest';
import { emptyDraft, loadDraft, prepareSend, saveDraft } from './drafts';

describe('drafts', () => {
  it('survive a reload, one per project', () => {
    const draft = { ...emptyDraft(), text: 'half a thought' };
    saveDraft('p1', draft);
    expect(loadDraft('p1')).toEqual(draft);
    expect(loadDraft('p2').text).toBe('');
  });

  it('leave nothing behind when there is nothing to keep', () => {
    saveDraft('p1', { ...emptyDraft(), text: 'x' });
    saveDraft('p1', emptyDraft());
    expect(window.localStorage.length).toBe(0);
  });

  it('start anew when what is stored is broken', () => {
    for (const broken of ['', 'no json', 'null', '[]', '{"text":1,"key":"k"}', '{"text":"a","key":""}']) {
      window.localStorage.setItem('titan.draft.p1', broken);
      expect(loadDraft('p1').text).toBe('');
      expect(loadDraft('p1').key).not.toBe('');
    }
  });

  it('keep their key when the same text is sent again, so that it makes one task', () => {
    const first = prepareSend({ ...emptyDraft(), text: 'do it' });
    const second = prepareSend(first);
    expect(second.key).toBe(first.key);
    expect(prepareSend({ ...first, text: ' do it ' }).key).toBe(first.key);
  });

  it('get another key when the text was changed after an attempt', () => {
    const first = prepareSend({ ...emptyDraft(), text: 'do it' });
    const second = prepareSend({ ...first, text: 'do it today' });
    expect(second.key).not.toBe(first.key);
    expect(second.attempted).toBe('do it today');
  });

  it('keep an attempted key over a reload', () => {
    const attempted = prepareSend({ ...emptyDraft(), text: 'do it' });
    saveDraft('p1', attempted);
    expect(prepareSend(loadDraft('p1')).key).toBe(attempted.key);
  });

  it('have keys of their own', () => {
    expect(emptyDraft().key).not.toBe(emptyDraft().key);
  });
});
