// GraphQL: the commit on a branch, what may be read, and that a query which is wrong at GitHub is wrong here.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { REPO, branch, start } from './helpers.mjs';

const forge = await start();
const { ask, git, order, violations } = forge;
const MUTATION = `mutation($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid message tree { oid } } ref { name target { oid } } }
}`;
const b64 = (text) => Buffer.from(text).toString('base64');

async function commit(more = {}, headers = {}) {
  const input = {
    branch: { repositoryNameWithOwner: REPO, branchName: 'work' },
    message: { headline: 'A title', body: 'A text' },
    ...more,
  };
  const answer = await ask('POST', '/graphql', { query: MUTATION, variables: { input } }, headers);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}
const problem = ({ errors }) => [errors[0].type, errors[0].message];

test('a commit with all its files, or the branch is elsewhere', async () => {
  const head = await branch(forge, 'work', [
    { path: 'old.txt', content: 'old' },
    { path: 'run', content: '#!', mode: '100755' },
  ]);
  const fileChanges = {
    additions: [
      { path: 'a/new.txt', contents: b64('new\n') },
      { path: 'run', contents: b64('#!/bin/sh') },
    ],
    deletions: [{ path: 'old.txt' }],
  };
  const { data } = await commit({ expectedHeadOid: head, fileChanges });
  const { oid } = data.createCommitOnBranch.commit;
  assert.equal(git('rev-parse', 'work'), oid);
  assert.equal(data.createCommitOnBranch.ref.target.oid, oid);
  assert.equal(git('log', '-1', '--format=%P|%an|%cn|%B', 'work'), `${head}|titan|GitHub|A title\n\nA text`);
  // It knows no modes, as GitHub's does not.
  assert.equal(git('ls-tree', '-r', '--format=%(objectmode) %(path)', 'work'), '100644 README.md\n100644 a/new.txt\n100644 run');
  assert.equal(git('show', 'work:a/new.txt'), 'new');

  const stale = await commit({ expectedHeadOid: head, fileChanges: { additions: [{ path: 'x', contents: '' }] } });
  assert.deepEqual(problem(stale), ['STALE_DATA', `Expected branch to point to "${head}" but it did not.  Pull and try again.`]);
  assert.deepEqual([stale.data, stale.errors[0].path], [{ createCommitOnBranch: null }, ['createCommitOnBranch']]);
  assert.equal(git('rev-parse', 'work'), oid);
});

test('what cannot be committed is refused, and nothing moves', async () => {
  const head = git('rev-parse', 'work');
  const refused = async (fileChanges, more = {}) => problem(await commit({ expectedHeadOid: head, fileChanges, ...more }))[0];
  assert.equal(await refused({ deletions: [{ path: 'none' }] }), 'UNPROCESSABLE');
  assert.equal(await refused({ additions: [{ path: '../up', contents: '' }] }), 'UNPROCESSABLE');
  assert.equal(await refused({ additions: [{ path: 'x', contents: '' }], deletions: [{ path: 'x' }] }), 'UNPROCESSABLE');
  assert.equal(await refused({}, { branch: { repositoryNameWithOwner: REPO, branchName: 'none' } }), 'NOT_FOUND');
  assert.equal(await refused({}, { branch: { repositoryNameWithOwner: 'acme/none', branchName: 'work' } }), 'NOT_FOUND');
  await order('token', { token: 'reader', permissions: { contents: 'read', metadata: 'read' } });
  assert.equal(problem(await commit({ expectedHeadOid: head }, { authorization: 'bearer reader' }))[0], 'FORBIDDEN');
  assert.equal(git('rev-parse', 'work'), head);
});

test('repositories, references and objects are read', async () => {
  const query = `query($owner: String!, $name: String!) {
    repository(owner: $owner, name: $name) {
      nameWithOwner viewerPermission defaultBranchRef { name target { oid } }
      ref(qualifiedName: "refs/heads/work") { name prefix target { ... on Commit { oid messageHeadline file(path: "a/new.txt") { mode } } } }
      missing: ref(qualifiedName: "refs/heads/none") { name }
      object(expression: "work:a/new.txt") { __typename ... on Blob { text byteSize } }
      folder: object(expression: "work:a") { ... on Tree { entries { name type mode } } }
    }
    rateLimit { remaining }
  }`;
  const { body } = await ask('POST', '/graphql', { query, variables: { owner: 'acme', name: 'titan' } });
  assert.equal(body.errors, undefined, JSON.stringify(body.errors));
  const { repository } = body.data;
  assert.deepEqual([repository.viewerPermission, repository.missing, repository.defaultBranchRef.target.oid], ['WRITE', null, forge.head]);
  assert.deepEqual(repository.ref, {
    name: 'work',
    prefix: 'refs/heads/',
    target: { oid: git('rev-parse', 'work'), messageHeadline: 'A title', file: { mode: 0o100644 } },
  });
  assert.deepEqual(repository.object, { __typename: 'Blob', text: 'new\n', byteSize: 4 });
  assert.deepEqual(repository.folder.entries, [{ name: 'new.txt', type: 'blob', mode: 0o100644 }]);
});

test('a wrong query or a wrong variable is an error and a violation', async () => {
  const wrong = async (query, variables) => {
    const { status, body } = await ask('POST', '/graphql', { query, variables });
    const seen = await violations();
    const [{ type, extensions }] = body.errors;
    assert.deepEqual([status, seen.length > 0, type, typeof extensions.code], [200, true, undefined, 'string'], query);
    return body.errors[0].message;
  };
  assert.match(await wrong('{ repository(owner: "acme", name: "titan") { nmae } }'), /Cannot query field "nmae"/);
  assert.match(await wrong('{ repository(owner: "acme") { name } }'), /argument "name"/);
  assert.match(await wrong('{ repository('), /Syntax Error/);
  const input = { branch: { repositoryNameWithOwner: REPO, branchName: 'work' }, message: { headline: 'x' }, expectedHeadOid: 'main' };
  assert.match(await wrong(MUTATION, { input }), /GitObjectID/);
  assert.match(
    await wrong(MUTATION, {
      input: { ...input, expectedHeadOid: forge.head, fileChanges: { additions: [{ path: 'x', contents: 'not base64!' }] } },
    }),
    /Base64String/,
  );
  assert.match(await wrong(MUTATION, { input: { ...input, expectedHeadOid: forge.head, force: true } }), /"force" is not defined/);
  assert.match(await wrong('{ repository(owner: "acme", name: "titan") { stargazerCount } }'), /does not carry Repository\.stargazerCount/);
});
