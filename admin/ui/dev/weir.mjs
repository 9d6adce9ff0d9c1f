// Starts a real Weir for the development server and for the browser tests: its own port, its own data, no provider.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const START_SECONDS = 30;

export async function startWeir({ config = join(ROOT, 'examples/quickstart.yaml'), env = {}, port } = {}) {
  const binary = process.env.WEIR_BIN ?? join(ROOT, 'target/debug/weir');
  const data = await mkdtemp(join(tmpdir(), 'weir-ui-'));
  const on = String(port ?? (await freePort()));
  const masterKey = 'sk-dev-master-key-of-the-ui';
  const child = spawn(binary, ['serve', '--config', config, '--host', '127.0.0.1', '--port', on], {
    env: { PATH: process.env.PATH, WEIR_DATA_DIR: data, LITELLM_MASTER_KEY: masterKey, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Whoever started it may end without stopping it.
  process.once('exit', () => child.kill('SIGKILL'));
  const said = [];
  const listen = (chunk) => said.splice(0, Math.max(0, said.push(String(chunk)) - 200));
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve); // no such file, and the like: no exit follows
  });
  const url = `http://127.0.0.1:${on}`;
  await ready(url, ended).catch((error) => {
    child.kill('SIGKILL');
    throw new Error(`${binary} did not start: ${error.message}\n${said.join('')}`);
  });
  return {
    url,
    masterKey,
    log: () => said.join(''),
    async stop() {
      child.kill('SIGINT');
      const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(patience);
      await rm(data, { recursive: true, force: true });
    },
  };
}

async function ready(url, ended) {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (let tries = 0; tries < START_SECONDS * 10; tries++) {
    if (over) throw new Error('it ended at once');
    const answer = await fetch(`${url}/health/readiness`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it was not ready after ${START_SECONDS} seconds`);
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
