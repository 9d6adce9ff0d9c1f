// A real Weir with PostgreSQL, an identity provider, mock providers and a browser: started once for all tests of a file.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { serve } from '../../../admin/ui/dev/serve.mjs';
import { freePort, startWeir } from '../../../admin/ui/dev/weir.mjs';
import { chromiumIsMissing, startBrowser } from './browser.mjs';
import { walker } from './walk.mjs';
import { database, hasPostgres, mockProviders } from './children.mjs';
import { CLIENT, identityProvider } from './identity.mjs';

const DIST = fileURLToPath(new URL('../../../admin/ui/dist/index.html', import.meta.url));
const CONFIG = fileURLToPath(new URL('../config.yaml', import.meta.url));
/** The UI that was built last instead of the one in the program: spares a build of the program. */
const FRONT = process.env.WEIR_UI_FRONT === '1';

export const UI_USER = 'root';
export const UI_PASSWORD = 'the-password-of-the-ui';

/** A reason to skip, or null. With CI=true what is missing is a failure, because a skipped test proves nothing. */
export function missing() {
  const reasons = [
    chromiumIsMissing(),
    !existsSync(DIST) && 'admin/ui/dist is not built: make ui',
    !hasPostgres() && 'there is no PostgreSQL (WEIR_TEST_POSTGRES_URL): run scripts/with-services.sh',
  ].filter(Boolean);
  if (reasons.length > 0 && ['1', 'true'].includes(process.env.CI ?? '')) throw new Error(reasons.join('; '));
  return reasons.length > 0 ? reasons.join('; ') : null;
}

/** Started things, stopped in the opposite order. */
class Started {
  #stops = [];

  async add(started, stop) {
    const thing = await started;
    this.#stops.push(() => stop(thing));
    return thing;
  }

  async stop() {
    for (const stop of this.#stops.reverse()) await stop();
  }
}

export async function startRig() {
  const started = new Started();
  try {
    return await start(started);
  } catch (error) {
    await started.stop();
    throw error;
  }
}

async function start(started) {
  const ports = { weir: await freePort(), front: await freePort(), identity: await freePort() };
  const address = (port) => `http://127.0.0.1:${port}`;
  const ledger = await started.add(database(), (it) => it.drop());
  const mock = await started.add(mockProviders(), (it) => it.stop());
  const gateways = [address(ports.weir), address(ports.front)];
  const identity = await started.add(identityProvider(ports.identity, gateways), (it) => it.close());
  const env = {
    DATABASE_URL: ledger.url,
    WEIR_UI_MOCK: `${mock.url}/v1`,
    UI_USERNAME: UI_USER,
    UI_PASSWORD,
    GENERIC_CLIENT_ID: CLIENT.id,
    GENERIC_CLIENT_SECRET: CLIENT.secret,
    GENERIC_ISSUER: identity.issuer,
    GENERIC_USER_ROLE_ATTRIBUTE: 'realm_access.roles',
  };
  const weir = await started.add(startWeir({ config: CONFIG, env, port: ports.weir }), (it) => it.stop());
  const front = FRONT && (await started.add(serve({ upstream: weir.url, port: ports.front }), (it) => it.close()));
  if (!front) await sameUi(weir.url);
  const problems = [];
  const browser = await started.add(startBrowser(problems), (it) => it.close());
  const base = front ? front.url : weir.url;
  return {
    weir,
    identity,
    problems,
    browser,
    url: base,
    stop: () => started.stop(),
    /** Somebody with a browser of their own. */
    somebody: async (url = base) => walker(await browser.page(), url),
    /** An admin who is signed in. */
    async admin() {
      const walk = walker(await browser.page(), base);
      await walk.open('/', 'Sign in to Weir');
      await walk.signIn(UI_USER, UI_PASSWORD);
      await walk.sees('Home');
      return walk;
    },
    /** What oauth2-proxy is to its users: everything passes through it, with their names. */
    proxyFor: (headers) => started.add(serve({ upstream: base, files: false, headers }), (it) => it.close()),
    api: (method, path, body, key = weir.masterKey) => api(weir.url, method, path, body, key),
    /** Until the ledger has so many entries: they come a moment after the answers. */
    async booked(entries) {
      for (let tries = 0; tries < 200; tries++) {
        const { body } = await api(weir.url, 'GET', '/spend/logs/ui?page_size=1', undefined, weir.masterKey);
        if (body.total >= entries) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`the ledger does not come to ${entries} entries`);
    },
  };
}

/** A program that was built before the UI would be tested with the old one. */
async function sameUi(url) {
  const scripts = (page) => page.match(/assets\/[\w-]+\.js/g)?.join();
  const [inside, built] = [await (await fetch(`${url}/ui/`)).text(), await readFile(DIST, 'utf8')];
  if (scripts(inside) !== scripts(built)) throw new Error('weir was built with another UI: cargo build, or WEIR_UI_FRONT=1');
}

async function api(url, method, path, body, key) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answer = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return { status: answer.status, body: await answer.json().catch(() => null) };
}
