// Writes a .gz and a .br file beside each text file of dist, so that the server compresses nothing while it serves.
// index.html stays alone: the server writes a nonce into it for each request.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist', import.meta.url).pathname;
const text = /\.(js|css|svg|json|txt|map)$/;
let written = 0;

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !text.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const raw = readFileSync(path);
  const brotli = {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
  };
  for (const [suffix, packed] of [
    ['gz', gzipSync(raw, { level: 9 })],
    ['br', brotliCompressSync(raw, brotli)],
  ]) {
    if (packed.length < raw.length) {
      writeFileSync(`${path}.${suffix}`, packed);
      written += 1;
    }
  }
}
console.log(`precompressed: ${written} files`);
