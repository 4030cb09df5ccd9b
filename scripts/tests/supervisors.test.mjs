// Supervisors that were left behind are ended by what they have written down, and nobody else is.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { endSupervisors } from '../lib/supervisors.mjs';
import { temporaryFolder } from './helpers.mjs';

/** A process that is called so, once it says that it lives. */
async function begun(t, folder, name, script) {
  const program = path.join(folder, name);
  await writeFile(program, `#!/bin/bash\n${script}\necho ready\nwhile :; do sleep 0.05; done\n`);
  await chmod(program, 0o755);
  const child = spawn(program, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

async function written(folder, name, state) {
  const target = path.join(folder, name, 'target/production');
  await mkdir(target, { recursive: true });
  await writeFile(path.join(target, 'state.json'), typeof state === 'string' ? state : JSON.stringify(state));
}

const how = async (child) => child.signalCode ?? (await once(child, 'exit'))[1];

test('all supervisors below a folder are asked to end, and who bears another name is not', async (t) => {
  const folder = await temporaryFolder(t);
  const ours = await begun(t, folder, 'titan-supervise', '');
  const other = await begun(t, folder, 'somebody-else', '');
  await written(folder, 'a', { supervisor: ours.pid });
  await written(folder, 'b', { supervisor: other.pid });
  await written(folder, 'c', { supervisor: null });
  await written(folder, 'd', 'no JSON');
  const ended = how(ours);
  await endSupervisors(folder, 5_000);
  assert.equal(await ended, 'SIGTERM');
  assert.equal(other.exitCode ?? other.signalCode, null);
});

test('one that does not end is killed with its daemons', async (t) => {
  const folder = await temporaryFolder(t);
  const ours = await begun(t, folder, 'titan-supervise', "trap '' TERM");
  const daemon = await begun(t, folder, 'titan-api', '');
  await written(folder, 'a', { supervisor: ours.pid, daemons: [{ pid: daemon.pid }, { pid: null }] });
  const ended = Promise.all([how(ours), how(daemon)]);
  await endSupervisors(folder, 300);
  assert.deepEqual(await ended, ['SIGKILL', 'SIGKILL']);
});

test('where there is no folder there is nobody', () => endSupervisors('/nowhere/at/all', 100));
