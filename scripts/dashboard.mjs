// Installs the dashboard's packages and builds it, each only when something changed since the last time.
// `node scripts/dashboard.mjs [install|build]`; build is the default and includes install.

import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { run } from './lib/processes.mjs';
import { dashboard, root } from './lib/titan.mjs';

const stampFile = path.join(root, 'target/dashboard.stamp');
const NOT_SOURCES = new Set(['node_modules', 'dist', 'e2e', 'coverage']);

/** What a JSON file holds; null when it is not there. */
export async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Whether what npm installed is what the lock file asks for. */
export function isInstalled(lock, installed) {
  if (!lock || !installed) return false;
  const wanted = Object.entries(lock.packages).filter(([name]) => name !== '');
  return (
    // Optional packages are for other platforms and may be absent.
    wanted.every(([name, entry]) => (entry.optional && !installed.packages[name]) || installed.packages[name]?.version === entry.version) &&
    Object.keys(installed.packages).every((name) => name in lock.packages)
  );
}

async function hashFolder(hash, folder, relative = '') {
  const entries = await readdir(path.join(folder, relative), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = path.join(relative, entry.name);
    if (NOT_SOURCES.has(name)) continue;
    if (entry.isDirectory()) await hashFolder(hash, folder, name);
    else if (entry.isFile()) hash.update(`${name}\0`).update(await readFile(path.join(folder, name))).update('\0');
  }
}

/** One hash over all that the build reads. */
export async function sourceHash(folder) {
  const hash = createHash('sha256');
  await hashFolder(hash, folder);
  return hash.digest('hex');
}

export async function install() {
  const lock = await readJson(path.join(dashboard, 'package-lock.json'));
  const installed = await readJson(path.join(dashboard, 'node_modules/.package-lock.json'));
  if (isInstalled(lock, installed)) return;
  console.log("Installing the dashboard's packages");
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: dashboard });
}

export async function build() {
  const hash = await sourceHash(dashboard);
  const built = await readFile(path.join(dashboard, 'dist/index.html')).catch(() => null);
  const stamp = await readFile(stampFile, 'utf8').catch(() => '');
  if (built && stamp === hash) return;
  await install();
  console.log('Building the dashboard');
  await run('npm', ['run', '--silent', 'build'], { cwd: dashboard });
  await mkdir(path.dirname(stampFile), { recursive: true });
  await writeFile(stampFile, hash);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const command = process.argv[2] ?? 'build';
  const commands = { install, build };
  if (!(command in commands)) {
    console.error(`unknown command "${command}": install or build`);
    process.exit(2);
  }
  await commands[command]().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
