// How a person does things, in words.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { shot } from './browser.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A label, with the star that a required field has. */
const labelled = (label) => new RegExp(`^${label}( \\*)?$`);

/** How long nothing may be asked for until a page counts as loaded. */
const QUIET = 120;

/** Requests under way: the browser's own idea of an idle network takes half a second more. */
function watchRequests(page) {
  const open = new Set();
  page.on('request', (request) => open.add(request));
  page.on('requestfinished', (request) => open.delete(request));
  page.on('requestfailed', (request) => open.delete(request));
  return async () => {
    for (let quiet = 0; quiet < QUIET; quiet = open.size === 0 ? quiet + 20 : 0) await page.waitForTimeout(20);
    await page.waitForFunction(() => document.querySelector('.mantine-Skeleton-root') === null);
  };
}

/** Somebody at a page; `url` is where the gateway is reached. */
export function walker(page, url) {
  const settled = watchRequests(page);
  const walk = {
    page,
    async open(path, title) {
      await page.goto(`${url}/ui${path}`);
      if (title !== undefined) await walk.sees(title);
    },
    async sees(title) {
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
    },
    async reads(text) {
      await page.getByText(text).first().waitFor();
    },
    /** To the identity provider and back; what it asks somebody who was there before is up to it. */
    async singleSignOn(name) {
      await page.getByRole('link', { name: 'Sign in with single sign-on' }).click();
      await page.getByPlaceholder('Enter any login').fill(name);
      await page.getByPlaceholder('and password').fill('of no interest');
      await page.getByRole('button', { name: 'Sign-in' }).click();
      await page.getByRole('button', { name: 'Continue' }).click();
      await walk.sees('Home');
    },
    async signIn(name, password) {
      await page.getByLabel(labelled('User name or e-mail')).fill(name);
      await page.getByLabel(labelled('Password')).fill(password);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    },
    async signOut(item = 'Sign out') {
      await page.getByRole('button', { name: 'Account' }).click();
      await page.getByRole('menuitem', { name: item, exact: true }).click();
    },
    /** As the server knows who is there. */
    session: () => page.evaluate(async () => (await fetch('/ui/session')).json()),
    press: (name) => page.getByRole('button', { name, exact: true }).click(),
    /** Fields of the form that is open, by their labels. */
    async fill(values) {
      for (const [label, value] of Object.entries(values)) {
        await page.getByRole('dialog').getByLabel(labelled(label)).first().fill(value);
      }
    },
    async pick(label, option) {
      await page.getByRole('dialog').getByLabel(labelled(label)).first().click();
      await page.getByRole('option', { name: option }).first().click();
    },
    submit: (name) => page.getByRole('dialog').getByRole('button', { name, exact: true }).click(),
    gone: () => page.getByRole('dialog').waitFor({ state: 'detached' }),
    async menu(item) {
      await walk.press('More');
      await page.getByRole('menuitem', { name: item }).click();
    },
    async typeName(name) {
      await page.getByRole('dialog').getByRole('textbox').fill(name);
    },
    /** No serious fault for people who cannot see or use a mouse, in light and in dark. */
    async accessible(name, schemes = ['dark', 'light']) {
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme });
        // The policy of the page forbids strange scripts, and the browser's own evaluation is not bound by it.
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(
          (only) => window.axe.run(document, { resultTypes: ['violations'], ...(only && { runOnly: only }) }),
          colorScheme === schemes[0] ? null : ['color-contrast'], // what else there is has no colour
        );
        const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        const told = grave.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`).slice(0, 4).join('\n    ')}`);
        assert.deepEqual(told, [], `${name}, ${colorScheme}`);
      }
    },
    settled,
    shot: (name) => shot(page, name),
    /** A picture for people, and a look for those who cannot see it. */
    async looked(name, whole = false) {
      await settled();
      await shot(page, name, whole);
      await walk.accessible(name);
    },
  };
  return walk;
}
