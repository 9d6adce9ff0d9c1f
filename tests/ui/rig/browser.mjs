// A browser without a network but the loopback; what breaks in it, and what the content security policy stops, is noted.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const SHOTS = process.env.WEIR_UI_SHOTS ?? fileURLToPath(new URL('../shots/', import.meta.url));
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const DESK = { width: 1360, height: 860 };
const PHONE = { width: 390, height: 844 };

export const chromiumIsMissing = () => !existsSync(CHROMIUM) && `there is no ${CHROMIUM}`;

/** `problems` gets what nobody wants to happen. */
export async function startBrowser(problems) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  return {
    close: () => browser.close(),
    /** Somebody else's: without the cookies of others. */
    async page(options = {}) {
      const context = await browser.newContext({ viewport: DESK, reducedMotion: 'reduce', locale: 'en-GB', ...options });
      await watch(context, problems);
      const page = await context.newPage();
      page.setDefaultTimeout(10_000);
      return page;
    },
  };
}

async function watch(context, problems) {
  await context.exposeFunction('reportProblem', (text) => problems.push(text));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const where = `${event.sourceFile}:${event.lineNumber}`;
      window.reportProblem(`content security policy: ${event.violatedDirective} ${event.blockedURI} ${where}`);
    });
  });
  context.on('page', (page) => {
    page.on('pageerror', (error) => problems.push(`page error at ${page.url()}: ${error.message}`));
    page.on('dialog', (dialog) => {
      problems.push(`a stored script ran at ${page.url()}: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      // A refusal of the server is told by the browser, too; tests that want one look at what the page says of it.
      const refused = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !refused) problems.push(`console at ${page.url()}: ${message.text()}`);
    });
  });
}

/** As a person sees it: light, dark, and on a phone. `whole`: beyond what a screen shows, too. */
export async function shot(page, name, whole = false) {
  mkdirSync(SHOTS, { recursive: true });
  const take = (as) => page.screenshot({ path: join(SHOTS, `${name}-${as}.png`), fullPage: whole });
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await take(colorScheme);
  }
  await page.setViewportSize(PHONE);
  await page.waitForTimeout(100); // charts draw anew at the new width
  await take('phone');
  await page.setViewportSize(DESK);
}
