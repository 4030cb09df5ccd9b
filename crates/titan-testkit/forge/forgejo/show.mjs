// The JSON forms of Forgejo that several routes share.

export function showUser(at, user) {
  return {
    id: user.id,
    login: user.login,
    login_name: '',
    full_name: '',
    email: `${user.login}@noreply.example.com`,
    avatar_url: `${at.html}/avatars/${user.id}`,
    html_url: `${at.html}/${user.login}`,
    is_admin: false,
    active: true,
    visibility: 'public',
  };
}

export function showRepository(at, repo, holder) {
  const html = `${at.html}/${repo.fullName}`;
  const url = `${at.api}/repos/${repo.fullName}`;
  const open = repo.pulls.filter(({ state }) => state === 'open').length;
  return {
    id: repo.id,
    owner: showUser(at, at.world.user(repo.owner)),
    name: repo.name,
    full_name: repo.fullName,
    description: '',
    empty: false,
    private: true,
    fork: false,
    template: false,
    parent: null,
    mirror: false,
    archived: false,
    html_url: html,
    url,
    languages_url: `${url}/languages`,
    clone_url: `${html}.git`,
    default_branch: repo.defaultBranch,
    open_pr_counter: open,
    created_at: repo.createdAt,
    updated_at: repo.pushedAt,
    permissions: { admin: false, push: holder?.permissions.contents === 'write', pull: true },
    has_pull_requests: true,
    allow_merge_commits: true,
    allow_squash_merge: true,
    allow_rebase: false,
    default_merge_style: 'merge',
    object_format_name: 'sha1',
    topics: [],
  };
}

export function showPerson({ name, email }) {
  return { name, email, username: '' };
}

/** Of a branch. */
export function showPayloadCommit(at, repo, sha) {
  const { author, committer, message } = repo.git.commit(sha);
  return {
    id: sha,
    message,
    url: `${at.html}/${repo.fullName}/commit/${sha}`,
    author: showPerson(author),
    committer: showPerson(committer),
    verification: unsigned(),
    timestamp: committer.date,
    added: null,
    removed: null,
    modified: null,
  };
}

export function unsigned() {
  return { verified: false, reason: 'gpg.error.not_signed_commit', signature: '', signer: null, payload: '' };
}

/** A page of a list: `page` and `limit`, and how many there are. */
export function page({ url, query }, list, wrap = (part) => part) {
  const size = Math.min(50, Math.max(1, Number(query.limit ?? 30) || 30));
  const number = Math.max(1, Number(query.page ?? 1) || 1);
  const last = Math.max(1, Math.ceil(list.length / size));
  const to = (target, rel) => {
    const there = new URL(url);
    there.searchParams.set('page', target);
    return `<${there}>; rel="${rel}"`;
  };
  const links = [
    ...(number < last ? [to(number + 1, 'next'), to(last, 'last')] : []),
    ...(number > 1 ? [to(1, 'first'), to(number - 1, 'prev')] : []),
  ];
  const headers = { 'x-total-count': list.length, ...(links.length ? { link: links.join(',') } : {}) };
  return { body: wrap(list.slice((number - 1) * size, number * size)), headers };
}
