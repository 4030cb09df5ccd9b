// The mutation createCommitOnBranch: one commit with all its files, if the branch stands where the caller thinks.
// https://docs.github.com/graphql/reference/mutations#createcommitonbranch

import { isBadPath } from './objects.mjs';
import { objectNode, refId, refNode } from './nodes.mjs';

const GITHUB = { name: 'GitHub', email: 'noreply@github.com' };

/** `find` gives the repository of a name, and refuses who may not write there. */
export function createCommitOnBranch({ at, holder, input, find, Problem }) {
  const { repo, ref } = branchOf(at, input.branch, find, Problem);
  const head = repo.git.ref(ref);
  const unprocessable = (message) => new Problem('UNPROCESSABLE', message);
  if (!head) throw new Problem('NOT_FOUND', `The branch ${ref} does not exist.`);
  if (head !== input.expectedHeadOid)
    throw new Problem('STALE_DATA', `Expected branch to point to "${input.expectedHeadOid}" but it did not.  Pull and try again.`);
  if (!input.message.headline.trim()) throw unprocessable('A commit headline is required');
  const { additions = [], deletions = [] } = input.fileChanges ?? {};
  const paths = [...additions, ...deletions].map(({ path }) => path);
  const bad = paths.find(isBadPath);
  if (bad !== undefined) throw unprocessable(`"${bad}" is not a valid path`);
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) throw unprocessable(`A path was requested more than once: ${twice}`);
  const missing = deletions.find(({ path }) => repo.git.entry(head, path)?.type !== 'blob');
  if (missing) throw unprocessable(`A path was requested for deletion which does not exist as of commit oid \`${head}\``);
  // The mutation knows no modes: what it writes is an ordinary file, whatever was there.
  const added = additions.map(({ path, contents }) => ({ path, mode: '100644', sha: repo.git.writeBlob(Buffer.from(contents, 'base64')) }));
  const tree = repo.git.writeTree(repo.git.treeOf(head), [...deletions.map(({ path }) => ({ path })), ...added]);
  const message = [input.message.headline, input.message.body].filter(Boolean).join('\n\n');
  const date = at.world.now();
  const { user } = holder;
  const author = { name: user.login, email: `${user.id}+${user.login}@users.noreply.example.com`, date };
  const sha = repo.git.writeCommit({ tree, parents: [head], message, author, committer: { ...GITHUB, date } });
  repo.moveRef(ref, sha, head, 'commit-on-branch');
  return { clientMutationId: input.clientMutationId ?? null, commit: () => objectNode(at, repo, sha), ref: () => refNode(at, repo, ref) };
}

/** By name, with or without `refs/heads/`, or by the id of its reference. */
function branchOf(at, { id, repositoryNameWithOwner, branchName }, find, Problem) {
  if (id) {
    for (const repo of at.world.repositories.values()) {
      const found = repo.git.refs('refs/heads/').find(({ name }) => refId(repo, name) === id);
      if (found) return { repo: find(repo.fullName), ref: found.name };
    }
    throw new Problem('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`);
  }
  if (!repositoryNameWithOwner || !branchName)
    throw new Problem('UNPROCESSABLE', 'A branch is given by its id, or by repositoryNameWithOwner and branchName');
  return { repo: find(repositoryNameWithOwner), ref: `refs/heads/${branchName.replace(/^refs\/heads\//, '')}` };
}
