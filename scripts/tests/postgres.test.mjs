// The private cluster: made once, kept, closed to anyone without the password, and back after a kill.

import assert from 'node:assert/strict';
import { readFile, realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { waitFor } from '../lib/processes.mjs';
import { cluster, defer, execute, sql, temporaryFolder } from './helpers.mjs';

async function ensure(call, ...more) {
  const { code, stdout, stderr } = await call('ensure', ...more);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

test('ensure makes a cluster, and the second time finds it', async (t) => {
  const dir = path.join(await temporaryFolder(t), 'pg');
  const call = cluster(t, dir);
  const url = await ensure(call);
  assert.match(url, /^postgres:\/\/postgres:[0-9a-f]{48}@127\.0\.0\.1:\d+\/titan$/);
  const pid = (await readFile(path.join(dir, 'cluster/postmaster.pid'), 'utf8')).split('\n')[0];
  assert.equal(await ensure(call), url);
  assert.equal((await readFile(path.join(dir, 'cluster/postmaster.pid'), 'utf8')).split('\n')[0], pid, 'it was not started again');
  assert.equal(await sql(url, 'SHOW fsync'), 'on');
  assert.equal(await sql(url, 'SHOW max_connections'), '300');
  assert.equal((await call('url', '--database', 'postgres')).stdout.trim(), url.replace(/titan$/, 'postgres'));
});

test('data and port survive a stop and a restart', async (t) => {
  const call = cluster(t, path.join(await temporaryFolder(t), 'pg'));
  const url = await ensure(call);
  await sql(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  assert.equal((await call('stop')).code, 0);
  assert.equal((await call('status')).code, 3);
  await assert.rejects(sql(url, 'SELECT 1'), /refused/);
  assert.equal(await ensure(call), url);
  assert.equal(await sql(url, 'SELECT answer FROM kept'), '42');
  assert.equal((await call('restart')).stdout.trim(), url);
  assert.equal(await sql(url, 'SELECT answer FROM kept'), '42');
});

test('a port that somebody else took in the meantime is given up', async (t) => {
  const call = cluster(t, path.join(await temporaryFolder(t), 'pg'));
  const url = await ensure(call);
  await call('stop');
  const stranger = createServer();
  await new Promise((resolve) => stranger.listen(Number(new URL(url).port), '127.0.0.1', resolve));
  defer(t, () => stranger.close());
  const other = await ensure(call);
  assert.notEqual(new URL(other).port, new URL(url).port);
  assert.equal(await sql(other, 'SELECT 1'), '1');
});

test('nobody gets in without the password, and only the owner reads it', async (t) => {
  const dir = path.join(await temporaryFolder(t), 'pg');
  const url = new URL(await ensure(cluster(t, dir)));
  const { mode, uid } = await stat(path.join(dir, 'password'));
  assert.equal(mode & 0o777, 0o600);
  assert.equal(uid, process.getuid());
  assert.equal((await stat(await realpath(path.join(dir, 'cluster')))).mode & 0o777, 0o700);
  assert.match(await sql(url.href, 'SELECT rolpassword FROM pg_authid WHERE rolname = current_user'), /^SCRAM-SHA-256\$/);
  assert.equal(await sql(url.href, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'"), '0');
  assert.equal(await sql(url.href, 'SHOW listen_addresses'), '127.0.0.1');
  assert.equal(await sql(url.href, 'SHOW unix_socket_directories'), '');
  url.password = 'wrong';
  await assert.rejects(sql(url.href, 'SELECT 1'), /password authentication failed/);
  url.password = '';
  await assert.rejects(sql(url.href, 'SELECT 1'), /no password supplied/);
});

test('it comes back after kill -9, though postmaster.pid is left behind', async (t) => {
  const dir = path.join(await temporaryFolder(t), 'pg');
  const call = cluster(t, dir);
  const url = await ensure(call);
  await sql(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const file = path.join(dir, 'cluster/postmaster.pid');
  const pid = Number((await readFile(file, 'utf8')).split('\n')[0]);
  process.kill(pid, 'SIGKILL');
  await waitFor('the end of the killed process', async () => (await call('status')).code === 3);
  assert.equal(Number((await readFile(file, 'utf8')).split('\n')[0]), pid, 'the file is stale');
  assert.equal(await ensure(call), url);
  assert.equal(await sql(url, 'SELECT answer FROM kept'), '42');
});

test('a folder that the service user cannot enter is no hindrance', async (t) => {
  const dir = path.join(await temporaryFolder(t, { mode: 0o700 }), 'pg');
  const call = cluster(t, dir);
  assert.equal(await sql(await ensure(call), 'SELECT 1'), '1');
  const real = await realpath(path.join(dir, 'cluster'));
  await call('destroy');
  await assert.rejects(stat(real), { code: 'ENOENT' });
});

test('as root another user runs it', { skip: process.getuid() !== 0 && 'not root' }, async (t) => {
  const dir = path.join(await temporaryFolder(t), 'pg');
  const call = cluster(t, dir);
  await ensure(call);
  const pid = (await readFile(path.join(dir, 'cluster/postmaster.pid'), 'utf8')).split('\n')[0];
  const { stdout } = await execute('ps', ['-o', 'user=', '-p', pid]);
  assert.equal(stdout.trim(), 'titan-pg');
});

test('as an ordinary user it runs as that user', { skip: process.getuid() !== 0 && 'needs root to become another' }, async (t) => {
  const folder = await temporaryFolder(t, { mode: 0o777 });
  const dir = path.join(folder, 'pg');
  const script = path.resolve(import.meta.dirname, '../postgres.sh');
  const call = (command) => execute('setpriv', ['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', '--', script, command, '--dir', dir]);
  defer(t, () => call('destroy'));
  assert.equal(await sql(await ensure(call), 'SELECT 1'), '1');
  assert.equal((await call('destroy')).code, 0);
});

test('throwaway settings are refused for data that is to last', async (t) => {
  const folder = await temporaryFolder(t);
  const lasting = cluster(t, path.join(folder, 'lasting'));
  await ensure(lasting);
  const { code, stderr } = await lasting('ensure', '--throwaway');
  assert.equal(code, 1);
  assert.match(stderr, /meant to last/);
  const throwaway = cluster(t, path.join(folder, 'throwaway'));
  assert.equal(await sql(await ensure(throwaway, '--throwaway'), 'SHOW fsync'), 'off');
});

test('a setting is kept from start to start, and takes nothing of the safety', async (t) => {
  const dir = path.join(await temporaryFolder(t), 'pg');
  const call = cluster(t, dir);
  const url = await ensure(call, '--set', 'shared_buffers=32MB', '--set', 'work_mem=5MB');
  await call('restart');
  for (const [name, value] of Object.entries({ shared_buffers: '32MB', work_mem: '5MB', fsync: 'on', synchronous_commit: 'on' })) {
    assert.equal(await sql(url, `SHOW ${name}`), value);
  }
  const { code, stderr } = await call('ensure', '--set', 'work_mem=5MB -c fsync=off');
  assert.equal(code, 1);
  assert.match(stderr, /NAME=VALUE without blanks/);
});

test('wrong use is explained', async (t) => {
  const folder = await temporaryFolder(t);
  const script = path.resolve(import.meta.dirname, '../postgres.sh');
  assert.equal((await execute(script, ['ensure'])).code, 2);
  assert.equal((await execute(script, ['explode', '--dir', folder])).code, 2);
  const url = await execute(script, ['url', '--dir', path.join(folder, 'none')]);
  assert.equal(url.code, 1);
  assert.match(url.stderr, /there is no cluster/);
  const bin = await execute(script, ['ensure', '--dir', path.join(folder, 'pg')], { env: { TITAN_PG_BIN: folder } });
  assert.equal(bin.code, 1);
  assert.match(bin.stderr, /TITAN_PG_BIN=.* holds no PostgreSQL server/);
});
