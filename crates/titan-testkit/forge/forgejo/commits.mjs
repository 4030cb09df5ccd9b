// Trees, and what others say of a commit.

import { notFound } from './errors.mjs';
import { page, showRepository, showUser } from './show.mjs';

const WORST_FIRST = ['error', 'failure', 'warning', 'pending', 'success', 'skipped'];
const MOST_ENTRIES = 1000;

export function getTree({ at, repo, params, query }) {
  const { git } = repo;
  const type = git.type(params.sha);
  const commit = type === 'tree' ? null : git.commitOf(params.sha);
  if (type !== 'tree' && !commit) throw notFound();
  const sha = commit ? git.treeOf(commit) : params.sha;
  const url = `${at.api}/repos/${repo.fullName}/git`;
  const recursive = ['1', 'true'].includes(query.recursive);
  const entries = git.tree(sha, recursive);
  const size = Math.min(MOST_ENTRIES, Math.max(1, Number(query.per_page ?? MOST_ENTRIES) || MOST_ENTRIES));
  const number = Math.max(1, Number(query.page ?? 1) || 1);
  const tree = entries.slice((number - 1) * size, number * size).map((entry) => ({
    path: entry.path,
    mode: entry.mode,
    type: entry.type,
    size: entry.size ?? 0,
    sha: entry.sha,
    url: entry.type === 'commit' ? '' : `${url}/${entry.type}s/${entry.sha}`,
  }));
  return {
    body: { sha, url: `${url}/trees/${sha}`, tree, truncated: number * size < entries.length, page: number, total_count: entries.length },
  };
}

/** Nobody has said anything: Forgejo then answers `null`. */
export function combinedStatus(context) {
  const { at, repo, params } = context;
  const sha = repo.git.commitOf(params.ref);
  if (!sha) throw notFound();
  const statuses = repo.statusesOf(sha);
  if (!statuses.length) return { body: null };
  const url = `${at.api}/repos/${repo.fullName}`;
  const whole = {
    state: WORST_FIRST.find((state) => statuses.some((status) => status.state === state)),
    sha,
    total_count: statuses.length,
    repository: showRepository(at, repo),
    commit_url: `${url}/commits/${sha}`,
    url: `${url}/commits/${sha}/status`,
  };
  const show = (status) => ({
    id: status.id,
    status: status.state,
    target_url: status.target_url ?? '',
    description: status.description ?? '',
    url: `${url}/statuses/${sha}`,
    context: status.context,
    creator: showUser(at, at.world.user(repo.owner)),
    created_at: status.at,
    updated_at: status.at,
  });
  return page(context, statuses.map(show), (part) => ({ ...whole, statuses: part }));
}
