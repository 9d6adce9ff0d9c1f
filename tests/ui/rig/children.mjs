// What stands beside the gateway: a database of its own on the PostgreSQL of the run, and the mock providers.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SERVER = process.env.WEIR_TEST_POSTGRES_URL;

export const hasPostgres = () => Boolean(SERVER);

async function sql(text) {
  await run('psql', ['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1', '--command', text, SERVER]);
}

export async function database() {
  const name = `weir_ui_${randomBytes(6).toString('hex')}`;
  await sql(`CREATE DATABASE ${name}`);
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => sql(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** Every provider's API; words in a message say what comes: `__tool`, `__err=429`. */
export async function mockProviders() {
  const program = process.env.WEIR_BENCH_BIN ?? fileURLToPath(new URL('../../../target/debug/weir-bench', import.meta.url));
  const child = spawn(program, ['mock', '--dialect', 'all'], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return {
    url: /http:\/\/\S+?(?=\/?\s|\/?$)/.exec(line)[0],
    stop() {
      child.kill('SIGTERM');
      return child.exitCode === null ? once(child, 'exit') : undefined;
    },
  };
}
