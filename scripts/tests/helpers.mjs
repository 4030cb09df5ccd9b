// What the script tests share: folders that are removed afterwards, and commands run to their end.

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';

import { root } from '../lib/titan.mjs';

const folders = path.join(root, 'target/script-tests');
const deferred = new WeakMap();

/** Runs `action` when the test ends, the last one first: what stands on something goes before it. */
export function defer(t, action) {
  if (!deferred.has(t)) {
    const actions = [];
    deferred.set(t, actions);
    t.after(async () => {
      for (const last of actions.reverse()) await last();
    });
  }
  deferred.get(t).push(action);
}

/** A new folder that other users may enter, since Postgres may run as one; removed when the test ends. */
export async function temporaryFolder(t, { mode = 0o755 } = {}) {
  await mkdir(folders, { recursive: true });
  const folder = await mkdtemp(path.join(folders, 'test-'));
  await chmod(folder, mode);
  defer(t, () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a program; never throws for its exit code. */
export function execute(file, args, { env = {}, timeout = 120_000 } = {}) {
  return new Promise((resolve) => {
    const child = execFile(file, args, { cwd: root, env: { ...process.env, ...env }, timeout }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    });
    child.stdin.end();
  });
}

/** A cluster of scripts/postgres.sh in a folder, destroyed when the test ends. */
export function cluster(t, dir, env = {}) {
  const script = path.join(root, 'scripts/postgres.sh');
  const call = (command, ...more) => execute(script, [command, '--dir', dir, ...more], { env });
  defer(t, () => call('destroy'));
  return call;
}

/** What `query` gives, asked with psql at a URL. */
export async function sql(url, query) {
  const { code, stdout, stderr } = await execute('psql', [url, '-v', 'ON_ERROR_STOP=1', '-Atc', query], { env: { PGCONNECT_TIMEOUT: '10' } });
  if (code !== 0) throw new Error(stderr.trim());
  return stdout.trim();
}
