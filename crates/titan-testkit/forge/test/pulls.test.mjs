// Pull requests from opening to merging, and each way in which GitHub refuses.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { REPO, TOKEN, branch, message, pullRequest, start } from './helpers.mjs';

const forge = await start();
const { ask, git, order } = forge;
const reasons = ({ body }) => body.errors.map(({ field, code, message: text }) => text ?? `${field} ${code}`);
const merge = (number, body) => ask('PUT', `~/pulls/${number}/merge`, body);

test('one pull request for a branch, with something in it', async () => {
  const open = (body) => ask('POST', '~/pulls', { title: 'A change', base: 'main', ...body });
  await branch(forge, 'one');
  const made = await open({ head: 'one', body: 'Because.' });
  assert.deepEqual([made.status, made.body.state, made.body.body, made.body.head.label], [201, 'open', 'Because.', 'acme:one']);
  assert.match(made.headers.location, /\/pulls\/\d+$/);

  const again = await open({ head: 'acme:one' });
  assert.deepEqual([message(again), reasons(again)], [[422, 'Validation Failed'], ['A pull request already exists for acme:one.']]);
  await order('push', { repo: REPO, branch: 'empty', files: [], parent: forge.head });
  await ask('PATCH', '~/git/refs/heads/empty', { sha: forge.head, force: true });
  assert.deepEqual(reasons(await open({ head: 'empty' })), ['No commits between main and empty']);
  assert.deepEqual(reasons(await open({ head: 'none' })), ['head invalid']);
  assert.deepEqual(reasons(await open({ head: 'somebody:one' })), ['head invalid']);
  assert.deepEqual(reasons(await open({ head: 'one', base: 'none' })), ['base invalid']);
  assert.deepEqual(reasons(await open({ head: 'one', title: '' })), ['title missing_field']);
});

test('pull requests are found by branch, base and state, newest first', async () => {
  const { number } = await pullRequest(forge, 'listed');
  const list = async (query) => (await ask('GET', `~/pulls?${query}`)).body.map((pull) => pull.number);
  assert.deepEqual(await list('head=acme:listed'), [number]);
  assert.deepEqual(await list('head=somebody:listed'), []);
  assert.deepEqual(await list('base=none'), []);
  assert.equal((await list('head=listed')).length, 2, 'without an owner it does nothing');
  assert.equal((await ask('PATCH', `~/pulls/${number}`, { state: 'closed' })).body.state, 'closed');
  assert.deepEqual(await list('head=acme:listed'), []);
  assert.deepEqual(await list('head=acme:listed&state=closed'), [number]);
  assert.equal((await list('state=all'))[0], number);
  assert.equal((await ask('GET', '~/pulls/999')).status, 404);
});

test('title, text and base are changed; a closed one is opened while its branch is there', async () => {
  const { number } = await pullRequest(forge, 'edited');
  const edit = (body) => ask('PATCH', `~/pulls/${number}`, body);
  const edited = await edit({ title: 'Other', body: 'Words' });
  assert.deepEqual([edited.body.title, edited.body.body], ['Other', 'Words']);
  assert.deepEqual(reasons(await edit({ base: 'none' })), ['base invalid']);
  await edit({ state: 'closed' });
  assert.equal((await edit({ state: 'open' })).body.state, 'open');
  await ask('DELETE', '~/git/refs/heads/edited');
  assert.equal((await ask('GET', `~/pulls/${number}`)).body.state, 'closed', 'the branch is gone');
  assert.deepEqual(reasons(await edit({ state: 'open' })), ['state invalid']);
});

test('whether it can be merged is tried when somebody asks', async () => {
  const { number } = await pullRequest(forge, 'tried', [{ path: 'README.md', content: 'theirs\n' }]);
  const read = async () => (await ask('GET', `~/pulls/${number}`)).body;
  assert.equal((await read()).mergeable, null);
  const clean = await read();
  assert.deepEqual([clean.mergeable, clean.mergeable_state, clean.commits, clean.changed_files], [true, 'clean', 1, 1]);
  assert.equal(git('rev-parse', `refs/pull/${number}/merge`), clean.merge_commit_sha);

  await branch(forge, 'main', [{ path: 'README.md', content: 'ours\n' }]);
  assert.equal((await read()).mergeable, null, 'the base has moved');
  const dirty = await read();
  assert.deepEqual([dirty.mergeable, dirty.mergeable_state], [false, 'dirty']);
  assert.deepEqual(message(await merge(number)), [405, 'Pull Request is not mergeable']);
});

