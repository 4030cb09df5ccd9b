// Makes swagger.json of a whole swagger document of Forgejo, which its crate `forgejo-api` carries: `node forgejo/cut.mjs FILE`.
// Its head says under which licence it may be kept here (MIT). Stricter than the original: no object has a field that is not named.

import { readFileSync, writeFileSync } from 'node:fs';

import { trim } from '../lib/trim.mjs';
import { KEYS } from './routes.mjs';

const [file] = process.argv.slice(2);
if (!file) {
  console.error('usage: node forgejo/cut.mjs swagger.v1.json');
  process.exit(2);
}
const cut = trim(JSON.parse(readFileSync(file, 'utf8')), KEYS);
for (const schema of Object.values(cut.definitions)) if (schema.properties) schema.additionalProperties ??= false;
writeFileSync(new URL('./swagger.json', import.meta.url), `${JSON.stringify(cut, keep, 1)}\n`);

/** Without what is for Go, and with `uri` for `url`, which validators take for addresses of the public network. */
function keep(key, value) {
  if (key.startsWith('x-go-')) return undefined;
  return key === 'format' && value === 'url' ? 'uri' : value;
}
