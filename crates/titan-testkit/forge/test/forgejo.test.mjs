// Forgejo: branches, a commit with many files, pull requests, what checks say; each refusal as its sources phrase it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';

import { specification } from '../forgejo/server.mjs';
import { gitEnvironment } from '../lib/git.mjs';
import { REPO, TOKEN, branch, message, start } from './helpers.mjs';

const forge = await start('forgejo');
const { git, order, violations } = forge;
const ask = (method, rest, body, headers = { authorization: `token ${TOKEN}` }) =>
  forge.ask(method, `/api/v1/repos/${REPO}${rest}`, body, headers);
const b64 = (text) => Buffer.from(text).toString('base64');
const file = (sha, path) => git('rev-parse', `${sha}:${path}`);

test('the repository and its branches', async () => {
  const about = await ask('GET', '');
  assert.deepEqual([about.status, about.body.default_branch, about.body.permissions.push], [200, 'main', true]);
  const make = (body) => ask('POST', '/branches', body);
  assert.equal((await make({ new_branch_name: 'titan/ops/1', old_ref_name: forge.head })).status, 201);
  assert.equal((await make({ new_branch_name: 'titan/ops/1', old_ref_name: forge.head })).status, 409);
  assert.equal((await make({ new_branch_name: 'x', old_ref_name: 'none' })).status, 404);
  const read = await ask('GET', '/branches/titan%2Fops%2F1');
  assert.deepEqual([read.body.name, read.body.commit.id], ['titan/ops/1', forge.head]);
  assert.equal((await ask('GET', '/branches')).body.length, 2);
  assert.equal((await ask('GET', '/branches/none')).status, 404);
  assert.equal((await ask('DELETE', '/branches/titan/ops/1')).status, 204);
  assert.equal((await ask('DELETE', '/branches/titan/ops/1')).status, 404);
  assert.equal((await ask('DELETE', '/branches/main')).status, 403);
});

test('one commit with many files, or what was there is something else', async () => {
  const head = await branch(forge, 'work', [
    { path: 'run', content: '#!', mode: '100755' },
    { path: 'old', content: 'old' },
  ]);
  const files = [
    { operation: 'create', path: 'a/new', content: b64('new\n') },
    { operation: 'update', path: 'run', content: b64('#!/bin/sh'), sha: file(head, 'run') },
    { operation: 'delete', path: 'old', sha: file(head, 'old') },
  ];
  const change = (list, more = {}) => ask('POST', '/contents', { branch: 'work', message: 'A title\n\nA text', files: list, ...more });
  const done = await change(files);
  assert.equal(done.status, 201, done.text);
  assert.equal(git('rev-parse', 'work'), done.body.commit.sha);
  assert.deepEqual(
    done.body.commit.parents.map(({ sha }) => sha),
    [head],
  );
  assert.equal(git('ls-tree', '-r', '--format=%(objectmode) %(path)', 'work'), '100644 README.md\n100644 a/new\n100755 run');
  assert.equal(git('log', '-1', '--format=%an|%B', 'work'), 'titan|A title\n\nA text');

  assert.match(message(await change([files[0]]))[1], /already exists/);
  assert.match(message(await change([files[1]]))[1], /sha does not match/);
  assert.equal((await change([files[2]])).status, 404);
  assert.equal((await change([{ ...files[1], sha: undefined }])).status, 422);
  assert.equal((await change([{ operation: 'create', path: '../x', content: '' }])).status, 422);
  assert.equal((await change([{ operation: 'create', path: 'x', content: '' }], { branch: 'none' })).status, 404);
  assert.equal((await change([{ operation: 'create', path: 'x', content: '' }], { new_branch: 'main' })).status, 422);
  assert.equal((await change([{ operation: 'create', path: 'x', content: '' }], { new_branch: 'other' })).status, 201);
  assert.equal(git('rev-parse', 'other~1'), done.body.commit.sha);

  const tree = (await ask('GET', '/git/trees/work?recursive=true&per_page=2')).body;
  assert.deepEqual([tree.tree.map(({ path }) => path), tree.truncated, tree.total_count], [['README.md', 'a'], true, 4]);
  assert.deepEqual(
    (await ask('GET', '/git/trees/work?recursive=true&per_page=2&page=2')).body.tree.map(({ path }) => path),
    ['a/new', 'run'],
  );
});

