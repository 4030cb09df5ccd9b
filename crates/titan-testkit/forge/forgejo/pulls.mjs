// Pull requests and their merging.

import { Refusal, notFound } from './errors.mjs';
import { page, showRepository, showUser } from './show.mjs';

const ORDER = {
  oldest: (a, b) => a.number - b.number,
  recentupdate: (a, b) => b.updatedAt.localeCompare(a.updatedAt) || b.number - a.number,
  leastupdate: (a, b) => a.updatedAt.localeCompare(b.updatedAt) || a.number - b.number,
};

export function listPulls(context) {
  const { at, repo, query } = context;
  const { state = 'open', base, head, sort } = query;
  const found = repo.pulls
    .filter((pull) => state === 'all' || pull.state === state)
    .filter((pull) => (base === undefined || pull.base === base) && (head === undefined || pull.branch === head))
    .sort(ORDER[sort] ?? ((a, b) => b.number - a.number));
  return page(
    context,
    found.map((pull) => show(at, repo, pull)),
  );
}

export function createPull({ at, repo, body, holder }) {
  const { title, base } = body;
  const branch = (body.head ?? '').replace(new RegExp(`^${repo.owner}:`, 'i'), '');
  if (!title) throw new Refusal(422, '[Title]: Required');
  if (!base || !repo.head(base) || !repo.head(branch)) throw notFound();
  const other = repo.pulls.find((pull) => pull.state === 'open' && pull.branch === branch && pull.base === base);
  if (other) {
    const ids = `id: ${other.id}, issue_id: ${other.id}, head_repo_id: ${repo.id}, base_repo_id: ${repo.id}, head_branch: ${branch}, base_branch: ${base}`;
    throw new Refusal(409, `pull request already exists for these targets [${ids}]`);
  }
  const pull = repo.open({ title, body: body.body ?? '', branch, base, user: holder.user });
  return { status: 201, body: show(at, repo, pull) };
}

export function getPull({ at, repo, params }) {
  return { body: show(at, repo, pullOf(repo, params)) };
}

export function updatePull({ at, repo, params, body }) {
  const pull = pullOf(repo, params);
  const { title, body: text, base, state } = body;
  if (base !== undefined && !repo.head(base)) throw notFound();
  if (state !== undefined && !['open', 'closed'].includes(state)) throw new Refusal(422, `unknown state: ${state}`);
  if (pull.mergedAt && state !== undefined) throw new Refusal(412, `cannot change state of this pull request, it was already merged`);
  if (state === 'closed') repo.close(pull);
  if (state === 'open') {
    if (!repo.head(pull.branch)) throw notFound();
    repo.reopen(pull);
  }
  if (title !== undefined || text !== undefined || base !== undefined) repo.edit(pull, { title, body: text, base });
  return { status: 201, body: show(at, repo, pull) };
}

export function mergePull({ at, repo, params, body, holder }) {
  const pull = pullOf(repo, params);
  const { Do: method, MergeTitleField: title, MergeMessageField: text, head_commit_id: head, delete_branch_after_merge: remove } = body;
  if (pull.mergedAt) throw new Refusal(405, 'The PR is already merged');
  if (pull.state !== 'open') throw notFound();
  if (!['merge', 'squash'].includes(method)) throw new Refusal(405, `${method} is not an allowed merge style for this repository`);
  if (repo.protection) throw new Refusal(405, repo.protection);
  if (repo.tryMerge(pull).conflicts) throw new Refusal(405, 'Please try again later');
  if (head && head !== pull.head) throw new Refusal(409, 'head out of date');
  const usual =
    method === 'squash'
      ? `${pull.title} (#${pull.number})`
      : `Merge pull request '${pull.title}' (#${pull.number}) from ${pull.branch} into ${pull.base}`;
  const message = `${[title || usual, text].filter(Boolean).join('\n\n')}\n`;
  const author = { name: holder.user.login, email: `${holder.user.login}@noreply.example.com`, date: at.world.now() };
  pull.mergedBy = holder.user;
  repo.merge(pull, { method, message, author, committer: author });
  if (remove) repo.moveRef(`refs/heads/${pull.branch}`, null, pull.head, 'ref.delete');
  return { status: 200 };
}

export function pullOf(repo, params) {
  const pull = repo.pull(params.index);
  if (!pull) throw notFound();
  return pull;
}

function show(at, repo, pull) {
  const html = `${at.html}/${repo.fullName}/pulls/${pull.number}`;
  const side = (label, ref, sha) => ({ label, ref, sha, repo_id: repo.id, repo: showRepository(at, repo) });
  const isThere = pull.state === 'open';
  return {
    id: pull.id,
    url: html,
    number: pull.number,
    user: showUser(at, pull.user),
    title: pull.title,
    body: pull.body,
    labels: [],
    milestone: null,
    assignee: null,
    assignees: null,
    requested_reviewers: null,
    state: pull.state,
    draft: false,
    is_locked: false,
    comments: repo.comments.filter(({ number }) => number === pull.number).length,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    mergeable: isThere && repo.tryMerge(pull).tree !== undefined,
    merged: pull.mergedAt !== null,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommit,
    merged_by: pull.mergedBy ? showUser(at, pull.mergedBy) : null,
    allow_maintainer_edit: false,
    base: side(pull.base, pull.base, repo.head(pull.base) ?? pull.baseSha),
    // The branch of a closed one may be gone; its name and its commit are kept.
    head: side(pull.branch, repo.head(pull.branch) ? pull.branch : `refs/pull/${pull.number}/head`, pull.head),
    merge_base: repo.git.mergeBase(pull.baseSha, pull.head) ?? '',
    due_date: null,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    pin_order: 0,
  };
}
