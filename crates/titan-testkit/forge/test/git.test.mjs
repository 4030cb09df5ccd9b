// References, blobs, trees and commits: what GitHub documents, and what lies in the bare repository afterwards.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { branch, message, start } from './helpers.mjs';

const forge = await start();
const { ask, git, head } = forge;
const ZERO = '1'.repeat(40);

test('a reference is read, listed and not found', async () => {
  const { status, body } = await ask('GET', '~/git/ref/heads/main');
  assert.deepEqual([status, body.ref, body.object.sha, body.object.type], [200, 'refs/heads/main', head, 'commit']);
  await branch(forge, 'titan/ops/1');
  assert.equal((await ask('GET', '~/git/ref/heads/titan/ops/1')).status, 200);
  const listed = await ask('GET', '~/git/matching-refs/heads/titan/ops');
  assert.deepEqual(
    listed.body.map(({ ref }) => ref),
    ['refs/heads/titan/ops/1'],
  );
  assert.deepEqual((await ask('GET', '~/git/matching-refs/heads/none')).body, []);
  assert.deepEqual(message(await ask('GET', '~/git/ref/heads/mai')), [404, 'Not Found']);
});

test('a reference is made once, moved forward only, and removed once', async () => {
  const make = (body) => ask('POST', '~/git/refs', body);
  assert.equal((await make({ ref: 'refs/heads/made', sha: head })).status, 201);
  assert.equal(git('rev-parse', 'made'), head);
  assert.deepEqual(message(await make({ ref: 'refs/heads/made', sha: head })), [422, 'Reference already exists']);
  assert.deepEqual(message(await make({ ref: 'refs/heads/made/below', sha: head })), [422, 'Reference update failed']);
  assert.deepEqual(message(await make({ ref: 'refs/heads/other', sha: ZERO })), [422, 'Object does not exist']);
  assert.equal((await make({ ref: 'made', sha: head })).status, 422);
  assert.equal((await make({ ref: 'refs/heads/a..b', sha: head })).status, 422);

  const next = await branch(forge, 'ahead');
  const move = (name, body) => ask('PATCH', `~/git/refs/heads/${name}`, body);
  assert.equal((await move('made', { sha: next })).body.object.sha, next);
  assert.deepEqual(message(await move('made', { sha: head })), [422, 'Update is not a fast forward']);
  assert.equal((await move('made', { sha: head, force: true })).status, 200);
  assert.equal(git('rev-parse', 'made'), head);
  assert.deepEqual(message(await move('none', { sha: head })), [422, 'Reference does not exist']);

  const remove = () => ask('DELETE', '~/git/refs/heads/made');
  assert.deepEqual([(await remove()).status, message(await remove())], [204, [422, 'Reference does not exist']]);
});

test('blobs, a tree on another one, a commit: as git itself would have made them', async () => {
  const blob = await ask('POST', '~/git/blobs', { content: Buffer.from('\0binary').toString('base64'), encoding: 'base64' });
  assert.equal(blob.status, 201);
  assert.equal(git('cat-file', '-s', blob.body.sha), '7');
  const read = await ask('GET', `~/git/blobs/${blob.body.sha}`);
  assert.equal(Buffer.from(read.body.content, 'base64').toString(), '\0binary');

  const tree = await ask('POST', '~/git/trees', {
    base_tree: head,
    tree: [
      { path: 'bin/run', mode: '100755', type: 'blob', content: '#!/bin/sh\n' },
      { path: 'data', mode: '100644', type: 'blob', sha: blob.body.sha },
      { path: 'README.md', mode: '100644', type: 'blob', sha: null },
    ],
  });
  assert.equal(tree.status, 201, tree.text);
  assert.equal(git('ls-tree', '-r', '--format=%(objectmode) %(path)', tree.body.sha), '100755 bin/run\n100644 data');
  const recursive = await ask('GET', `~/git/trees/${tree.body.sha}?recursive=1`);
  assert.deepEqual(
    recursive.body.tree.map(({ path, type }) => `${type} ${path}`),
    ['tree bin', 'blob bin/run', 'blob data'],
  );
  assert.deepEqual(
    (await ask('GET', `~/git/trees/${tree.body.sha}`)).body.tree.map(({ path }) => path),
    ['bin', 'data'],
  );

  const whole = {
    message: 'A title\n\nA body',
    tree: tree.body.sha,
    parents: [head],
    author: { name: 'A', email: 'a@example.com', date: '2026-01-02T03:04:05Z' },
  };
  const commit = await ask('POST', '~/git/commits', whole);
  assert.equal(commit.status, 201, commit.text);
  assert.equal(git('log', '-1', '--format=%an %ae %at %P %B', commit.body.sha), `A a@example.com 1767323045 ${head} A title\n\nA body`);
  assert.equal((await ask('GET', `~/git/commits/${commit.body.sha}`)).body.author.date, '2026-01-02T03:04:05Z');
  git('fsck', '--strict');
});

