// The dashboard in the words of somebody who uses it.
import type { Locator, Page } from 'playwright-core';
import { until } from './until';

/** What is on the screen may be a moment older than the keys that are bound for it. */
const KEY_TIMEOUT_MS = 3000;

/** Opens an address and waits until the page is live: only then do changes appear by themselves. */
export async function open(page: Page, address: string): Promise<void> {
  await page.goto(address, { waitUntil: 'domcontentloaded' });
  await connection(page, 'live').waitFor();
}

export const connection = (page: Page, state: string) =>
  page.locator(`[data-testid="connection"][data-state="${state}"]`);

export const composer = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });

export async function send(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press('Control+Enter');
}

/** The turn of the conversation that begins with this message. */
export const turn = (page: Page, text: string) => page.getByTestId('turn').filter({ hasText: text });

/** The state that a turn shows beside its message. */
export const turnStatus = (place: Locator, status: string) =>
  place.locator(`[data-testid="user-message"] [data-status="${status}"]`);

export const answer = (place: Locator) => place.getByTestId('assistant-message');

/** How the offline model and the fake server begin. */
const ANSWER = /\[offline\] \w|This is \w/;

/** Waits until words of the answer are on the screen while it is still being written. */
export const untilWriting = (page: Page) =>
  page.locator('[data-testid="streaming-text"]', { hasText: ANSWER }).first().waitFor();

export async function openTab(page: Page, name: 'Progress' | 'Input' | 'Logs' | 'Output' | 'Sales'): Promise<void> {
  await page.getByRole('navigation', { name: 'Project' }).getByRole('link', { name, exact: true }).click();
  await page.waitForURL(new RegExp(`/projects/[^/]+/${name.toLowerCase()}`));
}

/** Presses a key until it has shown its effect. */
export const pressFor = (page: Page, key: string, effect: Locator) =>
  until(`the effect of the key ${key}`, async () => {
    if (await effect.isVisible()) return true;
    await page.keyboard.press(key);
    await effect.waitFor({ timeout: KEY_TIMEOUT_MS });
    return true;
  });

export async function counters(page: Page): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const name of ['tasks', 'runs', 'memory', 'outputs']) {
    const text = await textOf(page.getByTestId(`counter-${name}`).getByTestId('counter-value'));
    found[name] = Number(text.replaceAll(',', ''));
  }
  return found;
}

export const untilCounters = (page: Page, wanted: Record<string, number>) =>
  until(`counters ${JSON.stringify(wanted)}`, async () => {
    const now = await counters(page);
    if (JSON.stringify(now) === JSON.stringify(wanted)) return true;
    throw new Error(`they say ${JSON.stringify(now)}`);
  });

/** White space as the page lays it out says nothing about the text. */
export const plain = (text: string) => text.replace(/\s+/g, ' ').trim();

export const textOf = async (place: Locator) => plain((await place.textContent()) ?? '');