test('a squash is one commit on the base, of the very tree, and the branch stays', async () => {
  const { number, sha } = await pullRequest(forge, 'squashed', [{ path: 'squashed.txt', content: 'x' }]);
  const main = git('rev-parse', 'main');
  assert.deepEqual(message(await merge(number, { sha: main })), [409, 'Head branch was modified. Review and try the merge again.']);
  const done = await merge(number, { sha, merge_method: 'squash', commit_title: 'The title', commit_message: 'The text' });
  assert.deepEqual([done.status, done.body.merged, done.body.sha], [200, true, git('rev-parse', 'main')]);
  assert.equal(git('log', '-1', '--format=%P|%cn|%an|%B', 'main'), `${main}|GitHub|titan|The title\n\nThe text`);
  assert.equal(git('rev-parse', 'main^{tree}'), git('merge-tree', '--write-tree', main, sha));
  assert.equal(git('rev-parse', 'squashed'), sha);
  const { body } = await ask('GET', `~/pulls/${number}`);
  assert.deepEqual([body.state, body.merged, body.merge_commit_sha, body.merged_by.login], ['closed', true, done.body.sha, 'titan']);
  assert.deepEqual(message(await merge(number)), [405, 'Pull Request is not mergeable']);
});

test('a merge has two parents; what the repository does not allow is refused', async () => {
  const { number, sha } = await pullRequest(forge, 'merged', [{ path: 'merged.txt', content: 'x' }]);
  const main = git('rev-parse', 'main');
  assert.deepEqual(message(await merge(number, { merge_method: 'rebase' })), [405, 'Rebase merges are not allowed on this repository.']);
  await order('protect', { repo: REPO, message: 'Required status check "ci" is expected.' });
  assert.deepEqual(message(await merge(number)), [405, 'Required status check "ci" is expected.']);
  await order('protect', { repo: REPO, message: null });
  assert.equal((await merge(number)).status, 200);
  assert.equal(git('log', '-1', '--format=%P|%s', 'main'), `${main} ${sha}|Merge pull request #${number} from acme/merged`);
});

test('a push to the branch moves the head, one of its commits to the base merges it', async () => {
  const { number, sha } = await pullRequest(forge, 'pushed', [{ path: 'pushed.txt', content: '1' }]);
  const next = await branch(forge, 'pushed', [{ path: 'pushed.txt', content: '2' }]);
  assert.equal((await ask('GET', `~/pulls/${number}`)).body.head.sha, next);
  assert.equal((await merge(number, { sha })).status, 409);
  await branch(forge, 'main', [], { parent: next });
  const { body } = await ask('GET', `~/pulls/${number}`);
  assert.deepEqual([body.merged, body.state], [true, 'closed']);
});

test('all that was written can be read in order', async () => {
  const before = (await order('writes')).length;
  const { number, sha } = await pullRequest(forge, 'written', [{ path: 'written.txt', content: '1' }]);
  await merge(number, { sha });
  const writes = (await order('writes')).slice(before).map(({ kind, number: of, ref }) => [kind, of ?? ref]);
  assert.deepEqual(writes, [
    ['push', 'refs/heads/written'],
    ['pull.open', number],
    ['ref.update', 'refs/heads/main'],
    ['pull.merge', number],
  ]);
});

test('who may only read, or sees nothing, is told so', async () => {
  await order('token', { token: 'reader', permissions: { contents: 'read', metadata: 'read' } });
  await order('token', { token: 'elsewhere', repositories: ['acme/other'] });
  const as = (token, method, route, body) => ask(method, route, body, { authorization: `token ${token}` });
  const denied = await as('reader', 'POST', '~/git/refs', { ref: 'refs/heads/denied', sha: forge.head });
  assert.deepEqual(message(denied), [403, 'Resource not accessible by personal access token']);
  assert.equal(denied.headers['x-accepted-github-permissions'], 'contents=write');
  assert.equal((await as('reader', 'GET', '~')).body.permissions.push, false);
  assert.equal((await as('reader', 'GET', '~/pulls')).status, 403);
  assert.equal((await as('elsewhere', 'GET', '~')).status, 404);
  assert.deepEqual(message(await as('wrong', 'GET', '~')), [401, 'Bad credentials']);
  assert.deepEqual(message(await ask('GET', '~', undefined, { authorization: `Basic ${TOKEN}` })), [401, 'Bad credentials']);
  assert.deepEqual(message(await ask('GET', '~', undefined, { authorization: null })), [401, 'Requires authentication']);
  assert.equal((await ask('GET', '~', undefined, { 'user-agent': null })).status, 403);
});
