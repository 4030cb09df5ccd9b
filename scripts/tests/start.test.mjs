// `make start` from outside: comes up, does a task, stops everything, keeps the data, and says what is wrong.
// Uses the debug binaries; the test run builds them first.

import assert from 'node:assert/strict';
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { Hopeless, startChild, waitFor } from '../lib/processes.mjs';
import { freePort, root, runsProgram } from '../lib/titan.mjs';
import { cluster, defer, execute, sql, temporaryFolder } from './helpers.mjs';

const READY = /^Titan is ready: (http:\/\/127\.0\.0\.1:\d+)$/;

/** A start in a data folder of its own, untouched by the developer's variables. */
async function begin(t, dataDir, env = {}) {
  const port = env.TITAN_BIND ? null : await freePort();
  const { DATABASE_URL: _, ...inherited } = process.env;
  const lines = [];
  const child = startChild('start', path.join(root, 'scripts/start.sh'), [], {
    cwd: root,
    env: { ...inherited, TITAN_PROFILE: 'dev', TITAN_ENV_FILE: '', TITAN_BIND: `127.0.0.1:${port}`, TITAN_DATA_DIR: dataDir, TITAN_GRACE: '2s', ...env },
    onLine: (line) => lines.push(line),
  });
  defer(t, () => child.stop(60_000));
  return { child, lines, port, text: () => lines.join('\n') };
}

async function ready(start) {
  await waitFor(
    'the ready line',
    () => {
      if (!start.child.running) throw new Hopeless(`it ended:\n${start.text()}`);
      return start.lines.some((line) => READY.test(line));
    },
    { timeoutMs: 90_000 },
  );
  return READY.exec(start.lines.find((line) => READY.test(line)))[1];
}

async function ended(start) {
  await start.child.ended;
  return start.child.code;
}

