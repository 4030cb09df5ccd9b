import { describe, expect, it } from 'vitest';
import { MOST_BYTES, refusal, textWords } from './documents';

describe('what is said of documents', () => {
  it('refuses before sending what cannot be taken', () => {
    expect(refusal({ name: 'a.txt', size: 0 })).toBe('a.txt is empty.');
    expect(refusal({ name: 'a.pdf', size: MOST_BYTES })).toBeNull();
    expect(refusal({ name: 'a.pdf', size: MOST_BYTES * 2 })).toBe('a.pdf has 50 MB; at most 25 MB are possible.');
  });

  it('says how much of the text is there', () => {
    expect(textWords({ text_size: null, left_out: null })).toBeNull();
    expect(textWords({ text_size: 2048, left_out: 0 })).toBe('2 KB of text');
    expect(textWords({ text_size: 2048, left_out: 1024 })).toBe('2 KB of text, 1 KB more are left out');
  });
});