test('a pull request from opening to merging', async () => {
  const sha = await branch(forge, 'pull', [{ path: 'pull.txt', content: '1' }]);
  const open = (body) => ask('POST', '/pulls', { head: 'pull', base: 'main', title: 'A change', ...body });
  const made = await open({ body: 'Because.' });
  const { number } = made.body;
  assert.deepEqual([made.status, made.body.mergeable, made.body.head.sha, made.body.body], [201, true, sha, 'Because.']);
  assert.match(message(await open())[1], /already exists for these targets/);
  assert.equal((await open({ head: 'none' })).status, 404);
  assert.equal((await open({ title: '' })).status, 422);
  const list = async (query) => (await ask('GET', `/pulls?${query}`)).body.map((pull) => pull.number);
  assert.deepEqual([await list('head=pull&state=all'), await list('state=closed')], [[number], []]);

  const edited = await ask('PATCH', `/pulls/${number}`, { title: 'Other', state: 'closed' });
  assert.deepEqual([edited.status, edited.body.title, edited.body.state], [201, 'Other', 'closed']);
  assert.equal((await ask('PATCH', `/pulls/${number}`, { state: 'open' })).body.state, 'open');

  const merge = (body) => ask('POST', `/pulls/${number}/merge`, { Do: 'squash', head_commit_id: sha, ...body });
  const main = git('rev-parse', 'main');
  assert.deepEqual(message(await merge({ head_commit_id: main })), [409, 'head out of date']);
  await order('protect', { repo: REPO, message: 'Does not have enough approvals' });
  assert.deepEqual(message(await merge()), [405, 'Does not have enough approvals']);
  await order('protect', { repo: REPO, message: null });
  assert.equal((await merge({ Do: 'rebase' })).status, 405);
  const done = await merge({ MergeTitleField: 'The title' });
  assert.deepEqual([done.status, done.text], [200, '']);
  assert.equal(git('log', '-1', '--format=%P|%s', 'main'), `${main}|The title`);
  const { body } = await ask('GET', `/pulls/${number}`);
  assert.deepEqual([body.merged, body.merge_commit_sha, body.state], [true, git('rev-parse', 'main'), 'closed']);
  assert.equal((await merge()).status, 405);
  assert.equal((await ask('PATCH', `/pulls/${number}`, { state: 'open' })).status, 412);
  await ask('DELETE', '/branches/pull');
  const { head } = (await ask('GET', `/pulls/${number}`)).body;
  assert.deepEqual([head.label, head.ref, head.sha], ['pull', `refs/pull/${number}/head`, sha], 'the branch is gone');
});

test('a conflict cannot be merged', async () => {
  const sha = await branch(forge, 'conflict', [{ path: 'README.md', content: 'theirs\n' }]);
  await branch(forge, 'main', [{ path: 'README.md', content: 'ours\n' }]);
  const { body } = await ask('POST', '/pulls', { head: 'conflict', base: 'main', title: 'x' });
  assert.equal(body.mergeable, false);
  assert.equal((await ask('POST', `/pulls/${body.number}/merge`, { Do: 'merge', head_commit_id: sha })).status, 405);
});

test('statuses: null while nobody says anything; comments; who may not', async () => {
  const sha = await branch(forge, 'said', [{ path: 'said', content: '1' }]);
  assert.equal((await ask('GET', `/commits/${sha}/status`)).text, 'null');
  const say = (context, state) => order('checks', { repo: REPO, sha, statuses: [{ context, state, description: 'Words' }] });
  await say('ci', 'success');
  await say('lint', 'pending');
  const status = (await ask('GET', `/commits/${sha}/status`)).body;
  assert.deepEqual([status.state, status.total_count, status.statuses.map(({ context }) => context)], ['pending', 2, ['lint', 'ci']]);

  const { body } = await ask('POST', '/pulls', { head: 'said', base: 'main', title: 'x' });
  const said = await ask('POST', `/issues/${body.number}/comments`, { body: 'First' });
  assert.equal((await ask('PATCH', `/issues/comments/${said.body.id}`, { body: 'Second' })).status, 200);
  assert.deepEqual(
    (await ask('GET', `/issues/${body.number}/comments`)).body.map((comment) => comment.body),
    ['Second'],
  );

  await order('token', { token: 'reader', permissions: { contents: 'read' } });
  const as = (token) => ({ authorization: token && `token ${token}` });
  assert.equal((await ask('POST', '/branches', { new_branch_name: 'x' }, as('reader'))).status, 403);
  assert.equal((await ask('GET', '', undefined, as('wrong'))).status, 401);
  assert.equal((await ask('GET', '', undefined, as(null))).status, 404);
});

test('git fetches with the token; a wrong field is a violation; the judge sees a wrong answer', async () => {
  const header = `Authorization: Basic ${b64(`titan:${TOKEN}`)}`;
  const env = gitEnvironment({ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'http.extraHeader', GIT_CONFIG_VALUE_0: header });
  const code = await new Promise((resolve) => {
    spawn('git', ['ls-remote', `${forge.url}/${REPO}.git`], { env, stdio: 'ignore' }).once('close', resolve);
  });
  assert.equal(code, 0);
  assert.deepEqual(await violations(), []);
  assert.equal((await ask('POST', '/branches', { new_branch: 'x' })).status, 422);
  const seen = await violations();
  assert.ok(seen.some((each) => each.includes("'new_branch_name'")) && seen.some((each) => each.includes("'new_branch'")), seen.join());
  const judge = await specification();
  const answer = (body) =>
    judge.answer('GET /repos/{owner}/{repo}/branches/{branch}', { status: 200, headers: { 'content-type': 'application/json' }, body });
  assert.deepEqual([answer({ name: 'x' }), answer({ name: 1 }).length, answer({ title: 'x' }).length], [[], 1, 1]);
});
