// Waits between reconnects: 1, 2, 4 ... 30 seconds, each varied by a quarter so that many tabs do not return at once.
const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

export function backoffDelay(failures: number, random: () => number = Math.random): number {
  const base = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(base * (0.75 + random() * 0.5));
}
