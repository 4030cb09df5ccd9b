import { describe, expect, it } from 'vitest';
import type { LogLine, LogPage } from '../../api/types';
import { highlight } from '../../components/ansi/highlight';
import { aLine } from '../../test/fixtures';
import { EMPTY_BUFFER, lineKey, linesInAll, mergeNewest, mergeOlder, WINDOW_LINES } from './logBuffer';

const range = (from: number, to: number): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, index) => aLine(from + index));
/** A page as the server sends it: newest first. */
const page = (lines: LogLine[], next: string | null, total: number): LogPage => ({
  items: [...lines].reverse(),
  next_cursor: next,
  total,
});
const seqs = (lines: readonly LogLine[]) => lines.map((line) => line.seq);

describe('log buffer', () => {
  it('does not claim to know a total that the server did not count', () => {
    expect(linesInAll(1)).toBe('1 line');
    expect(linesInAll(10_000)).toBe('10,000 lines');
    expect(linesInAll(10_001)).toBe('more than 10,000 lines');
  });

  it('holds the newest page oldest first, with the true total', () => {
    const buffer = mergeNewest(EMPTY_BUFFER, page(range(8, 10), 'c', 10));
    expect(seqs(buffer.lines)).toEqual([8, 9, 10]);
    expect(buffer).toMatchObject({ olderCursor: 'c', total: 10, appended: 0 });
  });

  it('appends only what is new and counts it', () => {
    const first = mergeNewest(EMPTY_BUFFER, page(range(8, 10), 'c', 10));
    const second = mergeNewest(first, page(range(10, 12), 'd', 12));
    expect(seqs(second.lines)).toEqual([8, 9, 10, 11, 12]);
    expect(second).toMatchObject({ appended: 2, total: 12, olderCursor: 'c' });
  });

  it('stays the same object when nothing changed', () => {
    const first = mergeNewest(EMPTY_BUFFER, page(range(1, 3), null, 3));
    expect(mergeNewest(first, page(range(1, 3), null, 3))).toBe(first);
  });

  it('starts again from the end when more was missed than a page holds', () => {
    const first = mergeNewest(EMPTY_BUFFER, page(range(1, 3), null, 3));
    const second = mergeNewest(first, page(range(500, 502), 'z', 502));
    expect(seqs(second.lines)).toEqual([500, 501, 502]);
    expect(second.olderCursor).toBe('z');
  });

  it('puts older lines in front without doubles and remembers how many', () => {
    const first = mergeNewest(EMPTY_BUFFER, page(range(8, 10), 'c', 10));
    const second = mergeOlder(first, page(range(6, 8), null, 10));
    expect(seqs(second.lines)).toEqual([6, 7, 8, 9, 10]);
    expect(second).toMatchObject({ prepended: 2, olderCursor: null });
  });

  it('sorts in a line of another run that was written a moment earlier', () => {
    const first = mergeNewest(EMPTY_BUFFER, page([aLine(1), aLine(5)], null, 2));
    const late = aLine(3, { run_id: 'r2' });
    const second = mergeNewest(first, page([aLine(1), late, aLine(5)], null, 3));
    expect(second.lines.map(lineKey)).toEqual(['r1:1', 'r2:3', 'r1:5']);
  });

  it('keeps lines of different runs apart that have the same number', () => {
    const buffer = mergeNewest(EMPTY_BUFFER, page([aLine(1), aLine(1, { run_id: 'r2' })], null, 2));
    expect(mergeNewest(buffer, page([aLine(1), aLine(1, { run_id: 'r2' })], null, 2)).lines).toHaveLength(2);
  });

  it('lets the oldest lines go beyond the window and says how many', () => {
    const full = { ...EMPTY_BUFFER, lines: range(1, WINDOW_LINES), total: WINDOW_LINES };
    const more = mergeNewest(full, page(range(WINDOW_LINES - 1, WINDOW_LINES + 5), 'c', WINDOW_LINES + 5));
    expect(more.lines).toHaveLength(WINDOW_LINES);
    expect(more).toMatchObject({ dropped: 5, prepended: -5 });
    expect(more.lines.at(-1)?.seq).toBe(WINDOW_LINES + 5);
  });
});

describe('highlight', () => {
  it('marks every hit without regard to case and loses no character', () => {
    const parts = highlight('Error after ERROR', 'error');
    expect(parts.filter((part) => part.hit).map((part) => part.text)).toEqual(['Error', 'ERROR']);
    expect(parts.map((part) => part.text).join('')).toBe('Error after ERROR');
  });

  it('marks nothing without a search', () => {
    expect(highlight('text', '')).toEqual([{ text: 'text', hit: false }]);
  });
});
