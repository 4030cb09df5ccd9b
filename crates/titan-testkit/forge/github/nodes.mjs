// What a query of GraphQL may read: repositories, references and the objects behind them.

import { nodeId } from './show.mjs';

export function repositoryNode(at, holder, repo) {
  return {
    __typename: 'Repository',
    id: nodeId('Repository', repo.id),
    databaseId: repo.id,
    name: repo.name,
    nameWithOwner: repo.fullName,
    owner: { __typename: 'Organization', login: repo.owner },
    url: `${at.html}/${repo.fullName}`,
    isPrivate: true,
    viewerPermission: holder.permissions.contents === 'write' ? 'WRITE' : 'READ',
    defaultBranchRef: () => refNode(at, repo, `refs/heads/${repo.defaultBranch}`),
    ref: ({ qualifiedName }) => refNode(at, repo, fullRef(repo, qualifiedName)),
    object: ({ oid, expression }) => objectNode(at, repo, oid ?? find(repo, expression)),
  };
}

/** Null when there is none. */
export function refNode(at, repo, name) {
  const sha = name && repo.git.ref(name);
  if (!sha) return null;
  const [, prefix, short] = /^(refs\/[^/]+\/)(.*)$/.exec(name);
  return {
    __typename: 'Ref',
    id: refId(repo, name),
    name: short,
    prefix,
    target: () => objectNode(at, repo, sha),
    repository: () => ({ nameWithOwner: repo.fullName }),
  };
}

export function refId(repo, name) {
  return nodeId('Ref', `${repo.id}:${name}`);
}

/** `main`, `heads/main` or `refs/heads/main`. */
function fullRef(repo, name) {
  return [name, `refs/${name}`, `refs/heads/${name}`, `refs/tags/${name}`].find((each) => each.startsWith('refs/') && repo.git.ref(each));
}

/** `HEAD:README.md`, `main:docs`, `main` or an id. */
function find(repo, expression) {
  const [name, path] = expression.split(/:(.*)/s);
  const commit = repo.git.commitOf(name === 'HEAD' ? repo.defaultBranch : name.replace(/^refs\//, ''));
  if (!commit || path === undefined) return commit;
  return path === '' ? repo.git.treeOf(commit) : (repo.git.entry(commit, path.replace(/\/$/, ''))?.sha ?? null);
}

export function objectNode(at, repo, sha) {
  const type = sha && repo.git.type(sha);
  if (!type) return null;
  const common = {
    id: nodeId(type, sha),
    oid: sha,
    abbreviatedOid: sha.slice(0, 7),
    commitUrl: `${at.html}/${repo.fullName}/commit/${sha}`,
  };
  if (type === 'commit') return { ...common, ...commitFields(at, repo, sha) };
  return type === 'tree' ? { ...common, ...treeFields(at, repo, sha) } : { ...common, ...blobFields(repo, sha) };
}

function commitFields(at, repo, sha) {
  const { tree, parents, message, author, committer } = repo.git.commit(sha);
  const [headline, ...rest] = message.split('\n\n');
  return {
    __typename: 'Commit',
    url: `${at.html}/${repo.fullName}/commit/${sha}`,
    message,
    messageHeadline: headline,
    messageBody: rest.join('\n\n'),
    authoredDate: author.date,
    committedDate: committer.date,
    tree: () => objectNode(at, repo, tree),
    file: ({ path }) => entryNode(at, repo, repo.git.entry(sha, path)),
    parents: ({ first = 100 }) => {
      const nodes = parents.slice(0, first).map((parent) => objectNode(at, repo, parent));
      return { nodes, totalCount: parents.length };
    },
  };
}

function treeFields(at, repo, sha) {
  return { __typename: 'Tree', entries: () => repo.git.tree(sha, false).map((entry) => entryNode(at, repo, entry)) };
}

function entryNode(at, repo, entry) {
  if (!entry) return null;
  const { mode, type, sha, path } = entry;
  const name = path.split('/').pop();
  return { __typename: 'TreeEntry', name, path, type, oid: sha, mode: Number.parseInt(mode, 8), object: () => objectNode(at, repo, sha) };
}

function blobFields(repo, sha) {
  const content = repo.git.blob(sha);
  const isBinary = content.includes(0);
  return { __typename: 'Blob', byteSize: content.length, isBinary, isTruncated: false, text: isBinary ? null : content.toString() };
}
