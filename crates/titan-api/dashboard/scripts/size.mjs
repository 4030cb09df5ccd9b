// Sums what a first visit of a project's Progress tab loads: the entry, the chunks of that route and all their static
// imports, read from Vite's manifest and counted as gzip. Fails above the budget; --report only prints.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const BUDGET_KB = 250;
const TARGET_KB = 220;
const ROUTE_BUDGET_KB = 120;
const CSS_BUDGET_KB = 40;
const FIRST_LOAD = ['index.html', 'src/pages/project/ProjectPage.tsx', 'src/pages/progress/ProgressPage.tsx'];

const dist = new URL('../dist', import.meta.url).pathname;
const manifestPath = join(dist, '.vite/manifest.json');
if (!existsSync(manifestPath)) {
  console.error('size: dist/.vite/manifest.json is missing; run `npm run build` first');
  process.exit(1);
}
const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));

function staticChunks(keys) {
  const seen = new Set();
  const queue = [...keys];
  while (queue.length > 0) {
    const key = queue.pop();
    if (seen.has(key)) continue;
    const chunk = manifest[key];
    if (!chunk) throw new Error(`size: ${key} is not in the manifest`);
    seen.add(key);
    queue.push(...(chunk.imports ?? []));
  }
  return seen;
}

const gzipKb = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1024;
const sum = (values) => [...values].reduce((total, value) => total + value, 0);

const first = staticChunks(FIRST_LOAD);
const scripts = new Map([...first].map((key) => [manifest[key].file, gzipKb(manifest[key].file)]));
// The SharedWorker and the script of the colour scheme are fetched too, though nothing imports them.
const besides = [...first].flatMap((key) => manifest[key].assets ?? []).filter((file) => file.endsWith('.js'));
for (const file of [...besides, 'theme.js']) scripts.set(file, gzipKb(file));
const styles = new Set([...first].flatMap((key) => manifest[key].css ?? []));
const scriptKb = sum(scripts.values());
const cssKb = sum([...styles].map(gzipKb));

for (const [file, kb] of [...scripts].sort((a, b) => b[1] - a[1]))
  console.log(`${kb.toFixed(1).padStart(8)} KB  ${file}`);
console.log(
  `${scriptKb.toFixed(1).padStart(8)} KB  JavaScript of the first load (target ${TARGET_KB}, limit ${BUDGET_KB})`,
);
console.log(`${cssKb.toFixed(1).padStart(8)} KB  CSS of the first load (limit ${CSS_BUDGET_KB})`);

const problems = [];
if (scriptKb > BUDGET_KB) problems.push(`first load is ${scriptKb.toFixed(1)} KB, the limit is ${BUDGET_KB} KB`);
if (cssKb > CSS_BUDGET_KB) problems.push(`first CSS is ${cssKb.toFixed(1)} KB, the limit is ${CSS_BUDGET_KB} KB`);
for (const [key, chunk] of Object.entries(manifest)) {
  if (!chunk.isDynamicEntry) continue;
  const own = [...staticChunks([key])].filter((part) => !first.has(part));
  const kb = sum(own.map((part) => gzipKb(manifest[part].file)));
  console.log(`${kb.toFixed(1).padStart(8)} KB  lazy ${key}`);
  if (kb > ROUTE_BUDGET_KB) problems.push(`lazy ${key} is ${kb.toFixed(1)} KB, the limit is ${ROUTE_BUDGET_KB} KB`);
}
if (scriptKb > TARGET_KB && scriptKb <= BUDGET_KB) console.log(`size: above the target of ${TARGET_KB} KB`);
for (const problem of problems) console.error(`size: ${problem}`);
if (problems.length > 0 && !process.argv.includes('--report')) process.exit(1);
