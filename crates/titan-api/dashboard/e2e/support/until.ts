// Waiting for a condition outside the browser.
import { setTimeout as pause } from 'node:timers/promises';
import { PATIENCE_MS } from './settings';

const EVERY_MS = 100;

/** Asks again and again until `check` gives something other than null, undefined or false. */
export async function until<T>(
  what: string,
  check: () => Promise<T | null | undefined | false>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last = '';
  for (;;) {
    try {
      const found = await check();
      if (found !== null && found !== undefined && found !== false) return found;
      last = '';
    } catch (error) {
      last = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs / 1000} s${last}`);
    await pause(EVERY_MS);
  }
}
