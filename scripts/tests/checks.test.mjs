// The small checks over licences, variables and installed packages: that they see what they are for.

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { configVariables, exampleVariables, findProblems as findEnvProblems } from '../check-env.mjs';
import { findProblems, isAllowed, npmPackages } from '../check-licences.mjs';
import { isInstalled, sourceHash } from '../dashboard.mjs';
import { baseUrl, parseBind, root } from '../lib/titan.mjs';
import { execute, temporaryFolder } from './helpers.mjs';

test('licence expressions are understood', () => {
  for (const good of ['MIT', 'MIT OR GPL-3.0-only', 'MIT/Apache-2.0', '(GPL-2.0 OR MIT) AND ISC', 'Apache-2.0 WITH LLVM-exception OR GPL-2.0']) {
    assert.equal(isAllowed(good), true, good);
  }
  for (const bad of ['GPL-3.0-only', 'MIT AND GPL-3.0-only', 'AGPL-3.0 OR GPL-2.0', '(MIT OR ISC) AND SSPL-1.0', '', undefined]) {
    assert.equal(isAllowed(bad), false, String(bad));
  }
  for (const broken of ['MIT OR', '(MIT', 'MIT ISC', 'AND MIT']) assert.throws(() => isAllowed(broken), /no licence expression/, broken);
});

test('a package with a wrong licence, or none, is named', () => {
  assert.deepEqual(findProblems([{ name: 'crate a 1', license: 'MIT' }, { name: 'crate b 2', license: 'GPL-3.0' }, { name: 'npm c 3' }]), [
    'crate b 2: "GPL-3.0" is not on the list',
    'npm c 3: says no licence',
  ]);
});

test('the packages of a lock file are listed by name, nested ones too', () => {
  const packages = { '': { license: 'MIT' }, 'node_modules/a': { version: '1.0.0', license: 'ISC' }, 'node_modules/a/node_modules/@b/c': { version: '2.0.0' } };
  assert.deepEqual(npmPackages({ packages }), [
    { name: 'npm a 1.0.0', license: 'ISC' },
    { name: 'npm @b/c 2.0.0', license: undefined },
  ]);
});

test('a licence in the older form counts for the version that was looked up, and for no other', () => {
  const licence = (version) => npmPackages({ packages: { 'node_modules/compute-gcd': { version } } })[0].license;
  assert.deepEqual([licence('1.2.1'), licence('1.2.2')], ['MIT', undefined]);
});

test('variables are compared in both directions', () => {
  const config = configVariables('//! | variable | meaning |\n//! |---|---|\n//! | `A_URL` | x |\n//! | `B` | y |\n');
  assert.deepEqual(config, ['A_URL', 'B']);
  const example = exampleVariables('# words\n#A_URL=x\nC=\n#C=2\n');
  assert.deepEqual(findEnvProblems(config, example), [
    'B is missing in .env.example',
    'C stands in .env.example, but the configuration does not know it',
    'C stands in .env.example, but the configuration does not know it',
    'C stands twice in .env.example',
  ]);
  assert.match(findEnvProblems([], [])[0], /lists no variables/);
});

test('installed packages are compared with the lock file', () => {
  const lock = { packages: { '': {}, 'node_modules/a': { version: '1' }, 'node_modules/mac': { version: '1', optional: true } } };
  assert.equal(isInstalled(lock, { packages: { 'node_modules/a': { version: '1' } } }), true);
  assert.equal(isInstalled(lock, { packages: { 'node_modules/a': { version: '2' } } }), false);
  assert.equal(isInstalled(lock, { packages: { 'node_modules/a': { version: '1' }, 'node_modules/old': { version: '1' } } }), false);
  assert.equal(isInstalled(lock, { packages: {} }), false);
  assert.equal(isInstalled(lock, null), false);
});

test('the source hash sees contents and names, and not what is built', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(path.join(folder, 'src'));
  await mkdir(path.join(folder, 'dist'));
  await writeFile(path.join(folder, 'src/a.ts'), '1');
  const first = await sourceHash(folder);
  await writeFile(path.join(folder, 'dist/out.js'), 'built');
  assert.equal(await sourceHash(folder), first);
  await writeFile(path.join(folder, 'src/a.ts'), '2');
  const second = await sourceHash(folder);
  assert.notEqual(second, first);
  await writeFile(path.join(folder, 'src/b.ts'), '');
  assert.notEqual(await sourceHash(folder), second);
});

test('addresses are read and shown', () => {
  assert.deepEqual(parseBind('[::1]:8080'), { host: '::1', port: 8080 });
  assert.equal(baseUrl(parseBind('0.0.0.0:3000')), 'http://127.0.0.1:3000');
  assert.equal(baseUrl(parseBind('[::1]:3000')), 'http://[::1]:3000');
  for (const bad of ['3000', 'localhost', 'localhost:x', 'a:99999']) assert.throws(() => parseBind(bad), /TITAN_BIND/, bad);
});

test('make help explains every target', async () => {
  const makefile = await readFile(path.join(root, 'Makefile'), 'utf8');
  const targets = /^\.PHONY: (.*)$/m.exec(makefile)[1].split(' ');
  const { stdout } = await execute('make', ['--no-print-directory', 'help']);
  assert.deepEqual([...stdout.matchAll(/^ {2}make (\S+) +\S/gm)].map((match) => match[1]).sort(), targets.sort());
});
