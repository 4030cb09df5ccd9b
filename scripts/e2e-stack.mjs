// A whole Titan for browser tests: a throwaway Postgres, titan-api and titan-worker from target/debug, and for the
// pass "openai" the fake model server that speaks the real wire. Runs a command against it and takes all down again.
//
//   node scripts/e2e-stack.mjs {offline|openai} [--] COMMAND...
//
// The command gets E2E_BASE_URL, E2E_PASS, E2E_SCREENSHOTS, E2E_OPS_TOKEN and E2E_STATE: a JSON file with the processes and the
// address of a control server, by which a test can hurt the stack. Each answers when it is done, with the state:
//
//   GET  /state                  the processes, their pids and logs
//   POST /kill/NAME              kill -9; NAME is api, worker, worker-ANYTHING, or model
//   POST /stop/NAME              SIGTERM, and wait
//   POST /start/NAME             start it, and wait until it works; body {"env": {...}} changes its environment
//   POST /restart/postgres       stop Postgres and start it again
//   POST /end/supervisors        end those of targets in ANY/target beside the state file

import { lookup } from 'node:dns/promises';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';

import { Hopeless, run, startChild, waitFor } from './lib/processes.mjs';
import { endSupervisors } from './lib/supervisors.mjs';
import { baseUrl, binary, freePort, postgres, root, runsProgram } from './lib/titan.mjs';

const GRACE_MS = 15_000;
const NAME = /^(api|model|worker(-[a-z0-9]+)?)$/;
// Shorter than what ships, so that a test of a rescue takes seconds.
const TIMES = { TITAN_LEASE: '5s', TITAN_GRACE: '5s' };

/** What the fake model server takes; a test may start a worker with another one. */
const MODEL_KEY = 'e2e-no-secret';

/** By which a test proposes changes to Titan's own code. */
const OPS_TOKEN = 'e2e-no-secret-either';

const [pass, ...rest] = process.argv.slice(2);
const command = rest[0] === '--' ? rest.slice(1) : rest;
if (!['offline', 'openai'].includes(pass) || command.length === 0) {
  console.error('usage: node scripts/e2e-stack.mjs {offline|openai} [--] COMMAND...');
  process.exit(2);
}

const logs = path.join(root, 'target/e2e-logs', pass);
const cluster = path.join(root, 'target/e2e-postgres', pass);
const screenshots = path.join(root, 'target/e2e-screenshots', pass);
const stateFile = path.join(logs, 'state.json');

const children = new Map();
const addresses = {};
let environment;
let control;

async function answers(url, status = 200) {
  return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).status === status;
}

async function workers() {
  const response = await fetch(`${addresses.api}/api/worker/health`, { signal: AbortSignal.timeout(5_000) });
  return (await response.json()).workers;
}

/** What each kind of process is started with, and how one can tell that it works. */
const kinds = {
  api: () => ({
    program: 'titan-api',
    args: [],
    env: { TITAN_BIND: addresses.apiBind, OPS_TOKEN },
    works: () => answers(`${addresses.api}/readyz`),
  }),
  worker: (name) => ({
    program: 'titan-worker',
    args: [],
    env: { TITAN_WORKER_NAME: name },
    works: async ({ pid }) => {
      // A test may start a worker while the API is down; then living is all that can be known.
      if (!children.get('api')?.running) return true;
      return (await workers()).some((worker) => worker.pid === pid && worker.status === 'running');
    },
  }),
  model: () => ({
    program: 'fake-model',
    args: ['--bind', `127.0.0.1:${addresses.modelPort}`, '--key', MODEL_KEY],
    env: {},
    // It asks for the key, so it works.
    works: () => answers(`${addresses.model}/v1/models`, 401),
  }),
};

async function start(name, extra = {}) {
  if (children.get(name)?.running) throw new Error(`${name} is running already`);
  const { program, args, env, works } = kinds[name.split('-')[0]](name);
  const log = createWriteStream(path.join(logs, `${name}.log`), { flags: 'a' });
  const child = startChild(name, binary(program, 'dev'), args, {
    env: { ...environment, ...env, ...extra },
    cwd: root,
    onLine: (line) => log.write(`${line}\n`),
  });
  child.command = [program, ...args];
  children.set(name, child);
  child.ended.then((how) => {
    log.end(`--- ${program} ${how}\n`);
    if (!child.stopping) console.error(`e2e: ${name} ${how}; its log is ${path.join(logs, `${name}.log`)}`);
  });
  await waitFor(`a working ${name}`, () => {
    if (!child.running) throw new Hopeless(`${name} ended at once`);
    return works(child);
  });
  await saveState();
}

function state() {
  const processes = {};
  for (const [name, child] of children) {
    processes[name] = { pid: child.pid, running: child.running, command: child.command, log: path.join(logs, `${name}.log`) };
  }
  return { pass, base_url: addresses.api, control_url: addresses.control, model_url: addresses.model ?? null, database_url: environment.DATABASE_URL, processes };
}

