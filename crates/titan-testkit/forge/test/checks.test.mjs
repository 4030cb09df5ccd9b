// What checks and people say of a commit: check-runs, statuses, comments, and their pages.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { REPO, message, pullRequest, start } from './helpers.mjs';

const forge = await start();
const { ask, order } = forge;

test('check-runs: none, the newest of each name, all of them, in pages', async () => {
  const { sha } = await pullRequest(forge, 'runs');
  assert.deepEqual((await ask('GET', `~/commits/${sha}/check-runs`)).body, { total_count: 0, check_runs: [] });
  const run = (name, status, conclusion) => ({ name, status, conclusion, summary: `${name} says so` });
  await order('checks', { repo: REPO, sha, runs: [run('build', 'in_progress'), run('lint', 'completed', 'success')] });
  await order('checks', { repo: REPO, sha, runs: [run('build', 'completed', 'failure')] });
  const read = async (query) => (await ask('GET', `~/commits/runs/check-runs?${query}`)).body;
  const shown = ({ check_runs: runs }) => runs.map(({ name, status, conclusion }) => `${name} ${conclusion ?? status}`);
  assert.deepEqual(shown(await read('')), ['build failure', 'lint success']);
  assert.deepEqual(shown(await read('filter=all')), ['build failure', 'lint success', 'build in_progress']);
  assert.deepEqual(shown(await read('check_name=lint')), ['lint success']);
  assert.deepEqual(shown(await read('status=queued')), []);

  await order('checks', { repo: REPO, sha, runs: Array.from({ length: 60 }, (_, number) => run(`many-${number}`, 'queued')) });
  const first = await ask('GET', `~/commits/${sha}/check-runs`);
  assert.deepEqual([first.body.total_count, first.body.check_runs.length], [62, 30]);
  assert.match(
    first.headers.link,
    /<http:\/\/127\.0\.0\.1:\d+\/repos\/acme\/titan\/commits\/\w+\/check-runs\?page=2>; rel="next", <[^>]+page=3>; rel="last"/,
  );
  const last = await ask('GET', `~/commits/${sha}/check-runs?page=3`);
  assert.deepEqual(
    [last.body.check_runs.length, last.headers.link.includes('rel="next"'), last.headers.link.includes('rel="prev"')],
    [2, false, true],
  );
  assert.equal((await ask('GET', `~/commits/${sha}/check-runs?per_page=500`)).body.check_runs.length, 62);
});

test('statuses are pending until all are good', async () => {
  const { sha, number } = await pullRequest(forge, 'statuses');
  const state = async () => (await ask('GET', `~/commits/${sha}/status`)).body;
  assert.deepEqual([(await state()).state, (await state()).total_count], ['pending', 0]);
  const say = (context, value) =>
    order('checks', {
      repo: REPO,
      sha,
      statuses: [{ context, state: value, description: 'Words', target_url: 'https://ci.example.com/1' }],
    });
  await say('ci', 'success');
  assert.equal((await state()).state, 'success');
  await say('deploy', 'error');
  assert.deepEqual([(await state()).state, (await state()).statuses.map(({ context }) => context)], ['failure', ['deploy', 'ci']]);
  await ask('GET', `~/pulls/${number}`);
  assert.equal((await ask('GET', `~/pulls/${number}`)).body.mergeable_state, 'unstable');
  await say('deploy', 'success');
  assert.equal((await state()).state, 'success');
  assert.equal((await ask('GET', '~/commits/none/status')).status, 422);
});

test('comments are made, changed, and found over pages', async () => {
  const { number } = await pullRequest(forge, 'comments');
  const made = await ask('POST', `~/issues/${number}/comments`, { body: 'First' });
  assert.deepEqual([made.status, made.body.body, made.body.user.login], [201, 'First', 'titan']);
  const edited = await ask('PATCH', `~/issues/comments/${made.body.id}`, { body: 'Second' });
  assert.deepEqual([edited.status, edited.body.body], [200, 'Second']);
  for (let count = 0; count < 31; count += 1) await order('comment', { repo: REPO, number, body: `Words ${count}` });
  const page = await ask('GET', `~/issues/${number}/comments`);
  assert.deepEqual([page.body.length, page.body[0].body], [30, 'Second']);
  assert.match(page.headers.link, /rel="next"/);
  assert.equal((await ask('PATCH', '~/issues/comments/1', { body: 'x' })).status, 404);
  assert.equal((await ask('POST', '~/issues/999/comments', { body: 'x' })).status, 404);
  assert.deepEqual(message(await ask('POST', `~/issues/${number}/comments`, { body: '' })), [422, 'Validation Failed']);
});