async function call(url, method, body) {
  const response = await fetch(url, {
    method,
    headers: body ? { 'content-type': 'application/json' } : {},
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  assert.ok(response.ok, `${method} ${url}: ${response.status} ${await response.clone().text()}`);
  return response.json();
}

async function daemons(dataDir) {
  return JSON.parse(await readFile(path.join(dataDir, 'start.json'), 'utf8')).children;
}

test('it answers a chat task, stops all it started, and has the data the next time', async (t) => {
  const dataDir = path.join(await temporaryFolder(t), 'data');
  const postgres = cluster(t, path.join(dataDir, 'postgres'));
  const first = await begin(t, dataDir);
  const url = await ready(first);
  assert.equal(url, `http://127.0.0.1:${first.port}`);
  const project = await call(`${url}/api/projects`, 'POST', { name: 'My Web App', type: 'web-app', spec: { description: 'A shop' } });
  const task = await call(`${url}/api/projects/${project.id}/tasks`, 'POST', { type: 'chat', payload: { content: 'hello' } });
  const done = await waitFor('the end of the task', async () => {
    const now = await call(`${url}/api/tasks/${task.id}`, 'GET');
    return ['completed', 'failed'].includes(now.status) && now;
  });
  assert.equal(done.execution_status, 'completed');
  assert.match(await (await fetch(`${url}/`)).text(), /<title>/i, 'the dashboard is served');

  const running = await daemons(dataDir);
  assert.deepEqual(running.map(({ program }) => program).sort(), ['titan-api', 'titan-worker']);
  first.child.signal('SIGINT');
  assert.equal(await ended(first), 0, first.text());
  assert.equal(first.lines.filter((line) => READY.test(line)).length, 1);
  for (const { pid, program } of running) assert.equal(await runsProgram(pid, program), false, `${program} is gone`);
  assert.equal((await postgres('status')).code, 3, 'Postgres is gone');

  const second = await begin(t, dataDir);
  const again = await ready(second);
  const messages = await call(`${again}/api/projects/${project.id}/messages`, 'GET');
  assert.deepEqual(messages.items.map(({ role }) => role).sort(), ['assistant', 'user']);
  second.child.signal('SIGTERM');
  assert.equal(await ended(second), 0, second.text());
});

test('a port that is taken is named before anything is started', async (t) => {
  const dataDir = path.join(await temporaryFolder(t), 'data');
  const stranger = createServer();
  await new Promise((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  defer(t, () => stranger.close());
  const { port } = stranger.address();
  const start = await begin(t, dataDir, { TITAN_BIND: `127.0.0.1:${port}` });
  assert.equal(await ended(start), 1);
  assert.match(start.text(), new RegExp(`Port ${port} on 127.0.0.1 is taken.*TITAN_BIND=`));
  await assert.rejects(stat(path.join(dataDir, 'postgres')), { code: 'ENOENT' });
});

test('DATABASE_URL is used, and that Postgres is left alone; .env is read, and the environment wins over it', async (t) => {
  const folder = await temporaryFolder(t);
  const dataDir = path.join(folder, 'data');
  const postgres = cluster(t, path.join(folder, 'theirs'));
  const url = (await postgres('ensure', '--throwaway')).stdout.trim();
  const envFile = path.join(folder, 'env');
  await writeFile(envFile, `DATABASE_URL=${url}\nTITAN_BIND=127.0.0.1:1\n`);
  const start = await begin(t, dataDir, { TITAN_ENV_FILE: envFile });
  assert.equal(await ready(start), `http://127.0.0.1:${start.port}`);
  assert.equal(await sql(url, "SELECT to_regclass('runs') IS NOT NULL"), 't');
  await assert.rejects(stat(path.join(dataDir, 'postgres')), { code: 'ENOENT' });
  start.child.signal('SIGINT');
  assert.equal(await ended(start), 0, start.text());
  assert.equal((await postgres('status')).code, 0);
});

test('a daemon that dies takes the rest down, and is named', async (t) => {
  const dataDir = path.join(await temporaryFolder(t), 'data');
  const postgres = cluster(t, path.join(dataDir, 'postgres'));
  const start = await begin(t, dataDir);
  await ready(start);
  const running = await daemons(dataDir);
  process.kill(running.find(({ program }) => program === 'titan-worker').pid, 'SIGKILL');
  assert.equal(await ended(start), 1);
  assert.match(start.text(), /titan-worker was ended by SIGKILL/);
  for (const { pid, program } of running) assert.equal(await runsProgram(pid, program), false, `${program} is gone`);
  assert.equal((await postgres('status')).code, 3);
});

test('a second start on the same data says so; one after a kill -9 clears up', async (t) => {
  const dataDir = path.join(await temporaryFolder(t), 'data');
  cluster(t, path.join(dataDir, 'postgres'));
  const first = await begin(t, dataDir);
  await ready(first);
  const second = await begin(t, dataDir);
  assert.equal(await ended(second), 1);
  assert.match(second.text(), /already running/);

  const left = await daemons(dataDir);
  await first.child.kill();
  const third = await begin(t, dataDir, { TITAN_BIND: `127.0.0.1:${first.port}` });
  await ready(third);
  assert.match(third.text(), /Stopping titan-api .*left behind/);
  for (const { pid, program } of left) assert.equal(await runsProgram(pid, program), false, `${program} is gone`);
  third.child.signal('SIGINT');
  assert.equal(await ended(third), 0, third.text());
});

test('a wrong setting is shown, and nothing is left running', async (t) => {
  const dataDir = path.join(await temporaryFolder(t), 'data');
  const postgres = cluster(t, path.join(dataDir, 'postgres'));
  const start = await begin(t, dataDir, { TITAN_WORKER_SLOTS: 'many' });
  assert.equal(await ended(start), 1);
  assert.match(start.text(), /TITAN_WORKER_SLOTS/);
  assert.match(start.text(), /titan-(worker|api) ended with code 2/);
  assert.equal((await postgres('status')).code, 3);
});

test('what the machine lacks is named all at once, with the way to get it', async (t) => {
  const bin = await temporaryFolder(t);
  for (const program of ['bash', 'dirname']) await symlink(`/usr/bin/${program}`, path.join(bin, program));
  const { code, stderr } = await execute(path.join(root, 'scripts/start.sh'), [], { env: { PATH: bin, TITAN_PROFILE: '' } });
  assert.equal(code, 1);
  for (const thing of [/Node\.js 20\.19/, /npm\n\s+apt-get install npm/, /Rust\n\s+curl .*rustup/, /C compiler.*\n\s+apt-get install build-essential/]) {
    assert.match(stderr, thing);
  }
});
