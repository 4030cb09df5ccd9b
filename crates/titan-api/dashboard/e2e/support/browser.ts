// One Chromium per test file, one fresh profile per test. A test also fails when the page reports an error of its own,
// and leaves a picture of what it saw.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, it } from 'vitest';
import { recordingOf, recordPage } from './recorder';
import { PATIENCE_MS, settings } from './settings';

const LAUNCH_TIMEOUT_MS = 90_000;
const ARGUMENTS = [
  '--no-sandbox',
  '--headless=new',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export interface Tools {
  page: Page;
  context: BrowserContext;
  /** From here on, console errors that match are part of what is tested. */
  expectErrors: (pattern: RegExp) => void;
  /** From here on, pages may turn to addresses that match: what a project serves is not Titan's own. */
  expectHosts: (pattern: RegExp) => void;
}

/** What a page must never do: report an error, or turn to another host. */
class Watch {
  private readonly expected: RegExp[] = [];
  private readonly hosts: RegExp[] = [];
  private readonly seen: string[] = [];

  constructor(context: BrowserContext) {
    const own = new URL(settings.baseUrl).origin;
    context.on('console', (message) => {
      if (message.type() === 'error') this.seen.push(`console: ${message.text()} (${message.location().url})`);
    });
    context.on('weberror', (error) => this.seen.push(`uncaught: ${error.error().stack ?? error.error().message}`));
    context.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      const known = origin === own || this.hosts.some((pattern) => pattern.test(origin));
      if (protocol.startsWith('http') && !known) this.seen.push(`request to another host: ${request.url()}`);
    });
  }

  expect = (pattern: RegExp) => {
    this.expected.push(pattern);
  };

  expectHosts = (pattern: RegExp) => {
    this.hosts.push(pattern);
  };

  problems(): string[] {
    return this.seen.filter((problem) => !this.expected.some((pattern) => pattern.test(problem)));
  }
}

/** Gives the file its browser, and `browserTest` in place of `it`. */
export function withBrowser() {
  let browser: Browser | undefined;

  beforeAll(async () => {
    await mkdir(settings.screenshots, { recursive: true });
    browser = await chromium.launch({
      executablePath: settings.chromium,
      args: ARGUMENTS,
      timeout: LAUNCH_TIMEOUT_MS,
    });
  });
  afterAll(async () => {
    await browser?.close();
  });

  return function browserTest(name: string, run: (tools: Tools) => Promise<void>, timeoutMs?: number): void {
    it(
      name,
      async () => {
        if (browser === undefined) throw new Error('the browser did not start');
        const context = await browser.newContext({
          baseURL: settings.baseUrl,
          viewport: { width: 1280, height: 860 },
          colorScheme: 'light',
          reducedMotion: 'reduce',
          locale: 'en-GB',
        });
        context.setDefaultTimeout(PATIENCE_MS);
        await context.addInitScript(recordPage);
        const watch = new Watch(context);
        try {
          const page = await context.newPage();
          await run({ page, context, expectErrors: watch.expect, expectHosts: watch.expectHosts });
          const violations: string[] = [];
          for (const open of context.pages()) violations.push(...(await recordingOf(open)).violations);
          const problems = [...watch.problems(), ...violations];
          if (problems.length > 0) throw new Error(`the page had problems:\n${problems.join('\n')}`);
        } catch (error) {
          throw await withEvidence(error, name, context, watch);
        } finally {
          await context.close();
        }
      },
      timeoutMs,
    );
  };
}

async function withEvidence(error: unknown, name: string, context: BrowserContext, watch: Watch): Promise<Error> {
  const failure = error instanceof Error ? error : new Error(String(error));
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60);
  const seen: string[] = [];
  for (const [index, page] of context.pages().entries()) {
    const file = path.join(settings.screenshots, `failed-${slug}-${index + 1}.png`);
    const recording = await recordingOf(page).catch(() => null);
    seen.push(`page ${index + 1}: ${page.url()}, pictured in ${file}`);
    seen.push(`  connection ${recording?.connection.join(' > ')}, states ${JSON.stringify(recording?.statuses)}`);
    seen.push(`  ${recording?.texts.length} texts of answers, ${await drawing(page)}`);
    // The page may be the very thing that is broken; what went wrong in the test matters more than its picture.
    await page.screenshot({ path: file, timeout: 10_000 }).catch((reason) => seen.push(`  no picture: ${reason}`));
  }
  failure.message = [failure.message, ...seen, ...watch.problems()].join('\n');
  return failure;
}

/** A browser that draws nothing any more explains much. */
const drawing = (page: Page) =>
  page
    .evaluate(
      () =>
        new Promise<string>((resolve) => {
          setTimeout(() => resolve('no frame within a second'), 1000);
          requestAnimationFrame(() => resolve('frames are drawn'));
        }),
    )
    .catch((reason) => `nothing to ask: ${reason}`);

/** Keeps a picture as evidence, under a name that sorts by the order of events. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: path.join(settings.screenshots, `${name}.png`) });
}
