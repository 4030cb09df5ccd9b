// The supervisors of targets on this machine (`titan-supervise`), found by what they have written down. Each leads a session of its own,
// so that ending the group of whoever had it started does not end it.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { waitFor } from './processes.mjs';
import { runsProgram } from './titan.mjs';

const PROGRAM = 'titan-supervise';
const STATE = 'state.json';

/** Ends those of the targets `FOLDER/ANY/target`, and their daemons: asked first, and the hard way after `graceMs`. */
export async function endSupervisors(folder, graceMs) {
  const targets = (await namesIn(folder)).map((name) => path.join(folder, name, 'target'));
  const sides = await Promise.all(targets.map(async (target) => (await namesIn(target)).map((side) => path.join(target, side, STATE))));
  await Promise.all(sides.flat().map((file) => endOne(file, graceMs)));
}

/** None where there is no such folder. */
async function namesIn(folder) {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  }
}

async function endOne(file, graceMs) {
  const { supervisor } = await stateIn(file);
  // Its number may be somebody else's by now.
  if (!Number.isInteger(supervisor) || supervisor < 2 || !(await runsProgram(supervisor, PROGRAM))) return;
  signal(supervisor, 'SIGTERM');
  try {
    await waitFor(`the end of the supervisor of ${file}`, async () => !(await runsProgram(supervisor, PROGRAM)), { timeoutMs: graceMs });
  } catch (error) {
    console.error(`${error.message}; it is killed`);
    // What it has begun would go on without it.
    const { daemons = [] } = await stateIn(file);
    for (const pid of [supervisor, ...daemons.map((daemon) => daemon.pid)]) if (Number.isInteger(pid) && pid > 1) signal(pid, 'SIGKILL');
  }
}

/** Nothing where there is no such state. */
async function stateIn(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8')) ?? {};
  } catch {
    return {};
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
