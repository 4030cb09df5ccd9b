// What the script tests share: folders that are removed afterwards, and commands run to their end.

import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { root } from '../lib/titan.mjs';

/** A new folder that other users may enter, since Postgres may run as one; removed when the test ends. */
export async function temporaryFolder(t, { mode = 0o755 } = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'titan-test-'));
  await chmod(folder, mode);
  t.after(() => rm(folder, { recursive: true, force: true }));
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
  t.after(() => call('destroy'));
  return call;
}

/** What `query` gives, asked with psql at a URL. */
export async function sql(url, query) {
  const { code, stdout, stderr } = await execute('psql', [url, '-v', 'ON_ERROR_STOP=1', '-Atc', query], { env: { PGCONNECT_TIMEOUT: '10' } });
  if (code !== 0) throw new Error(stderr.trim());
  return stdout.trim();
}
