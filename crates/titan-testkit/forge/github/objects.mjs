// Blobs, trees and commits: https://docs.github.com/rest/git

import { notFound, unprocessable } from './errors.mjs';
import { nodeId, showGitCommit } from './show.mjs';

const FOLDER = '040000';
const SUBMODULE = '160000';
const TYPE = { [FOLDER]: 'tree', [SUBMODULE]: 'commit' };
const MOST_ENTRIES = 100_000;

export function createBlob({ at, repo, body }) {
  const { content, encoding = 'utf-8' } = body;
  if (!['utf-8', 'base64'].includes(encoding)) throw unprocessable('encoding must be utf-8 or base64');
  if (encoding === 'base64' && !isBase64(content)) throw unprocessable('content is not valid Base64');
  const sha = repo.git.writeBlob(Buffer.from(content, encoding));
  repo.record('blob', { sha });
  const url = `${at.api}/repos/${repo.fullName}/git/blobs/${sha}`;
  return { status: 201, body: { sha, url }, headers: { location: url } };
}

export function getBlob({ at, repo, params }) {
  if (repo.git.type(params.file_sha) !== 'blob') throw notFound();
  const content = repo.git.blob(params.file_sha);
  // GitHub breaks the lines.
  const text = content.toString('base64').replace(/.{60}/g, '$&\n');
  const url = `${at.api}/repos/${repo.fullName}/git/blobs/${params.file_sha}`;
  const node_id = nodeId('Blob', params.file_sha);
  return { body: { sha: params.file_sha, node_id, size: content.length, url, content: text, encoding: 'base64' } };
}

export function createTree({ at, repo, body }) {
  const base = body.base_tree ? treeOf(repo, body.base_tree) : null;
  if (body.base_tree && !base) throw unprocessable('base_tree is not a valid tree oid');
  const changes = body.tree.map((entry) => change(repo, base, entry));
  const sha = repo.git.writeTree(base, changes);
  repo.record('tree', { sha });
  const shown = show(at, repo, sha, false);
  return { status: 201, body: shown, headers: { location: shown.url } };
}

export function getTree({ at, repo, params, query }) {
  const sha = treeOf(repo, params.tree_sha) ?? treeOf(repo, repo.git.commitOf(params.tree_sha));
  if (!sha) throw notFound();
  // Any value asks for it, 0 and false too.
  return { body: show(at, repo, sha, query.recursive !== undefined) };
}

export function createCommit({ at, repo, body, holder }) {
  const parents = body.parents ?? [];
  if (repo.git.type(body.tree) !== 'tree') throw unprocessable('Tree SHA does not exist');
  if (!parents.every((sha) => repo.git.type(sha) === 'commit')) throw unprocessable('Parent SHA does not exist or is not a commit object');
  const self = { name: holder.user.login, email: `${holder.user.id}+${holder.user.login}@users.noreply.example.com`, date: at.world.now() };
  const author = { ...self, ...body.author };
  const sha = repo.git.writeCommit({
    tree: body.tree,
    parents,
    message: body.message,
    author,
    committer: { ...author, ...body.committer },
  });
  repo.record('commit', { sha });
  const shown = showGitCommit(at, repo, repo.git.commit(sha));
  return { status: 201, body: shown, headers: { location: shown.url } };
}

export function getCommit({ at, repo, params }) {
  if (repo.git.type(params.commit_sha) !== 'commit') throw notFound();
  return { body: showGitCommit(at, repo, repo.git.commit(params.commit_sha)) };
}

export function isBase64(text) {
  return /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text);
}

/** A path that git would not take, or that leaves the tree. */
export function isBadPath(path) {
  const parts = path.split('/');
  return (
    path === '' ||
    path.includes('\0') ||
    parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git')
  );
}

/** The tree that an id stands for: its own or a commit's. */
function treeOf(repo, sha) {
  const type = repo.git.type(sha);
  if (type === 'commit') return repo.git.treeOf(sha);
  return type === 'tree' ? sha : null;
}

function change(repo, base, { path, mode, type, sha, content }) {
  if (!path || isBadPath(path)) throw unprocessable('tree.path contains a malformed path component');
  if (sha !== undefined && content !== undefined) throw unprocessable('Must supply either tree.sha or tree.content, not both');
  if (sha === null) {
    if (!base || !repo.git.entry(base, path)) throw unprocessable('GitRPC::BadObjectState');
    return { path };
  }
  if (!mode) throw unprocessable('Must supply a valid tree.mode');
  if (content !== undefined) return { path, mode, sha: repo.git.writeBlob(content) };
  const wanted = TYPE[mode] ?? 'blob';
  if (type && type !== wanted) throw unprocessable(`tree.type ${type} does not match mode ${mode}`);
  // A submodule's commit lies elsewhere.
  if (sha === undefined || (mode !== SUBMODULE && repo.git.type(sha) !== wanted))
    throw unprocessable(`tree.sha ${sha} is not a valid ${wanted}`);
  return { path, mode, sha };
}

function show(at, repo, sha, recursive) {
  const url = `${at.api}/repos/${repo.fullName}/git`;
  const entries = repo.git.tree(sha, recursive);
  const tree = entries.slice(0, MOST_ENTRIES).map(({ mode, type, sha: own, size, path }) => {
    const more = type === 'commit' ? {} : { url: `${url}/${type}s/${own}` };
    return { path, mode, type, sha: own, ...(size === undefined ? {} : { size }), ...more };
  });
  return { sha, url: `${url}/trees/${sha}`, tree, truncated: entries.length > MOST_ENTRIES };
}
