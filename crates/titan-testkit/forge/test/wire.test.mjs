// What belongs to every request: tags, limits, git over http; and the forge as a process.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { gitEnvironment } from '../lib/git.mjs';
import { REPO, TOKEN, branch, message, start } from './helpers.mjs';

const forge = await start();
const { ask, order } = forge;

test('what has not changed is not sent again and costs nothing', async () => {
  const first = await ask('GET', '~/git/ref/heads/main');
  const { etag } = first.headers;
  const again = await ask('GET', '~/git/ref/heads/main', undefined, { 'if-none-match': etag });
  assert.deepEqual([again.status, again.text, again.headers.etag], [304, '', etag]);
  assert.equal(again.headers['x-ratelimit-remaining'], first.headers['x-ratelimit-remaining']);
  await branch(forge, 'main', [{ path: 'x', content: 'x' }]);
  const changed = await ask('GET', '~/git/ref/heads/main', undefined, { 'if-none-match': etag });
  assert.deepEqual([changed.status, changed.headers.etag === etag], [200, false]);
  assert.equal(Number(changed.headers['x-ratelimit-remaining']), Number(first.headers['x-ratelimit-remaining']) - 1);
});

test('the hour is used up, and over', async () => {
  const limits = (await ask('GET', '/rate_limit')).body;
  assert.equal(limits.rate.remaining, (await ask('GET', '/rate_limit')).body.rate.remaining, 'asking is free');
  await order('limit', { token: TOKEN, remaining: 1 });
  const last = await ask('GET', '~');
  assert.deepEqual([last.status, last.headers['x-ratelimit-remaining'], last.headers['x-ratelimit-resource']], [200, '0', 'core']);
  const refused = await ask('GET', '~');
  assert.deepEqual([refused.status, refused.headers['x-ratelimit-remaining']], [403, '0']);
  assert.match(refused.body.message, /^API rate limit exceeded for user ID \d+\.$/);
  assert.equal((await ask('POST', '/graphql', { query: '{ viewer { login } }' })).headers['x-ratelimit-resource'], 'graphql');
  await order('skip', { seconds: 3601 });
  assert.equal((await ask('GET', '~')).status, 200);
});

test('git fetches with a token, and pushes nothing', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'forge-clone-'));
  const run = (args, token, user = 'x-access-token') => {
    const header = token
      ? [
          ['GIT_CONFIG_KEY_0', 'http.extraHeader'],
          ['GIT_CONFIG_VALUE_0', `Authorization: Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`],
          ['GIT_CONFIG_COUNT', '1'],
        ]
      : [];
    const env = gitEnvironment({ GIT_TERMINAL_PROMPT: '0', ...Object.fromEntries(header) });
    return new Promise((resolve) => {
      const child = spawn('git', args, { cwd: folder, env });
      let said = '';
      child.stderr.on('data', (chunk) => {
        said += chunk;
      });
      child.once('close', (code) => resolve({ code, said }));
    });
  };
  try {
    const url = `${forge.url}/${REPO}.git`;
    assert.notEqual((await run(['clone', '--quiet', url, 'anonymous'])).code, 0);
    assert.notEqual((await run(['clone', '--quiet', url, 'wrong'], 'wrong')).code, 0);
    await order('token', { token: 'elsewhere', repositories: ['acme/other'] });
    assert.notEqual((await run(['clone', '--quiet', url, 'hidden'], 'elsewhere')).code, 0);
    const cloned = await run(['clone', '--quiet', url, 'clone'], TOKEN);
    assert.equal(cloned.code, 0, cloned.said);
    const head = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: path.join(folder, 'clone'), encoding: 'utf8' }).stdout.trim();
    assert.equal(head, forge.git('rev-parse', 'main'));
    assert.notEqual((await run(['-C', 'clone', 'push', 'origin', 'HEAD:refs/heads/pushed'], TOKEN)).code, 0);
    assert.equal(forge.git('for-each-ref', 'refs/heads/pushed'), '');
    const byId = await run(['-C', 'clone', 'fetch', '--quiet', 'origin', forge.head], TOKEN);
    assert.equal(byId.code, 0, byId.said);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('as a process it says where it is, and refuses a wrong command line', async () => {
  const main = fileURLToPath(new URL('../main.mjs', import.meta.url));
  const folder = mkdtempSync(path.join(tmpdir(), 'forge-process-'));
  const child = spawn(process.execPath, [main, 'github', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const [, address, control] = /^forge listening address=(\S+) control=(\S+)$/.exec(line);
    const made = await fetch(`http://${control}/repository`, { method: 'POST', body: JSON.stringify({ name: 'a/b' }) });
    assert.equal(made.status, 200);
    assert.deepEqual((await (await fetch(`http://${address}/repos/a/b`)).json()).message, 'Requires authentication');
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
  const wrong = spawnSync(process.execPath, [main, 'gitlab', folder], { encoding: 'utf8' });
  assert.deepEqual([wrong.status, /usage: .*github/.test(wrong.stderr)], [2, true]);
});

test('what is no route here is not found, and a violation', async () => {
  assert.deepEqual(message(await ask('GET', '~/hooks')), [404, 'Not Found']);
  assert.deepEqual(await forge.violations(), ['GET /repos/acme/titan/hooks: is no route that this forge carries']);
});
