// The UI of `dist` before a Weir that was built with another one, or with none: whatever is no file of the UI goes on to
// that Weir, whose sign-on is the real one. Also what stands in for a proxy that says who is there.
//
//   npm run build && npm run dev      http://127.0.0.1:4080/ui/, password: the master key that is printed
import { createReadStream, existsSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startWeir } from './weir.mjs';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** `headers` are added to every request; without `files` all of it is asked of Weir. */
export async function serve({ upstream, port = 0, files = true, headers = {} }) {
  const server = createServer((incoming, outgoing) => {
    const path = new URL(incoming.url, 'http://localhost').pathname;
    pass(upstream, headers, incoming, outgoing, files ? own(path) : undefined);
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

/** Weir's own answers below /ui/: the session, and what goes with it. */
const ANSWERS = /^\/ui\/(options|session|sessions|invitation|entries)$/;

/** The file of `dist` for a path; every page is index.html. */
function own(path) {
  if (!path.startsWith('/ui/') || ANSWERS.test(path)) return undefined;
  const name = normalize(path.slice('/ui/'.length));
  const known = !name.startsWith('..') && extname(name) in TYPES && existsSync(join(DIST, name));
  return known || name.startsWith('assets') ? name : 'index.html';
}

/** Weir is asked for files, too: its policy comes with them, and a cookie where a proxy says who is there. */
function pass(upstream, more, incoming, outgoing, name) {
  const headers = { ...incoming.headers, ...more };
  const sent = request(new URL(incoming.url, upstream), { method: incoming.method, headers });
  sent.on('response', (got) => {
    if (name !== undefined && shows(got, name)) return file(name, got, outgoing);
    outgoing.writeHead(got.statusCode, got.rawHeaders);
    got.pipe(outgoing);
  });
  sent.on('error', (error) => {
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(502).end(JSON.stringify({ error: { message: error.message } }));
  });
  outgoing.on('close', () => sent.destroy());
  incoming.pipe(sent);
}

/** A refusal of Weir's stays one; that it has not this file is no refusal. */
const shows = (got, name) =>
  (got.statusCode === 200 || name.startsWith('assets')) && existsSync(join(DIST, name));

const OF_FILES = ['content-length', 'content-encoding', 'content-type', 'transfer-encoding'];

function file(name, got, outgoing) {
  got.resume();
  const kept = Object.entries(got.headers).filter(([header]) => !OF_FILES.includes(header));
  outgoing.writeHead(200, { ...Object.fromEntries(kept), 'content-type': TYPES[extname(name)] });
  createReadStream(join(DIST, name)).pipe(outgoing);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const weir = await startWeir();
  const ui = await serve({ upstream: weir.url, port: Number(process.env.PORT ?? 4080) });
  process.stdout.write(
    `${ui.url}/ui/   any user name, password ${weir.masterKey}   (Weir itself: ${weir.url})\n`,
  );
  process.once('SIGINT', async () => {
    await ui.close();
    await weir.stop();
  });
}
