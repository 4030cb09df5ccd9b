// Commits, and what checks say of them: https://docs.github.com/rest/commits, https://docs.github.com/rest/checks

import { Refusal, notFound } from './errors.mjs';
import { nodeId, showCommit, showFile, showRepository, showUser } from './show.mjs';

export function getCommit({ at, repo, params }) {
  const sha = repo.git.commitOf(params.ref);
  if (!sha) throw new Refusal(422, `No commit found for SHA: ${params.ref}`);
  const commit = repo.git.commit(sha);
  const files = commit.parents.length ? repo.git.changes(commit.parents[0], sha).map((file) => showFile(at, repo, sha, file)) : [];
  return { body: { ...showCommit(at, repo, commit), files } };
}

export function listCheckRuns({ at, repo, params, query, paginate }) {
  const sha = commitOf(repo, params.ref);
  const runs = repo
    .checkRunsOf(sha, query.filter === 'all')
    .filter((run) => !query.check_name || run.name === query.check_name)
    .filter((run) => !query.status || run.status === query.status)
    .map((run) => showCheckRun(at, repo, run));
  return paginate(runs, (page) => ({ total_count: runs.length, check_runs: page }));
}

export function combinedStatus({ at, repo, params, paginate }) {
  const sha = commitOf(repo, params.ref);
  const url = `${at.api}/repos/${repo.fullName}/commits/${sha}`;
  const statuses = repo.statusesOf(sha);
  const shown = statuses.map((status) => showStatus(at, repo, status));
  const whole = { state: combined(statuses), sha, total_count: statuses.length, repository: minimal(showRepository(at, repo)) };
  return paginate(shown, (page) => ({ ...whole, statuses: page, commit_url: url, url: `${url}/status` }));
}

/** `base...head`, as of where they parted. */
export function compare({ at, repo, params, paginate }) {
  const [from, to] = params.basehead.split('...');
  const names = [from, to].map((name) => (name ?? '').replace(new RegExp(`^${repo.owner}:`, 'i'), ''));
  const [base, head] = names.map((name) => repo.git.commitOf(name));
  if (!base || !head) throw notFound();
  const parted = repo.git.mergeBase(base, head);
  if (!parted) throw new Refusal(404, `No common ancestor between ${from} and ${to}.`);
  const [behind, ahead] = repo.git.apart(base, head);
  const shown = (sha) => showCommit(at, repo, repo.git.commit(sha));
  const html = `${at.html}/${repo.fullName}/compare/${encodeURIComponent(params.basehead)}`;
  const whole = {
    url: `${at.api}/repos/${repo.fullName}/compare/${encodeURIComponent(params.basehead)}`,
    html_url: html,
    permalink_url: `${at.html}/${repo.fullName}/compare/${base.slice(0, 7)}...${head.slice(0, 7)}`,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    base_commit: shown(base),
    merge_base_commit: shown(parted),
    status: comparison(ahead, behind),
    ahead_by: ahead,
    behind_by: behind,
    total_commits: ahead,
    files: repo.git.changes(parted, head).map((file) => showFile(at, repo, head, file)),
  };
  return paginate(repo.git.commitsBetween(base, head), (page) => ({ ...whole, commits: page.map(shown) }));
}

/** Success only when all are, and pending when there is none. */
export function combined(statuses) {
  if (statuses.some(({ state }) => state === 'failure' || state === 'error')) return 'failure';
  return statuses.length && statuses.every(({ state }) => state === 'success') ? 'success' : 'pending';
}

function comparison(ahead, behind) {
  if (ahead && behind) return 'diverged';
  if (ahead) return 'ahead';
  return behind ? 'behind' : 'identical';
}

function commitOf(repo, ref) {
  const sha = repo.git.commitOf(ref);
  if (!sha) throw new Refusal(422, `No commit found for SHA: ${ref}`);
  return sha;
}

function showCheckRun(at, repo, run) {
  const url = `${at.api}/repos/${repo.fullName}/check-runs/${run.id}`;
  const started = run.status === 'queued' ? null : run.at;
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('CheckRun', run.id),
    head_sha: run.sha,
    external_id: '',
    url,
    html_url: `${at.html}/${repo.fullName}/runs/${run.id}`,
    details_url: run.details_url ?? `${at.html}/${repo.fullName}/runs/${run.id}`,
    status: run.status,
    conclusion: run.conclusion ?? null,
    started_at: started,
    completed_at: run.status === 'completed' ? run.at : null,
    output: {
      title: run.title ?? null,
      summary: run.summary ?? null,
      text: null,
      annotations_count: 0,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: repo.id },
    app: null,
    pull_requests: [],
  };
}

function showStatus(at, repo, status) {
  return {
    url: `${at.api}/repos/${repo.fullName}/statuses/${status.sha}`,
    avatar_url: showUser(at, at.world.user(repo.owner)).avatar_url,
    id: status.id,
    node_id: nodeId('StatusContext', status.id),
    state: status.state,
    description: status.description ?? null,
    target_url: status.target_url ?? null,
    context: status.context,
    created_at: status.at,
    updated_at: status.at,
  };
}

/** Without the addresses that only the whole form has. */
function minimal({ clone_url, mirror_url, svn_url, ...rest }) {
  return rest;
}
