// What goes wrong on purpose looks as it does at GitHub, happens as often as it was ordered, and is done or not done as it says.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { REPO, TOKEN, message, start } from './helpers.mjs';

const forge = await start();
const { ask, git, order } = forge;
const fault = (rule) => order('fault', { path: '/git/refs', method: 'POST', ...rule });
let made = 0;
const make = () => {
  made += 1;
  return ask('POST', '~/git/refs', { ref: `refs/heads/made-${made}`, sha: forge.head });
};
const isMade = () => git('for-each-ref', `refs/heads/made-${made}`) !== '';

test('a server in trouble does nothing, as often as was said and only there', async () => {
  await fault({ kind: 'status', status: 502, times: 2 });
  assert.equal((await ask('GET', '~')).status, 200);
  const answer = await make();
  assert.deepEqual([answer.status, answer.headers['content-type'], isMade()], [502, 'text/html; charset=utf-8', false]);
  assert.equal(await order('faults_left'), 1);
  assert.equal((await make()).status, 502);
  assert.deepEqual([(await make()).status, isMade()], [201, true]);
  await fault({ kind: 'status', status: 500 });
  assert.deepEqual(message(await make()), [500, 'Server Error']);
});

test('limits say how long to wait, each in its own way', async () => {
  await fault({ kind: 'secondary', retry_after: 7 });
  const secondary = await make();
  assert.deepEqual([secondary.status, secondary.headers['retry-after'], isMade()], [403, '7', false]);
  assert.match(secondary.body.message, /secondary rate limit/);
  await fault({ kind: 'secondary' });
  assert.equal((await make()).headers['retry-after'], undefined);
  await fault({ kind: 'too_many', retry_after: 3 });
  const many = await make();
  assert.deepEqual([many.status, many.headers['retry-after']], [429, '3']);
  await fault({ kind: 'primary', reset: 30 });
  const primary = await make();
  const wait = primary.headers['x-ratelimit-reset'] - Date.now() / 1000;
  assert.deepEqual([primary.status, primary.headers['x-ratelimit-remaining'], wait > 28 && wait < 32], [403, '0', true]);
  await fault({ kind: 'primary', path: '/graphql' });
  const graphql = await ask('POST', '/graphql', { query: '{ viewer { login } }' });
  assert.deepEqual([graphql.status, graphql.body.errors[0].type, graphql.headers['x-ratelimit-remaining']], [200, 'RATE_LIMITED', '0']);
});

test('a connection is cut before it is done, or after', async () => {
  await fault({ kind: 'cut_before' });
  await assert.rejects(make, /socket hang up|ECONNRESET/);
  assert.equal(isMade(), false);
  await fault({ kind: 'cut_after' });
  await assert.rejects(make, /socket hang up|ECONNRESET/);
  assert.equal(isMade(), true);
});

test('an answer is late, spoiled, or never comes', async () => {
  await fault({ kind: 'slow', delay: 300 });
  const began = Date.now();
  assert.equal((await make()).status, 201);
  assert.ok(Date.now() - began >= 290);
  await fault({ kind: 'garbage' });
  await assert.rejects(make, SyntaxError);
  assert.equal(isMade(), true);
  await fault({ kind: 'hang', method: 'GET', path: '' });
  const never = fetch(`${forge.url}/repos/${REPO}`, { headers: { authorization: `token ${TOKEN}` }, signal: AbortSignal.timeout(300) });
  await assert.rejects(never, { name: 'TimeoutError' });
  assert.equal(await order('faults_left'), 0);
});

test('who goes away in the middle is no violation', async () => {
  await fault({ kind: 'cut_after', method: 'GET', path: '' });
  await fault({ kind: 'slow', delay: 200, method: 'GET', path: '' });
  const headers = { authorization: `token ${TOKEN}` };
  for (const _ of [1, 2]) await assert.rejects(fetch(`${forge.url}/repos/${REPO}`, { headers, signal: AbortSignal.timeout(100) }));
  const { port } = new URL(forge.url);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write('POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
  await wait(50);
  socket.destroy();
  await wait(200);
  assert.deepEqual(await order('violations'), []);
});

test('an unknown fault and an unknown call are refused with what there is', async () => {
  await assert.rejects(fault({ kind: 'flood' }), /there are: status, secondary/);
  await assert.rejects(order('explode'), /there are: repository, token/);
  await assert.rejects(order('push', { repo: 'acme/none', branch: 'x', files: [] }), /no repository acme\/none/);
});
