// Fails the build when the first page would load more JavaScript than it may, or when a page holds an inline script.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 350_000;
const FIRST = ['index.html', 'src/pages/home/Home.tsx'];

const dist = new URL('./dist/', import.meta.url);
const read = (file) => readFileSync(new URL(file, dist));
const manifest = JSON.parse(read('.vite/manifest.json'));

// What these entries import, and what that imports. Of what is loaded later only the charts: the first page draws one.
function files(names, seen = new Set()) {
  for (const name of names) {
    const chunk = manifest[name];
    if (chunk === undefined) throw new Error(`the build has no chunk for ${name}`);
    if (seen.has(name)) continue;
    seen.add(name);
    files(chunk.imports ?? [], seen);
    if (name !== 'index.html') files(chunk.dynamicImports ?? [], seen);
  }
  return [...seen].map((name) => manifest[name].file);
}

const zipped = (file) => gzipSync(read(file), { level: 9 }).length;
const all = Object.values(manifest).filter((chunk) => chunk.file.endsWith('.js'));
const first = files(FIRST).reduce((sum, file) => sum + zipped(file), 0);
const total = all.reduce((sum, chunk) => sum + zipped(chunk.file), 0);
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

process.stdout.write(
  `JavaScript, gzipped: first page ${kilobytes(first)} of ${kilobytes(LIMIT)}, all pages ${kilobytes(total)}\n`,
);
if (first > LIMIT) throw new Error(`the first page loads ${kilobytes(first)}, more than ${kilobytes(LIMIT)}`);
if (/<script(?![^>]*\ssrc=)[^>]*>/.test(read('index.html').toString())) {
  throw new Error('index.html holds an inline script, which the content security policy forbids');
}
