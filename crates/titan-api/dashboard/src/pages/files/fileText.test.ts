import { describe, expect, it } from 'vitest';
import { contentOf, editable } from './fileText';

describe('a file that is edited', () => {
  it.each(['a\nb\n', 'a\r\nb\r\n', 'a\rb\r', '\uFEFFa\r\nb', '\uFEFF', '', 'one line'])(
    'is the same again: %j',
    (content) => {
      const read = editable(content);
      expect(read?.text).not.toMatch(/\r|\uFEFF/);
      expect(read && contentOf(read.text, read.form)).toBe(content);
    },
  );

  it('gets the line ends that it has', () => {
    const read = editable('\uFEFFa\r\n');
    expect(read && contentOf(`${read.text}b\n`, read.form)).toBe('\uFEFFa\r\nb\r\n');
  });

  it.each(['a\r\nb\n', 'a\rb\n', 'a\r\r\n'])('is none where the lines end in two ways: %j', (content) => {
    expect(editable(content)).toBeNull();
  });
});