async function saveState() {
  await writeFile(stateFile, JSON.stringify(state(), null, 2), { mode: 0o600 });
}

function known(name) {
  const child = children.get(name);
  if (!child?.running) throw new Error(`${name} is not running`);
  return child;
}

const actions = {
  kill: (name) => known(name).kill(),
  stop: (name) => known(name).stop(GRACE_MS),
  start: (name, { env } = {}) => start(name, env),
};

async function act(method, url, body) {
  if (method === 'GET' && url === '/state') return;
  if (method === 'POST' && url === '/restart/postgres') {
    await postgres('restart', cluster);
    return;
  }
  if (method === 'POST' && url === '/end/supervisors') {
    await endSupervisors(logs, GRACE_MS);
    return;
  }
  const [, verb, name] = /^\/([a-z]+)\/([a-z0-9-]+)$/.exec(url) ?? [];
  if (method !== 'POST' || !Object.hasOwn(actions, verb) || !NAME.test(name)) throw new Error(`no such control: ${method} ${url}`);
  await actions[verb](name, body ? JSON.parse(body) : {});
}

function startControl() {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    let status = 200;
    let answer;
    try {
      await act(request.method, request.url, body);
      await saveState();
      answer = state();
    } catch (error) {
      status = 400;
      answer = { error: error.message };
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** Two on one folder would take the database from under each other. */
async function takeTurn() {
  const file = path.join(root, 'target/e2e-logs', `${pass}.pid`);
  const before = Number(await readFile(file, 'utf8').catch(() => '0'));
  if (before && before !== process.pid && (await runsProgram(before, 'e2e-stack.mjs'))) {
    throw new Error(`another stack for the pass ${pass} is running (process ${before})`);
  }
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, String(process.pid));
}

/** A registry of packages may be a mirror in the own network, which a sandbox reaches only when its addresses are named. */
async function registryAddresses() {
  try {
    const registry = await run('npm', ['config', 'get', 'registry'], { capture: true });
    const found = await lookup(new URL(registry.trim()).hostname, { all: true, family: 4 });
    return found.map(({ address }) => `${address}/32`).join(',');
  } catch (error) {
    console.error(`e2e: no address of a registry of packages is known: ${error.message}`);
    return '';
  }
}

async function up() {
  // Of a stack that was killed.
  await endSupervisors(logs, GRACE_MS);
  await rm(logs, { recursive: true, force: true });
  await mkdir(logs, { recursive: true });
  await mkdir(screenshots, { recursive: true });
  await postgres('destroy', cluster);
  addresses.apiBind = `127.0.0.1:${await freePort()}`;
  addresses.api = `http://${addresses.apiBind}`;
  environment = { PATH: process.env.PATH, HOME: process.env.HOME, RUST_BACKTRACE: '0', TITAN_DATA_DIR: path.join(logs, 'data'), ...TIMES };
  environment.TITAN_EGRESS_INNER = await registryAddresses();
  environment.DATABASE_URL = await postgres('ensure', cluster, '--throwaway');
  control = await startControl();
  addresses.control = `http://127.0.0.1:${control.address().port}`;
  if (pass === 'openai') {
    addresses.modelPort = await freePort();
    addresses.model = baseUrl({ host: '127.0.0.1', port: addresses.modelPort });
    environment.OPENAI_BASE_URL = `${addresses.model}/v1`;
    environment.OPENAI_API_KEY = MODEL_KEY;
    // The fake model knows no facts.
    environment.TITAN_MEMORY = 'record';
    await start('model');
  }
  await start('api');
  await start('worker');
}

async function down() {
  control?.closeAllConnections();
  control?.close();
  try {
    // The workers first: they would begin a target anew.
    await Promise.all([...children.values()].map((child) => child.stop(GRACE_MS)));
    await endSupervisors(logs, GRACE_MS);
  } finally {
    await postgres('destroy', cluster);
  }
}

let tests = null;
let code = 1;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (tests) tests.stop(GRACE_MS);
    else process.exitCode = 130;
  });
}
try {
  await takeTurn();
} catch (error) {
  console.error(`e2e: ${error.message}`);
  process.exit(1);
}
try {
  await up();
  tests = startChild('tests', command[0], command.slice(1), {
    cwd: path.join(root, 'crates/titan-api/dashboard'),
    env: {
      ...process.env,
      E2E_BASE_URL: addresses.api,
      E2E_PASS: pass,
      E2E_SCREENSHOTS: screenshots,
      E2E_OPS_TOKEN: OPS_TOKEN,
      E2E_STATE: stateFile,
    },
    onLine: (line) => console.log(line),
  });
  const how = await tests.ended;
  code = tests.code ?? 1;
  if (code !== 0) console.error(`e2e: the ${pass} tests failed (${how}); the logs of the daemons are in ${logs}`);
} catch (error) {
  console.error(`e2e: ${error.message}; the logs are in ${logs}`);
} finally {
  await down();
}
process.exit(code);
