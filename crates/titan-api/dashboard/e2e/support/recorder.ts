// What the page showed, written down by the page itself, so that a test need not catch a state that lasts milliseconds.
import type { Page } from 'playwright-core';

export interface Recording {
  /** The states of the connection pill, in the order in which they were shown. */
  connection: string[];
  /** By task: the states of its turn on the Input tab. */
  statuses: Record<string, string[]>;
  /** Every text that was shown as an answer still being written. */
  texts: string[];
  /** What the content policy refused. */
  violations: string[];
}

declare global {
  interface Window {
    titanRecording: Recording;
    titanMarker?: string;
  }
}

/** Runs in the page before its own code. It may use nothing from outside itself. */
export function recordPage(): void {
  const recording: Recording = { connection: [], statuses: {}, texts: [], violations: [] };
  window.titanRecording = recording;
  const note = (kept: string[], value: string | null | undefined) => {
    if (value && kept.at(-1) !== value) kept.push(value);
  };
  const look = () => {
    note(recording.connection, document.querySelector('[data-testid="connection"]')?.getAttribute('data-state'));
    for (const turn of document.querySelectorAll('[data-testid="turn"][data-task]')) {
      const task = turn.getAttribute('data-task') ?? '';
      recording.statuses[task] ??= [];
      const status = turn.querySelector('[data-testid="user-message"] [data-testid="status"]');
      note(recording.statuses[task], status?.getAttribute('data-status'));
    }
    const answer = document.querySelector('[data-testid="streaming-text"]')?.textContent?.trim();
    if (answer !== 'The model has not written anything yet.') note(recording.texts, answer);
  };
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ['data-status', 'data-state', 'data-task'],
  });
  document.addEventListener('securitypolicyviolation', (event) => {
    recording.violations.push(`${event.effectiveDirective} refused ${event.blockedURI} at ${event.sourceFile ?? '?'}`);
  });
}

export const recordingOf = (page: Page) => page.evaluate(() => window.titanRecording);

/** Marks the loaded page; a reload would lose the mark. */
export async function mark(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.titanMarker = 'not reloaded';
  });
}

export const isMarked = (page: Page) => page.evaluate(() => window.titanMarker === 'not reloaded');
