// The JSON forms that several routes share: users, repositories, commits.

const AVATAR = 'https://avatars.example.com/u/';

/** A number and a kind as GitHub writes its global ids. */
export function nodeId(kind, id) {
  return Buffer.from(`${kind}:${id}`).toString('base64');
}

export function showUser(at, user) {
  const url = `${at.api}/users/${user.login}`;
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId(user.type, user.id),
    avatar_url: `${AVATAR}${user.id}`,
    gravatar_id: '',
    url,
    html_url: `${at.html}/${user.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

const URLS = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
};

/** Inside of other things, such as a pull request's head. */
export function showRepository(at, repo) {
  const url = `${at.api}/repos/${repo.fullName}`;
  const html = `${at.html}/${repo.fullName}`;
  const open = repo.pulls.filter(({ state }) => state === 'open').length;
  return {
    id: repo.id,
    node_id: nodeId('Repository', repo.id),
    name: repo.name,
    full_name: repo.fullName,
    owner: showUser(at, at.world.user(repo.owner)),
    private: true,
    visibility: 'private',
    html_url: html,
    description: null,
    fork: false,
    url,
    ...Object.fromEntries(Object.entries(URLS).map(([name, path]) => [name, `${url}${path}`])),
    git_url: `git:${html.slice(html.indexOf('//'))}.git`,
    ssh_url: `git@github.example.com:${repo.fullName}.git`,
    clone_url: `${html}.git`,
    svn_url: html,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    topics: [],
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    size: 1,
    default_branch: repo.defaultBranch,
    open_issues: open,
    open_issues_count: open,
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    has_downloads: false,
    is_template: false,
    allow_forking: false,
    web_commit_signoff_required: false,
    archived: false,
    disabled: false,
    pushed_at: repo.pushedAt,
    created_at: repo.createdAt,
    updated_at: repo.pushedAt,
  };
}

/** The answer of the repository's own route. `can` is what its holder may do with contents. */
export function showFullRepository(at, repo, can) {
  const write = can === 'write';
  const settings = { allow_merge_commit: true, allow_squash_merge: true, allow_rebase_merge: false, delete_branch_on_merge: false };
  return {
    ...showRepository(at, repo),
    permissions: { admin: false, maintain: false, push: write, triage: write, pull: true },
    // Who may only read is not told.
    ...(write ? { ...settings, allow_auto_merge: false, allow_update_branch: false } : {}),
    subscribers_count: 0,
    network_count: 0,
  };
}

/** Of `/git/commits`. */
export function showGitCommit(at, repo, commit) {
  const url = `${at.api}/repos/${repo.fullName}/git`;
  const html = (sha) => `${at.html}/${repo.fullName}/commit/${sha}`;
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', commit.sha),
    url: `${url}/commits/${commit.sha}`,
    html_url: html(commit.sha),
    author: commit.author,
    committer: commit.committer,
    tree: { sha: commit.tree, url: `${url}/trees/${commit.tree}` },
    message: commit.message,
    parents: commit.parents.map((sha) => ({ sha, url: `${url}/commits/${sha}`, html_url: html(sha) })),
    verification: unsigned(),
  };
}

/** Of `/commits`. */
export function showCommit(at, repo, commit) {
  const url = `${at.api}/repos/${repo.fullName}`;
  const html = (sha) => `${at.html}/${repo.fullName}/commit/${sha}`;
  return {
    sha: commit.sha,
    node_id: nodeId('Commit', commit.sha),
    commit: {
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
      url: `${url}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: unsigned(),
    },
    url: `${url}/commits/${commit.sha}`,
    html_url: html(commit.sha),
    comments_url: `${url}/commits/${commit.sha}/comments`,
    author: null,
    committer: null,
    parents: commit.parents.map((sha) => ({ sha, url: `${url}/commits/${sha}`, html_url: html(sha) })),
  };
}

export function showFile(at, repo, head, file) {
  const STATUS = { A: 'added', M: 'modified', D: 'removed', R: 'renamed', C: 'copied', T: 'changed' };
  const { additions, deletions } = file;
  const name = file.path.split('/').map(encodeURIComponent).join('/');
  return {
    sha: file.status === 'D' ? null : file.sha,
    filename: file.path,
    status: STATUS[file.status],
    additions,
    deletions,
    changes: additions + deletions,
    blob_url: `${at.html}/${repo.fullName}/blob/${head}/${name}`,
    raw_url: `${at.html}/${repo.fullName}/raw/${head}/${name}`,
    contents_url: `${at.api}/repos/${repo.fullName}/contents/${name}?ref=${head}`,
    ...(file.from ? { previous_filename: file.from } : {}),
  };
}

function unsigned() {
  return { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };
}
