// One commit with many files. A file that is there is named with its id, and somebody else's change to it is refused by that.

import { isBase64, isBadPath } from '../github/objects.mjs';
import { Refusal } from './errors.mjs';
import { unsigned } from './show.mjs';

export function changeFiles({ at, repo, body, holder }) {
  const from = body.branch || repo.defaultBranch;
  const to = body.new_branch || from;
  const parent = repo.head(from);
  if (!parent) throw new Refusal(404, `branch does not exist [name: ${from}]`);
  if (to !== from && repo.head(to)) throw new Refusal(422, `branch already exists [name: ${to}]`);
  if (!body.files.length) throw new Refusal(422, 'no files are given');
  const changes = body.files.flatMap((file) => change(repo, parent, file));
  const tree = repo.git.writeTree(repo.git.treeOf(parent), changes);
  const { user } = holder;
  const self = { name: user.login, email: `${user.login}@noreply.example.com` };
  const author = { ...self, ...body.author, date: body.dates?.author ?? at.world.now() };
  const committer = { ...self, ...body.committer, date: body.dates?.committer ?? at.world.now() };
  const message = `${(body.message || `Change ${body.files.length} files`).trimEnd()}\n`;
  const sha = repo.git.writeCommit({ tree, parents: [parent], message, author, committer });
  repo.moveRef(`refs/heads/${to}`, sha, to === from ? parent : null, 'contents');
  const files = body.files.map(({ operation, path }) => (operation === 'delete' ? null : showContent(at, repo, to, sha, path)));
  return { status: 201, body: { files, commit: showCommit(at, repo, sha), verification: unsigned() } };
}

function change(repo, parent, { operation, path, from_path: old, content, sha }) {
  if (isBadPath(path)) throw new Refusal(422, `path contains a malformed path component [path: ${path}]`);
  const before = repo.git.entry(parent, old ?? path);
  if (operation === 'create') {
    if (before) throw new Refusal(422, `repository file already exists [path: ${path}]`);
  } else {
    if (!before || before.type === 'tree') throw new Refusal(404, `repository file does not exist [path: ${old ?? path}]`);
    if (!sha) throw new Refusal(422, 'a SHA or commit ID must be proved when updating a file');
    if (sha !== before.sha) throw new Refusal(422, `sha does not match [given: ${sha}, expected: ${before.sha}]`);
  }
  if (operation === 'delete') return [{ path }];
  if (!isBase64(content ?? '')) throw new Refusal(422, 'illegal base64 data');
  // What was there keeps its mode.
  const written = { path, mode: before?.mode ?? '100644', sha: repo.git.writeBlob(Buffer.from(content ?? '', 'base64')) };
  return old && old !== path ? [{ path: old }, written] : [written];
}

function showCommit(at, repo, sha) {
  const { tree, parents, message, author, committer } = repo.git.commit(sha);
  const url = `${at.api}/repos/${repo.fullName}/git`;
  return {
    sha,
    url: `${url}/commits/${sha}`,
    html_url: `${at.html}/${repo.fullName}/commit/${sha}`,
    created: committer.date,
    author,
    committer,
    message,
    tree: { sha: tree, url: `${url}/trees/${tree}`, created: committer.date },
    parents: parents.map((parent) => ({ sha: parent, url: `${url}/commits/${parent}`, created: repo.git.commit(parent).committer.date })),
  };
}

function showContent(at, repo, branch, commit, path) {
  const { sha, size } = repo.git.entry(commit, path);
  const url = `${at.api}/repos/${repo.fullName}`;
  const name = path.split('/').map(encodeURIComponent).join('/');
  const self = `${url}/contents/${name}?ref=${encodeURIComponent(branch)}`;
  const git = `${url}/git/blobs/${sha}`;
  const html = `${at.html}/${repo.fullName}/src/branch/${branch}/${name}`;
  return {
    name: path.split('/').pop(),
    path,
    sha,
    last_commit_sha: commit,
    type: 'file',
    size,
    encoding: 'base64',
    content: repo.git.blob(sha).toString('base64'),
    target: null,
    url: self,
    html_url: html,
    git_url: git,
    download_url: `${at.html}/${repo.fullName}/raw/branch/${branch}/${name}`,
    submodule_git_url: null,
    _links: { self, git, html },
  };
}
