// Branches.

import { Refusal, notFound } from './errors.mjs';
import { page, showPayloadCommit } from './show.mjs';

export function listBranches(context) {
  const { at, repo } = context;
  return page(
    context,
    repo.branches().map(({ name }) => show(at, repo, name)),
  );
}

export function getBranch({ at, repo, params }) {
  if (!repo.head(params.branch)) throw notFound();
  return { body: show(at, repo, params.branch) };
}

export function createBranch({ at, repo, body }) {
  const { new_branch_name: name, old_ref_name: from = body.old_branch_name || repo.defaultBranch } = body;
  const sha = repo.git.commitOf(from);
  if (!sha) throw new Refusal(404, 'The old branch does not exist');
  if (!repo.git.isRefName(`refs/heads/${name}`)) throw new Refusal(422, `${name} is no name of a branch`);
  const names = repo.branches().map((branch) => branch.name);
  if (names.includes(name)) throw new Refusal(409, 'The branch already exists.');
  if (names.some((other) => other.startsWith(`${name}/`) || name.startsWith(`${other}/`)))
    throw new Refusal(409, 'The branch with the same tag already exists.');
  repo.moveRef(`refs/heads/${name}`, sha, null, 'ref.create');
  return { status: 201, body: show(at, repo, name) };
}

export function deleteBranch({ repo, params }) {
  const sha = repo.head(params.branch);
  if (!sha) throw notFound();
  if (params.branch === repo.defaultBranch) throw new Refusal(403, 'can not delete default branch');
  repo.moveRef(`refs/heads/${params.branch}`, null, sha, 'ref.delete');
  return { status: 204 };
}

function show(at, repo, name) {
  return {
    name,
    commit: showPayloadCommit(at, repo, repo.head(name)),
    protected: repo.protection !== null && name === repo.defaultBranch,
    required_approvals: 0,
    enable_status_check: false,
    status_check_contexts: [],
    user_can_push: true,
    user_can_merge: true,
    effective_branch_protection_name: '',
  };
}
