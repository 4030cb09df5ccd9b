// Installs the packages of the tests' forge when its lock file has changed, and makes ready what each of its starts would have to
// make: `node scripts/forge.mjs install`.

import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { isInstalled, readJson } from './dashboard.mjs';
import { run } from './lib/processes.mjs';
import { forge } from './lib/titan.mjs';

const DOCUMENTS = path.join(forge, 'node_modules/@octokit/openapi/generated');
const DOCUMENT = 'api.github.com.json';

export async function install() {
  const lock = await readJson(path.join(forge, 'package-lock.json'));
  const installed = await readJson(path.join(forge, 'node_modules/.package-lock.json'));
  if (!isInstalled(lock, installed)) {
    console.log("Installing the packages of the tests' forge");
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: forge });
    await removeOthers();
  }
  await run('node', ['main.mjs', '--prepare'], { cwd: forge });
}

/** The package holds a document for each GitHub that people run themselves, 400 MB of them; one is read. */
async function removeOthers() {
  for (const name of await readdir(DOCUMENTS)) if (name !== DOCUMENT) await rm(path.join(DOCUMENTS, name));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const command = process.argv[2] ?? 'install';
  if (command !== 'install') {
    console.error(`unknown command "${command}": install`);
    process.exit(2);
  }
  await install().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
