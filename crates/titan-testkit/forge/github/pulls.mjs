// Pull requests: https://docs.github.com/rest/pulls/pulls

import { combined } from './commits.mjs';
import { invalid, notFound } from './errors.mjs';
import { nodeId, showRepository, showUser } from './show.mjs';

export function listPulls({ at, repo, query, paginate }) {
  const { state = 'open', head, base, sort = 'created', direction } = query;
  const time = sort === 'updated' ? 'updatedAt' : 'createdAt';
  const found = repo.pulls
    .filter((pull) => state === 'all' || pull.state === state)
    // Without its owner the parameter does nothing, as at GitHub.
    .filter((pull) => !head?.includes(':') || head.toLowerCase() === `${repo.owner}:${pull.branch}`.toLowerCase())
    .filter((pull) => base === undefined || pull.base === base)
    .sort((a, b) => a[time].localeCompare(b[time]) || a.number - b.number);
  // Newest first unless said otherwise.
  if (direction !== 'asc') found.reverse();
  return paginate(found.map((pull) => showSimple(at, repo, pull)));
}

export function createPull({ at, repo, body, holder }) {
  const branch = ownBranch(repo, body.head);
  const fault = (field) => invalid({ resource: 'PullRequest', field, code: 'invalid' });
  const custom = (message) => invalid({ resource: 'PullRequest', code: 'custom', message });
  if (!body.title) throw invalid({ resource: 'PullRequest', field: 'title', code: 'missing_field' });
  if (branch === null || !repo.head(branch)) throw fault('head');
  if (!repo.head(body.base)) throw fault('base');
  if (repo.pulls.some((pull) => pull.state === 'open' && pull.branch === branch && pull.base === body.base)) {
    throw custom(`A pull request already exists for ${repo.owner}:${branch}.`);
  }
  if (repo.git.apart(repo.head(body.base), repo.head(branch))[1] === 0) throw custom(`No commits between ${body.base} and ${branch}`);
  const pull = repo.open({
    title: body.title,
    body: body.body ?? null,
    branch,
    base: body.base,
    user: holder.user,
    draft: body.draft ?? false,
  });
  const shown = showPull(at, repo, pull);
  return { status: 201, body: shown, headers: { location: shown.url } };
}

export function getPull({ at, repo, params }) {
  const pull = pullOf(repo, params);
  const shown = showPull(at, repo, pull);
  // GitHub begins to try the merge when somebody asks, so who asks first is not told yet.
  if (pull.state === 'open') repo.tryMerge(pull);
  return { body: shown };
}

export function updatePull({ at, repo, params, body }) {
  const pull = pullOf(repo, params);
  const { title, body: text, state, base } = body;
  if (base !== undefined && !repo.head(base)) throw invalid({ resource: 'PullRequest', field: 'base', code: 'invalid' });
  if (title === '') throw invalid({ resource: 'Issue', field: 'title', code: 'missing_field' });
  if (state === 'open' && pull.state === 'closed') {
    const branchIsGone = !repo.head(pull.branch);
    if (pull.mergedAt || branchIsGone) throw invalid({ resource: 'PullRequest', field: 'state', code: 'invalid' });
    repo.reopen(pull);
  }
  if (state === 'closed') repo.close(pull);
  if (title !== undefined || text !== undefined || base !== undefined) repo.edit(pull, { title, body: text, base });
  return { body: showPull(at, repo, pull) };
}

/** The pull request of a path, or 404. */
export function pullOf(repo, params) {
  const pull = repo.pull(params.pull_number ?? params.issue_number);
  if (!pull) throw notFound();
  return pull;
}

/** `owner:branch` or `branch`; null for somebody else's. */
function ownBranch(repo, head) {
  const [first, ...rest] = (head ?? '').split(':');
  if (!rest.length) return first;
  return first.toLowerCase() === repo.owner.toLowerCase() ? rest.join(':') : null;
}

function showPull(at, repo, pull) {
  const between = repo.git.commitsBetween(pull.baseSha, pull.head);
  const parted = repo.git.mergeBase(pull.baseSha, pull.head) ?? pull.baseSha;
  const files = repo.git.changes(parted, pull.head);
  const sum = (key) => files.reduce((total, file) => total + file[key], 0);
  return {
    ...showSimple(at, repo, pull),
    merged: pull.mergedAt !== null,
    ...mergeability(repo, pull),
    merged_by: pull.mergedBy ? showUser(at, pull.mergedBy) : null,
    comments: repo.comments.filter(({ number }) => number === pull.number).length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: between.length,
    additions: sum('additions'),
    deletions: sum('deletions'),
    changed_files: files.length,
  };
}

function mergeability(repo, pull) {
  const known = pull.state === 'open' && pull.test?.head === pull.head && pull.test.base === repo.head(pull.base);
  if (!known) return { mergeable: null, rebaseable: null, mergeable_state: 'unknown' };
  const mergeable = pull.test.tree !== undefined;
  return { mergeable, rebaseable: mergeable, mergeable_state: mergeable ? standing(repo, pull) : 'dirty' };
}

function standing(repo, pull) {
  if (pull.draft) return 'draft';
  if (repo.protection) return 'blocked';
  const statuses = repo.statusesOf(pull.head);
  const runs = repo.checkRunsOf(pull.head);
  const good = runs.every(({ conclusion }) => ['success', 'neutral', 'skipped'].includes(conclusion));
  return good && (!statuses.length || combined(statuses) === 'success') ? 'clean' : 'unstable';
}

function showSimple(at, repo, pull) {
  const api = `${at.api}/repos/${repo.fullName}`;
  const url = `${api}/pulls/${pull.number}`;
  const issue = `${api}/issues/${pull.number}`;
  const html = `${at.html}/${repo.fullName}/pull/${pull.number}`;
  const owner = at.world.user(repo.owner);
  const side = (ref, sha) => ({ label: `${repo.owner}:${ref}`, ref, sha, user: showUser(at, owner), repo: showRepository(at, repo) });
  const statuses = `${api}/statuses/${pull.head}`;
  const link = (href) => ({ href });
  return {
    url,
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issue,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${api}/pulls/comments{/number}`,
    comments_url: `${issue}/comments`,
    statuses_url: statuses,
    number: pull.number,
    state: pull.state,
    locked: false,
    title: pull.title,
    user: showUser(at, pull.user),
    body: pull.body,
    labels: [],
    milestone: null,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.mergedAt,
    // Of an open one it is the merge that was tried.
    merge_commit_sha: pull.mergeCommit ?? pull.test?.commit ?? null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    draft: pull.draft,
    head: side(pull.branch, pull.head),
    base: side(pull.base, pull.baseSha),
    _links: {
      self: link(url),
      html: link(html),
      issue: link(issue),
      comments: link(`${issue}/comments`),
      review_comments: link(`${url}/comments`),
      review_comment: link(`${api}/pulls/comments{/number}`),
      commits: link(`${url}/commits`),
      statuses: link(statuses),
    },
    author_association: 'COLLABORATOR',
    auto_merge: null,
    active_lock_reason: null,
  };
}
