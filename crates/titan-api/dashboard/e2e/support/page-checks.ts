// What holds for every page: no barrier that axe can find, in either colour scheme, and nothing sticks out sideways.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { keepPicture } from './browser';
import { until } from './until';

const WIDTHS = [390, 768, 1280] as const;
const HEIGHT = 860;
/** What can differ between the colour schemes; everything else is the same page. */
const ABOUT_COLOUR = ['color-contrast', 'link-in-text-block'];

/** A page in the middle of a fade would be judged by colours that nobody reads. */
export async function settled(page: Page): Promise<void> {
  await until('the end of all transitions', () =>
    page.evaluate(() =>
      document
        .getAnimations()
        .every(
          (animation) => animation.playState !== 'running' || animation.effect?.getTiming().iterations === Infinity,
        ),
    ),
  );
}

/** Keeps a picture in either colour scheme. */
export async function keepBoth(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
    await settled(page);
    await keepPicture(page, colorScheme === 'dark' ? `${name}-dark` : name);
  }
}

/** The same as a phone shows it. */
export async function keepNarrow(page: Page, name: string): Promise<void> {
  await page.setViewportSize({ width: WIDTHS[0], height: HEIGHT });
  await settled(page);
  await keepPicture(page, `${name}-narrow`);
  await page.setViewportSize({ width: 1280, height: HEIGHT });
}

/** What axe finds, one line per rule and element. */
export async function barriers(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
    await settled(page);
    // Without the legacy mode axe opens a page of its own for frames; there are none here.
    const axe = new AxeBuilder({ page }).setLegacyMode(true);
    if (colorScheme === 'dark') axe.withRules(ABOUT_COLOUR);
    const { violations } = await axe.analyze();
    for (const { id, nodes } of violations) {
      for (const node of nodes)
        found.push(`${colorScheme} ${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`);
    }
  }
  return found;
}

/** The widths at which the page is wider than its window. */
export async function overflows(page: Page): Promise<number[]> {
  const found: number[] = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHT });
    await page.waitForFunction((wanted) => window.innerWidth === wanted, width);
    await settled(page);
    const over = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    if (over) found.push(width);
  }
  return found;
}
