// Titan as one command: builds it, runs a private Postgres and the two daemons, says when it is ready, and stops all
// of it again. It restarts nothing: a daemon that dies is a fault to be seen. `--dev` adds the dashboard's dev server.

import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { build as buildDashboard, install as installDashboard } from './dashboard.mjs';
import { run, startChild } from './lib/processes.mjs';
import { baseUrl, binary, dashboard, isFree, parseBind, postgres, root, runsProgram, waitUntilReady } from './lib/titan.mjs';

const DEV_PORT = 5173;
const READY_TIMEOUT_MS = 120_000;
// The daemons give running jobs their own grace (TITAN_GRACE, 10 s unless set); this is what they get on top of it.
// After the grace a worker still takes up to this long to hand back what hangs and to say its last words.
const STOP_MARGIN_MS = 20_000;

class Failure extends Error {}

const dev = process.argv.includes('--dev');
const children = [];
let interrupted = null;
let interrupt;
const interruption = new Promise((resolve) => {
  interrupt = resolve;
});

function stopAsked() {
  // A terminal may deliver one Ctrl-C twice, by way of make; a second one is somebody who does not want to wait.
  if (interrupted && Date.now() - interrupted.at > 1_000) for (const child of children) child.kill();
  interrupted ??= { at: Date.now() };
  interrupt();
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stopAsked);
// Whoever reads the output has gone: nobody would see what happens, and nobody could stop it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => interrupted ?? stopAsked());

/** Lets a signal end whatever is being waited for. */
async function unlessInterrupted(promise) {
  const result = await Promise.race([promise, interruption.then(() => 'interrupted')]);
  if (interrupted) throw new Failure('Stopped before it was ready.');
  return result;
}

function loadEnvFile() {
  const file = process.env.TITAN_ENV_FILE ?? path.join(root, '.env');
  // What is set in the environment already wins over the file.
  if (file && existsSync(file)) process.loadEnvFile(file);
}

function settings() {
  const bind = parseBind(process.env.TITAN_BIND || `127.0.0.1:${process.env.PORT || 3000}`);
  const dataDir = path.resolve(root, process.env.TITAN_DATA_DIR || 'data');
  return { bind, dataDir, url: baseUrl(bind), profile: dev || process.env.TITAN_PROFILE === 'dev' ? 'dev' : 'release' };
}

function graceMs() {
  const match = /^(\d+)(ms|s|m)$/.exec(process.env.TITAN_GRACE ?? '');
  const factor = { ms: 1, s: 1_000, m: 60_000 };
  return (match ? Number(match[1]) * factor[match[2]] : 10_000) + STOP_MARGIN_MS;
}

// --- one at a time ---------------------------------------------------------------------------------------------------

/** One start per data directory; what a killed one left running is stopped first. */
async function takeOver(dataDir) {
  const file = path.join(dataDir, 'start.json');
  const before = JSON.parse(await readFile(file, 'utf8').catch(() => 'null'));
  if (before && (await runsProgram(before.pid, 'start.mjs'))) {
    throw new Failure(`Titan is already running on ${dataDir} (process ${before.pid}).`);
  }
  for (const { pid, program } of before?.children ?? []) {
    if (!(await runsProgram(pid, program))) continue;
    console.log(`Stopping ${program} (process ${pid}), which an earlier start left behind`);
    process.kill(pid, 'SIGTERM');
    const deadline = Date.now() + graceMs();
    while (await runsProgram(pid, program)) {
      if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return file;
}

async function checkPort({ host, port }, variable) {
  if (await isFree({ host, port })) return;
  throw new Failure(
    `Port ${port} on ${host} is taken by another program. Stop that one${variable ? `, or choose another port: ${variable}=${host}:${port + 1} make start` : ''}.`,
  );
}

// --- building --------------------------------------------------------------------------------------------------------

async function build(profile) {
  if (dev) {
    await installDashboard();
    console.log('Building titan-api and titan-worker');
    await mkdir(path.join(dashboard, 'dist'), { recursive: true });
    // The selection of `make test`, so that neither builds again what the other has built.
    await run('cargo', ['build', '--locked', '--workspace', '--features', 'titan-api/dashboard'], { cwd: root });
  } else if (profile === 'release') {
    await buildDashboard();
    console.log('Building titan-api and titan-worker (the first time takes some minutes)');
    const packages = ['-p', 'titan-api', '-p', 'titan-worker', '-p', 'titan-sandbox', '-p', 'titan-ops', '--features', 'titan-api/dashboard'];
    await run('cargo', ['build', '--locked', '--release', ...packages], { cwd: root });
  }
  // The stage is what the worker runs commands with, and looks for beside itself.
  for (const name of ['titan-api', 'titan-worker', 'titan-stage']) {
    if (!existsSync(binary(name, profile))) throw new Failure(`${binary(name, profile)} is missing: scripts/test.sh build`);
  }
}

// --- running ---------------------------------------------------------------------------------------------------------

function startDaemon(name, label, command, args, options) {
  const child = startChild(name, command, args, { ...options, onLine: (line) => console.log(`${label} | ${line}`) });
  children.push(child);
  return child;
}

function firstDeath() {
  return Promise.race(children.map(async (child) => ({ child, how: await child.ended })));
}

async function main() {
  loadEnvFile();
  const { bind, dataDir, url, profile } = settings();
  const ownPostgres = process.env.DATABASE_URL ? null : path.join(dataDir, 'postgres');
  await mkdir(dataDir, { recursive: true });
  const stateFile = await takeOver(dataDir);
  await checkPort(bind, 'TITAN_BIND');
  if (dev) await checkPort({ host: '127.0.0.1', port: DEV_PORT });

  const remember = () =>
    writeFile(stateFile, JSON.stringify({ pid: process.pid, children: children.map(({ pid, name }) => ({ pid, program: name })) }));
  await remember();
  let postgresStarted = false;
  try {
    await unlessInterrupted(build(profile));
    const env = { ...process.env };
    if (ownPostgres) {
      postgresStarted = true;
      env.DATABASE_URL = await unlessInterrupted(postgres('ensure', ownPostgres));
    }
    startDaemon('titan-api', 'api   ', binary('titan-api', profile), [], { env, cwd: root });
    startDaemon('titan-worker', 'worker', binary('titan-worker', profile), [], { env, cwd: root });
    if (dev) {
      const vite = [path.join(dashboard, 'node_modules/vite/bin/vite.js'), '--host', '127.0.0.1', '--port', String(DEV_PORT), '--strictPort'];
      startDaemon('vite.js', 'vite  ', process.execPath, vite, { env: { ...env, TITAN_API: url }, cwd: dashboard });
    }
    await remember();

    const death = firstDeath();
    const first = await unlessInterrupted(Promise.race([waitUntilReady(url, { timeoutMs: READY_TIMEOUT_MS }), death]));
    if (first) throw new Failure(`${first.child.name} ${first.how}.`);
    console.log(`Titan is ready: ${dev ? `http://127.0.0.1:${DEV_PORT}` : url}`);
    const end = await Promise.race([death, interruption]);
    if (!interrupted) throw new Failure(`${end.child.name} ${end.how}.`);
  } finally {
    if (children.length || postgresStarted) console.log('Stopping');
    await Promise.all(children.map((child) => child.stop(graceMs())));
    if (postgresStarted) await postgres('stop', ownPostgres).catch((error) => console.error(error.message));
    await rm(stateFile, { force: true });
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(error instanceof Failure ? error.message : `make start failed: ${error.message}`);
  process.exit(interrupted ? 130 : 1);
}
