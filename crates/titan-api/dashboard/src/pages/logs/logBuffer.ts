// The window of log lines a page holds: oldest first, each line once, with a limit. Pages of the server come newest first.
import type { LogLine, LogPage } from '../../api/types';
import { plural } from '../../lib/format';
import { compareTimes } from '../../lib/times';

/** More lines than this are dropped at the old end, with a note. */
export const WINDOW_LINES = 50_000;

export interface LogBuffer {
  lines: readonly LogLine[];
  /** Where the server goes on with older lines; null when there are none. */
  olderCursor: string | null;
  /** How many lines match on the server. */
  total: number;
  /** Lines added in front since the start, negative-free: the virtual list needs stable positions. */
  prepended: number;
  /** Lines added at the end since the start. */
  appended: number;
  dropped: number;
}

export const EMPTY_BUFFER: LogBuffer = {
  lines: [],
  olderCursor: null,
  total: 0,
  prepended: 0,
  appended: 0,
  dropped: 0,
};

/** The server counts no further than one beyond this. */
const COUNTED = 10_000;

export function linesInAll(total: number): string {
  return total > COUNTED ? `more than ${plural(COUNTED, 'line')}` : plural(total, 'line');
}

export const lineKey = (line: LogLine): string => `${line.run_id}:${line.seq}`;

/** Whether the newest page touches what is already there, so that nothing between them is missing. */
export function touches(buffer: LogBuffer, page: LogPage): boolean {
  if (buffer.lines.length === 0 || page.next_cursor === null) return true;
  const known = new Set(buffer.lines.slice(-page.items.length * 2).map(lineKey));
  return page.items.some((line) => known.has(lineKey(line)));
}

/** Takes in the newest page. */
export function mergeNewest(buffer: LogBuffer, page: LogPage): LogBuffer {
  const newestFirst = page.items;
  if (buffer.lines.length === 0) {
    return { ...EMPTY_BUFFER, lines: [...newestFirst].reverse(), olderCursor: page.next_cursor, total: page.total };
  }
  if (!touches(buffer, page)) {
    // Too much was missed to close the gap: start again from the end.
    return {
      ...EMPTY_BUFFER,
      lines: [...newestFirst].reverse(),
      olderCursor: page.next_cursor,
      total: page.total,
      appended: buffer.appended + newestFirst.length,
    };
  }
  const known = new Set(buffer.lines.map(lineKey));
  const fresh = newestFirst.filter((line) => !known.has(lineKey(line))).reverse();
  if (fresh.length === 0) return page.total === buffer.total ? buffer : { ...buffer, total: page.total };
  const lines = inOrder([...buffer.lines, ...fresh], fresh);
  const excess = Math.max(0, lines.length - WINDOW_LINES);
  return {
    ...buffer,
    lines: excess > 0 ? lines.slice(excess) : lines,
    total: page.total,
    appended: buffer.appended + fresh.length,
    // What fell out at the front moves every remaining line, as if fewer had been put in front.
    prepended: buffer.prepended - excess,
    dropped: buffer.dropped + excess,
  };
}

/** Takes in the page of older lines that `olderCursor` named. */
export function mergeOlder(buffer: LogBuffer, page: LogPage): LogBuffer {
  const known = new Set(buffer.lines.map(lineKey));
  const older = page.items.filter((line) => !known.has(lineKey(line))).reverse();
  return {
    ...buffer,
    lines: [...older, ...buffer.lines],
    olderCursor: page.next_cursor,
    total: page.total,
    prepended: buffer.prepended + older.length,
  };
}

/** Two runs may write at once, so a fresh line can belong before one that is already there. */
function inOrder(lines: LogLine[], fresh: readonly LogLine[]): LogLine[] {
  const firstFresh = fresh[0];
  const lastKnown = lines[lines.length - fresh.length - 1];
  if (!firstFresh || !lastKnown || compareTimes(lastKnown.timestamp, firstFresh.timestamp) <= 0) return lines;
  return lines.sort(
    (a, b) => compareTimes(a.timestamp, b.timestamp) || a.run_id.localeCompare(b.run_id) || a.seq - b.seq,
  );
}