test('a whole folder replaces what was there', async () => {
  const base = await branch(forge, 'folders', [
    { path: 'a/old', content: 'old' },
    { path: 'b/new', content: 'new' },
  ]);
  const subtree = git('rev-parse', `${base}:b`);
  const tree = await ask('POST', '~/git/trees', { base_tree: base, tree: [{ path: 'a', mode: '040000', type: 'tree', sha: subtree }] });
  assert.equal(git('ls-tree', '-r', '--name-only', tree.body.sha), 'README.md\na/new\nb/new');
});

test('what makes no tree and no commit is refused', async () => {
  const tree = async (entry) => message(await ask('POST', '~/git/trees', { base_tree: head, tree: [entry] }));
  assert.deepEqual(await tree({ path: 'none', mode: '100644', type: 'blob', sha: null }), [422, 'GitRPC::BadObjectState']);
  for (const path of ['../up', '.git/config', 'a//b', '/root', 'a/.GIT/b']) {
    assert.deepEqual(
      await tree({ path, mode: '100644', type: 'blob', content: 'x' }),
      [422, 'tree.path contains a malformed path component'],
      path,
    );
  }
  assert.equal((await tree({ path: 'x', mode: '100644', type: 'blob', sha: ZERO }))[0], 422);
  assert.equal((await tree({ path: 'x', mode: '100644', type: 'blob', sha: head }))[0], 422);
  const commit = async (more) =>
    message(await ask('POST', '~/git/commits', { message: 'm', tree: git('rev-parse', `${head}^{tree}`), parents: [head], ...more }));
  assert.deepEqual(await commit({ tree: head }), [422, 'Tree SHA does not exist']);
  assert.deepEqual(await commit({ parents: [ZERO] }), [422, 'Parent SHA does not exist or is not a commit object']);
});

test('the repository, a commit and a comparison', async () => {
  const about = await ask('GET', '~');
  assert.deepEqual([about.body.default_branch, about.body.permissions.push, about.body.full_name], ['main', true, 'acme/titan']);
  const sha = await branch(forge, 'compared', [{ path: 'README.md', content: 'other\n' }]);
  const commit = await ask('GET', '~/commits/compared');
  assert.deepEqual([commit.body.sha, commit.body.files[0].status], [sha, 'modified']);
  const compared = await ask('GET', '~/compare/main...compared');
  assert.deepEqual([compared.body.status, compared.body.ahead_by, compared.body.behind_by, compared.body.files.length], ['ahead', 1, 0, 1]);
  assert.equal((await ask('GET', '~/compare/compared...main')).body.status, 'behind');
  assert.equal((await ask('GET', '~/compare/main...none')).status, 404);
  assert.deepEqual(message(await ask('GET', `~/commits/${ZERO}`)), [422, `No commit found for SHA: ${ZERO}`]);
});
