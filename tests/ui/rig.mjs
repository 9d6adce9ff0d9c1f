// A real Weir, the UI before it, and a browser: started once for all tests of a file.
import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startWeir } from '../../admin/ui/dev/weir.mjs';
import { serve } from '../../admin/ui/dev/serve.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const SHOTS = process.env.WEIR_UI_SHOTS ?? fileURLToPath(new URL('./shots/', import.meta.url));
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A reason to skip, or null. With CI=true what is missing is a failure, because a skipped test proves nothing. */
export function missing() {
  const dist = fileURLToPath(new URL('../../admin/ui/dist/index.html', import.meta.url));
  const reasons = [
    !existsSync(CHROMIUM) && `there is no ${CHROMIUM}`,
    !existsSync(dist) && 'admin/ui/dist is not built: make ui',
  ].filter(Boolean);
  if (reasons.length > 0 && ['1', 'true'].includes(process.env.CI ?? '')) throw new Error(reasons.join('; '));
  return reasons.length > 0 ? reasons.join('; ') : null;
}

export async function startRig() {
  const profile = await mkdtemp(join(tmpdir(), 'weir-ui-profile-'));
  const config = fileURLToPath(new URL('./config.yaml', import.meta.url));
  const weir = await startWeir({ config });
  const ui = await serve({ upstream: weir.url, masterKey: weir.masterKey });
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: FLAGS,
    viewport: { width: 1360, height: 860 },
    reducedMotion: 'reduce',
    locale: 'en-GB',
  });
  const problems = [];
  await watch(browser, problems);
  return {
    weir,
    ui,
    browser,
    problems,
    page: browser.pages()[0] ?? (await browser.newPage()),
    shot: (page, name) => shot(page, name),
    async api(method, path, body, key = weir.masterKey) {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const answer = await fetch(weir.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
      return { status: answer.status, body: await answer.json().catch(() => null) };
    },
    async stop() {
      await browser.close();
      await ui.close();
      await weir.stop();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Whatever the content security policy stopped, and whatever broke, is a fault of the UI. */
async function watch(browser, problems) {
  await browser.exposeFunction('reportViolation', (text) => problems.push(`content security policy: ${text}`));
  await browser.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  const listen = (page) => {
    page.on('pageerror', (error) => problems.push(`page error at ${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      // A refusal of the server is told by the browser, too; tests that want one look at what the page says of it.
      const refused = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !refused) problems.push(`console at ${page.url()}: ${message.text()}`);
    });
  };
  browser.on('page', listen);
  browser.pages().forEach(listen);
}

const PHONE = { width: 390, height: 844 };

/** As a person sees it: light, dark, and on a phone. */
async function shot(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  const size = page.viewportSize();
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(SHOTS, `${name}-${colorScheme}.png`) });
  }
  await page.setViewportSize(PHONE);
  await page.waitForTimeout(100); // charts draw anew at the new width
  await page.screenshot({ path: join(SHOTS, `${name}-phone.png`) });
  await page.setViewportSize(size);
}
