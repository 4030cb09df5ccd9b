// GitHub Apps: which signed tokens are good, and what is given for them.

import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';

import { message, start } from './helpers.mjs';

const forge = await start();
const { ask, order } = forge;
const APP = 4711;
const { private_key: key, installations } = await order('app', { id: APP, slug: 'titan-ops', owners: ['acme'] });

function sign(claims, { alg = 'RS256', with: own = key } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg, typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(own, 'base64url')}`;
}
const now = () => Math.floor(Date.now() / 1000);
const claims = (more = {}) => ({ iat: now() - 60, exp: now() + 540, iss: APP, ...more });
const as = (token, method, route, body) => ask(method, route, body, { authorization: `Bearer ${token}` });

test('the app finds its installation and is given a token that works', async () => {
  const { status, body } = await as(sign(claims({ iss: String(APP) })), 'GET', '~/installation');
  assert.deepEqual([status, body.id, body.app_slug], [200, installations[0], 'titan-ops']);
  const given = await as(sign(claims()), 'POST', `/app/installations/${installations[0]}/access_tokens`, {});
  assert.equal(given.status, 201);
  assert.match(given.body.token, /^ghs_/);
  assert.equal(given.body.permissions.contents, 'write');
  assert.equal((await as(given.body.token, 'GET', '~')).status, 200);
  assert.deepEqual(message(await as(given.body.token, 'GET', '~/installation')), [401, 'A JSON web token could not be decoded']);
  await order('skip', { seconds: 3601 });
  assert.deepEqual(message(await as(given.body.token, 'GET', '~')), [401, 'Bad credentials']);
  await order('skip', { seconds: -3601 });
});

test('a token for less is less', async () => {
  const ask_for = (body) => as(sign(claims()), 'POST', `/app/installations/${installations[0]}/access_tokens`, body);
  const { body } = await ask_for({ permissions: { contents: 'read', metadata: 'read' } });
  const denied = await as(body.token, 'POST', '~/git/refs', { ref: 'refs/heads/x', sha: forge.head });
  assert.deepEqual(message(denied), [403, 'Resource not accessible by integration']);
  assert.equal((await ask_for({ permissions: { administration: 'write' } })).status, 422);
  assert.equal((await ask_for({ repositories: ['none'] })).status, 422);
  assert.equal((await as(sign(claims()), 'POST', '/app/installations/1/access_tokens', {})).status, 404);
});

test('what is not signed by the app, or not for now, is refused', async () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  const refused = async (token) => message(await as(token, 'GET', '~/installation'));
  assert.deepEqual(await refused(sign(claims(), { with: other })), [401, 'A JSON web token could not be decoded']);
  assert.deepEqual(await refused(sign(claims(), { alg: 'none' })), [401, 'A JSON web token could not be decoded']);
  assert.deepEqual(await refused('a.b.c'), [401, 'A JSON web token could not be decoded']);
  assert.deepEqual(await refused(sign(claims({ iss: 1 }))), [404, 'Integration not found']);
  assert.match((await refused(sign(claims({ exp: now() - 1 }))))[1], /'exp'\) must be a numeric value representing the future/);
  assert.match((await refused(sign(claims({ exp: now() + 3600 }))))[1], /too far in the future/);
  assert.match((await refused(sign(claims({ iat: now() + 600 }))))[1], /'iat'\)/);
  const good = sign(claims());
  assert.equal((await refused(`${good.slice(0, -8)}AAAAAAAA`))[0], 401);
});

test('an app sees nothing where it is not installed', async () => {
  await order('repository', { name: 'others/secret' });
  const { body } = await as(sign(claims()), 'POST', `/app/installations/${installations[0]}/access_tokens`, {});
  assert.equal((await as(body.token, 'GET', '/repos/others/secret')).status, 404);
  assert.equal((await as(sign(claims()), 'GET', '/repos/others/secret/installation')).status, 404);
});
