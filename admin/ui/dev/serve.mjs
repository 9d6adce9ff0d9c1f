// What the gateway does for the UI, in small: serves dist with the strict content security policy, keeps sessions in
// memory, and passes everything else on to a real Weir with the key of whoever is signed in. For development and for
// the browser tests; README.md has the contract that it and the gateway follow.
//
//   npm run build && npm run dev        then http://127.0.0.1:4080/ui/, password: the master key that is printed
import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startWeir } from './weir.mjs';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const COOKIE = 'weir_session';
const HOURS = 8;

export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export async function serve({ upstream, masterKey, port = 0, sso = false }) {
  const state = { upstream, masterKey, sso, sessions: new Map(), passwords: new Map() };
  const server = createServer((incoming, outgoing) => {
    answer(state, incoming, outgoing).catch((error) => refuse(outgoing, error.status ?? 502, error.message));
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(state, incoming, outgoing) {
  const path = new URL(incoming.url, 'http://localhost').pathname;
  const own = OWN[`${incoming.method} ${path}`];
  if (own !== undefined) return own(state, incoming, outgoing);
  if (path === '/ui' || path.startsWith('/ui/')) return file(path, outgoing);
  const session = sessionOf(state, incoming);
  if (session === undefined) return refuse(outgoing, 401, 'Nobody is signed in.');
  const reads = incoming.method === 'GET' || incoming.method === 'HEAD';
  if (!reads && incoming.headers['x-weir-csrf'] !== session.csrf) {
    return refuse(
      outgoing,
      403,
      'The header x-weir-csrf is missing or of another session. Load the page again.',
    );
  }
  pass(state, session, incoming, outgoing);
}

// --- the session's routes ---

const OWN = {
  'GET /ui/options': (state, _, outgoing) => json(outgoing, 200, { sso: state.sso }),
  'GET /ui/session': (state, incoming, outgoing) => {
    const session = sessionOf(state, incoming);
    if (session === undefined) return refuse(outgoing, 401, 'Nobody is signed in.');
    json(outgoing, 200, told(session));
  },
  'POST /ui/session': async (state, incoming, outgoing) => {
    const session = await signIn(state, await body(incoming));
    if (session === null) return refuse(outgoing, 401, 'User name or password is wrong.');
    const id = randomBytes(24).toString('base64url');
    state.sessions.set(id, session);
    const cookie = `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${HOURS * 3600}`;
    json(outgoing, 200, told(session), { 'set-cookie': cookie });
  },
  'DELETE /ui/session': (state, incoming, outgoing) => {
    state.sessions.delete(cookieOf(incoming));
    outgoing
      .writeHead(204, { 'set-cookie': `${COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0` })
      .end();
  },
  'POST /ui/invitation': async (state, incoming, outgoing) => {
    const { invitation_id, password } = await body(incoming);
    const invitation = await ask(
      state,
      'GET',
      `/invitation/info?invitation_id=${encodeURIComponent(invitation_id)}`,
    );
    if (!invitation.user_id || invitation.is_accepted) {
      return refuse(outgoing, 400, 'This invitation is unknown, or was used already. Ask for a new one.');
    }
    await ask(state, 'POST', '/invitation/update', { invitation_id, is_accepted: true });
    state.passwords.set(invitation.user_id, password);
    outgoing.writeHead(204).end();
  },
};

/** The master key; a key of a user, which stands for that user; or a password that an invitation has set. */
async function signIn(state, { username, password }) {
  const session = (user_id, role, bearer) => ({
    user_id,
    role,
    bearer,
    csrf: randomBytes(18).toString('base64url'),
    expires_at: new Date(Date.now() + HOURS * 3_600_000).toISOString(),
  });
  if (password === state.masterKey) return session(username || 'admin', 'proxy_admin', password);
  let key = String(password).startsWith('sk-') ? password : undefined;
  if (key === undefined && state.passwords.get(username) === password) {
    key = (await ask(state, 'POST', '/key/generate', { user_id: username, duration: `${HOURS}h` })).key;
  }
  if (key === undefined) return null;
  const known = await ask(state, 'GET', '/user/info', undefined, key);
  const role = known.user_info?.user_role;
  return role === undefined ? null : session(known.user_id, role, key);
}

const told = ({ user_id, role, csrf, expires_at }) => ({ user_id, role, csrf, expires_at });

function cookieOf(incoming) {
  return new RegExp(`${COOKIE}=([^;]+)`).exec(incoming.headers.cookie ?? '')?.[1];
}

function sessionOf(state, incoming) {
  const session = state.sessions.get(cookieOf(incoming));
  return session !== undefined && Date.parse(session.expires_at) > Date.now() ? session : undefined;
}

// --- everything else ---

function pass(state, session, incoming, outgoing) {
  const { cookie: _, host: __, ...headers } = incoming.headers;
  const url = new URL(incoming.url, state.upstream);
  const sent = request(url, {
    method: incoming.method,
    headers: { ...headers, authorization: `Bearer ${session.bearer}` },
  });
  sent.on('response', (got) => {
    outgoing.writeHead(got.statusCode, got.headers);
    got.pipe(outgoing);
  });
  sent.on('error', (error) => refuse(outgoing, 502, error.message));
  outgoing.on('close', () => sent.destroy());
  incoming.pipe(sent);
}

/** Every path under /ui/ that is no file is a page, and pages are all index.html. */
function file(path, outgoing) {
  const name = normalize(path.replace(/^\/ui\/?/, ''));
  const known = !name.startsWith('..') && extname(name) in TYPES && existsSync(join(DIST, name));
  if (!known && name.startsWith('assets')) return refuse(outgoing, 404, 'There is no such file.');
  const shown = known ? name : 'index.html';
  outgoing.writeHead(200, {
    'content-type': TYPES[extname(shown)],
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cache-control': shown.startsWith('assets') ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  createReadStream(join(DIST, shown)).pipe(outgoing);
}

async function ask(state, method, path, sent, key = state.masterKey) {
  const init = { method, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' } };
  if (sent !== undefined) init.body = JSON.stringify(sent);
  const got = await fetch(state.upstream + path, init);
  return got.json();
}

async function body(incoming) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw Object.assign(new Error('The body is no JSON.'), { status: 400 });
  }
}

function json(outgoing, status, value, headers = {}) {
  outgoing.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  outgoing.end(JSON.stringify(value));
}

function refuse(outgoing, status, message) {
  if (outgoing.headersSent) return outgoing.destroy();
  json(outgoing, status, { error: { message, type: 'ui_error', param: null, code: String(status) } });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const weir = await startWeir();
  const ui = await serve({
    upstream: weir.url,
    masterKey: weir.masterKey,
    port: Number(process.env.PORT ?? 4080),
  });
  process.stdout.write(
    `${ui.url}/ui/   any user name, password ${weir.masterKey}   (Weir itself: ${weir.url})\n`,
  );
  process.once('SIGINT', async () => {
    await ui.close();
    await weir.stop();
  });
}
