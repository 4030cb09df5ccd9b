// How numbers, times and sizes are written, the same everywhere.
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

const timeFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const dateFormat = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric' });

/** Relative up to 24 hours, then the date. */
export function formatAge(iso: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (Number.isNaN(seconds)) return 'unknown time';
  if (seconds < 5) return 'just now';
  if (seconds < MINUTE) return `${seconds} s ago`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  return dateFormat.format(new Date(iso));
}

/** The same for what is still to come. */
export function formatAhead(iso: string, now: number): string {
  const seconds = Math.ceil((Date.parse(iso) - now) / 1000);
  if (Number.isNaN(seconds)) return 'at an unknown time';
  if (seconds <= 0) return 'now';
  if (seconds < MINUTE) return `in ${seconds} s`;
  if (seconds < HOUR) return `in ${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return `in ${Math.floor(seconds / HOUR)} h`;
  return `on ${dateFormat.format(new Date(iso))}`;
}

/** The time of day, and on another day the date with it. */
export function formatSince(iso: string, now: number): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return 'an unknown time';
  if (date.toDateString() === new Date(now).toDateString()) return formatClock(iso);
  return `${dateFormat.format(date)} ${formatClock(iso)}`;
}

/** Local date and time with milliseconds, for tooltips and log lines. */
export function formatExact(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return `${dateFormat.format(date)} ${formatClock(iso, true)}`;
}

export function formatClock(iso: string | number, milliseconds = false): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return String(iso);
  const clock = timeFormat.format(date);
  return milliseconds ? `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}` : clock;
}

export function formatDuration(milliseconds: number): string {
  const value = Math.max(0, milliseconds);
  if (value < 1000) return `${Math.round(value)} ms`;
  const seconds = value / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < MINUTE) return `${Math.floor(seconds)} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ${Math.floor(seconds % MINUTE)} s`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ${Math.floor((seconds % HOUR) / MINUTE)} min`;
  return `${Math.floor(seconds / DAY)} d ${Math.floor((seconds % DAY) / HOUR)} h`;
}

/** A round time, without the smaller unit of which there is none: "30 min", "1 h 30 min". */
export const formatLimit = (seconds: number): string =>
  seconds < 10 ? `${seconds} s` : formatDuration(seconds * 1000).replace(/ 0 (s|min|h)$/, '');

/** From start to end, or to now while it lasts; null before it began. */
export function elapsed(start: string | null, end: string | null, now: number): string | null {
  if (start === null) return null;
  return formatDuration((end === null ? now : Date.parse(end)) - Date.parse(start));
}

/** 950, 12.4k, 3.1M. */
export function formatCount(value: number): string {
  if (value < 1000) return String(value);
  if (value < 999_950) return `${trimZero((value / 1000).toFixed(1))}k`;
  return `${trimZero((value / 1_000_000).toFixed(1))}M`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${trimZero((bytes / 1024).toFixed(1))} KB`;
  return `${trimZero((bytes / (1024 * 1024)).toFixed(1))} MB`;
}

/** US dollars; four digits below one cent, so that small costs do not read as nothing. */
export function formatCost(cost: number): string {
  if (cost === 0) return '$0';
  return cost < 0.01 ? `$${cost.toFixed(4)}` : `$${cost.toFixed(2)}`;
}

/** Eight characters are enough to recognise an id. The tail is taken: UUIDv7 ids of one minute share their head. */
export function shortId(id: string): string {
  return id.replaceAll('-', '').slice(-8);
}

export function plural(count: number, word: string, many = `${word}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? word : many}`;
}

/** A reason stands within sentences of a log; by itself it is one. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text === '' || /[.!?]$/.test(text) ? '' : '.'}`;
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}
