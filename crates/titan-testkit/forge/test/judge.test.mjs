// The judge itself: that it knows every route, sees what is wrong with a request or an answer, and that no schema of it takes anything.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KEYS } from '../github/routes.mjs';
import { specification } from '../github/server.mjs';
import { message, start } from './helpers.mjs';

const forge = await start();
const { ask, violations } = forge;
const judge = await specification();
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

test('each route refuses an answer that has nothing of what is documented', () => {
  const PARAMS = {
    owner: 'a',
    repo: 'b',
    ref: 'heads/x',
    basehead: 'a...b',
    pull_number: '1',
    issue_number: '1',
    comment_id: '1',
    installation_id: '1',
  };
  for (const key of KEYS) {
    const params = { ...PARAMS, file_sha: 'x', tree_sha: 'x', commit_sha: 'x' };
    assert.deepEqual(
      judge.request(key, { params, query: { surprise: '1' }, headers: {}, body: undefined }).slice(0, 1),
      ['query parameter surprise is not in the document'],
      key,
    );
    const status = [200, 201, 204].find(
      (each) =>
        !judge.answer(key, { status: each, headers: JSON_TYPE, body: {} }).some((fault) => fault.includes('is not in the document')),
    );
    if (status === 204) continue;
    const faults = judge.answer(key, { status, headers: JSON_TYPE, body: 'nothing' });
    assert.ok(faults.length && !faults.some((fault) => fault.includes('takes anything')), `${key}: ${faults}`);
  }
});

test('a field that is missing in an answer, or of another kind, is seen', async () => {
  const key = 'GET /repos/{owner}/{repo}/git/ref/{ref}';
  const { body } = await ask('GET', '~/git/ref/heads/main');
  const faults = (change) => judge.answer(key, { status: 200, headers: JSON_TYPE, body: { ...body, ...change } });
  assert.deepEqual(faults({}), []);
  assert.match(faults({ ref: 1 })[0], /must be string/);
  assert.match(faults({ object: { type: 'commit', url: 'https://example.com' } })[0], /'sha'/);
  assert.match(judge.answer(key, { status: 418, headers: JSON_TYPE, body: {} })[0], /status 418/);
  assert.match(judge.answer(key, { status: 200, headers: { 'content-type': 'text/html' }, body: {} })[0], /text\/html/);
  assert.match(judge.answer(key, { status: 502, headers: JSON_TYPE, body: {} })[0], /message/);
});

test('a request that the document does not know is answered as GitHub would and noted', async () => {
  const wrong = async (...args) => {
    const answer = await ask(...args);
    return [answer.status, await violations()];
  };
  const [status, seen] = await wrong('POST', '~/pulls', { titel: 'x', head: 'a', base: 'main' });
  assert.deepEqual([status, seen.length], [422, 1]);
  assert.match(seen[0], /^POST \/repos\/acme\/titan\/pulls: .*'titel'/);
  assert.match((await wrong('POST', '~/git/refs', { ref: 'refs/heads/x' }))[1][0], /'sha'/);
  assert.match((await wrong('GET', '~/pulls?state=merged'))[1][0], /open, closed, all/);
  assert.match((await wrong('GET', '~/pulls?head_branch=x'))[1][0], /head_branch/);
  assert.match((await wrong('PUT', '~/pulls/1/merge', { merge_method: 'fast' }))[1][0], /merge, squash, rebase/);
  assert.match((await wrong('GET', '~/pulls/one'))[1][0], /pull_number/);
  assert.deepEqual(message(await ask('POST', '~/git/refs', '{"ref":')), [400, 'Problems parsing JSON']);
  assert.match((await violations()).join(), /no JSON/);
});
