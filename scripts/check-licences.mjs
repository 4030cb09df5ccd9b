// Every crate and every npm package must be under a licence that suits an MIT project. Reads the lock files' own
// words (cargo metadata, package-lock.json); it needs nothing installed beyond cargo.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { run } from './lib/processes.mjs';
import { dashboard, forge, root } from './lib/titan.mjs';

const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSL-1.0',
  'CC0-1.0',
  'CDLA-Permissive-2.0',
  'ISC',
  'MIT',
  'MIT-0',
  'MPL-2.0',
  'OFL-1.1',
  'PostgreSQL',
  'Python-2.0',
  'Unicode-3.0',
  'Unlicense',
  'Zlib',
]);

/** Packages that name their licence in a form older than what lock files repeat: `licenses`, a list. Each was looked up. */
const OLDER_FORM = new Map([
  ['npm compute-gcd 1.2.1', 'MIT'],
  ['npm compute-lcm 1.1.2', 'MIT'],
  ['npm validate.io-function 1.0.2', 'MIT'],
  ['npm validate.io-integer 1.0.5', 'MIT'],
  ['npm validate.io-integer-array 1.0.0', 'MIT'],
  ['npm validate.io-number 1.0.3', 'MIT'],
]);

/** Whether an SPDX expression can be met with allowed licences alone. "MIT/Apache-2.0" is the old way to write OR. */
export function isAllowed(expression) {
  const tokens = (expression ?? '').replaceAll('/', ' OR ').match(/\(|\)|[^\s()]+/g) ?? [];
  let at = 0;
  const term = () => {
    if (tokens[at] === '(') {
      at += 1;
      const inner = either();
      if (tokens[at] !== ')') throw new Error(`"${expression}" is no licence expression`);
      at += 1;
      return inner;
    }
    const name = tokens[at];
    if (!name || /^(AND|OR|WITH|\))$/.test(name)) throw new Error(`"${expression}" is no licence expression`);
    at += 1;
    // An exception only ever gives further permission.
    if (tokens[at] === 'WITH') at += 2;
    return ALLOWED.has(name);
  };
  const both = () => {
    let result = term();
    while (tokens[at] === 'AND') {
      at += 1;
      result = term() && result;
    }
    return result;
  };
  const either = () => {
    let result = both();
    while (tokens[at] === 'OR') {
      at += 1;
      result = both() || result;
    }
    return result;
  };
  if (tokens.length === 0) return false;
  const result = either();
  if (at !== tokens.length) throw new Error(`"${expression}" is no licence expression`);
  return result;
}

/** What is wrong with a list of {name, license}, one line each. */
export function findProblems(packages) {
  const lines = [];
  for (const { name, license } of packages) {
    try {
      if (!isAllowed(license)) lines.push(`${name}: ${license ? `"${license}" is not on the list` : 'says no licence'}`);
    } catch (error) {
      lines.push(`${name}: ${error.message}`);
    }
  }
  return lines;
}

/** The packages of a package-lock.json. */
export function npmPackages(lock) {
  return Object.entries(lock.packages)
    .filter(([place]) => place !== '')
    .map(([place, { version, license }]) => ({ name: `npm ${place.replace(/^.*node_modules\//, '')} ${version}`, license }))
    .map(({ name, license }) => ({ name, license: license ?? OLDER_FORM.get(name) }));
}

async function cratePackages() {
  // Crates that only other platforms use are neither built nor shipped, and need not be fetched.
  const options = ['--format-version', '1', '--locked', '--filter-platform', 'x86_64-unknown-linux-gnu'];
  const output = await run('cargo', ['metadata', ...options], { cwd: root, capture: true });
  return JSON.parse(output).packages.map(({ name, version, license }) => ({ name: `crate ${name} ${version}`, license }));
}

async function main() {
  const crates = await cratePackages();
  const locks = await Promise.all([dashboard, forge].map((folder) => readFile(path.join(folder, 'package-lock.json'), 'utf8')));
  const npm = locks.flatMap((lock) => npmPackages(JSON.parse(lock)));
  const problems = findProblems([...crates, ...npm]);
  if (problems.length) throw new Error(problems.join('\n'));
  console.log(`${crates.length} crates and ${npm.length} npm packages are under allowed licences.`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
