// One repository of a forge: its bare git repository and what stands around it, which are pull requests, comments, check-runs and
// statuses. What a forge answers to a request is not decided here.

import { isoSeconds } from './commit-object.mjs';
import { Git } from './git.mjs';

const BRANCH = 'refs/heads/';

export class Repository {
  /** `write` is told of each thing that was changed: (kind, details). */
  constructor({ id, owner, name, folder, write, now, nextId }) {
    Object.assign(this, { id, owner, name, now, nextId, defaultBranch: 'main' });
    this.fullName = `${owner}/${name}`;
    this.createdAt = this.time();
    this.pushedAt = this.createdAt;
    this.git = Git.init(folder, this.defaultBranch);
    this.record = (kind, details) => write({ repo: this.fullName, kind, ...details });
    this.pulls = [];
    this.comments = [];
    this.checkRuns = [];
    this.statuses = [];
    /** Why nothing may be merged now, in the forge's words; null when it may. */
    this.protection = null;
  }

  time() {
    return isoSeconds(this.now());
  }

  // --- branches ------------------------------------------------------------------------------------------------------

  head(branch) {
    return this.git.ref(`${BRANCH}${branch}`);
  }

  branches() {
    return this.git.refs(BRANCH).map(({ name, sha }) => ({ name: name.slice(BRANCH.length), sha }));
  }

  /** Moves, makes (`old` null) or removes (`sha` null) a reference, and lets the pull requests follow. */
  moveRef(ref, sha, old, kind) {
    if (sha) this.git.setRef(ref, sha, old);
    else this.git.removeRef(ref, old);
    this.record(kind, { ref, sha: sha ?? old });
    this.pushedAt = this.time();
    if (ref.startsWith(BRANCH)) this.#follow(ref.slice(BRANCH.length), sha);
  }

  #follow(branch, sha) {
    for (const pull of this.pulls.filter(({ state }) => state === 'open')) {
      if (pull.branch === branch) {
        if (sha) this.#moveHead(pull, sha);
        else this.close(pull);
      }
      if (pull.base === branch) {
        pull.test = null;
        if (!sha) this.close(pull);
        // Whoever pushes a pull request's commits to its base has merged it.
        else if (this.git.isAncestor(pull.head, sha)) this.#merged(pull, pull.head, null);
      }
    }
  }

  // --- pull requests -------------------------------------------------------------------------------------------------

  open({ title, body, branch, base, user, draft = false }) {
    const at = this.time();
    const pull = {
      ...{ id: this.nextId(), number: this.pulls.length + 1, title, body, branch, base, user, draft, state: 'open' },
      ...{ createdAt: at, updatedAt: at, closedAt: null, mergedAt: null, mergedBy: null, mergeCommit: null, test: null, head: null },
    };
    this.pulls.push(pull);
    this.#moveHead(pull, this.head(branch));
    this.record('pull.open', { number: pull.number, ref: `${BRANCH}${branch}`, sha: pull.head });
    return pull;
  }

  pull(number) {
    return this.pulls.find((pull) => pull.number === Number(number)) ?? null;
  }

  edit(pull, { title, body, base }) {
    if (title !== undefined) pull.title = title;
    if (body !== undefined) pull.body = body;
    if (base !== undefined && base !== pull.base) Object.assign(pull, { base, baseSha: this.head(base), test: null });
    pull.updatedAt = this.time();
    this.record('pull.edit', { number: pull.number });
  }

  close(pull) {
    if (pull.state === 'closed') return;
    Object.assign(pull, { state: 'closed', closedAt: this.time(), updatedAt: this.time() });
    this.record('pull.close', { number: pull.number, sha: pull.head });
  }

  /** The branch must be there. */
  reopen(pull) {
    if (pull.state === 'open' || pull.mergedAt) return;
    Object.assign(pull, { state: 'open', closedAt: null, updatedAt: this.time() });
    this.#moveHead(pull, this.head(pull.branch));
    this.record('pull.reopen', { number: pull.number, sha: pull.head });
  }

  #moveHead(pull, sha) {
    Object.assign(pull, { head: sha, baseSha: this.head(pull.base), test: null, updatedAt: this.time() });
    this.git.setRef(`refs/pull/${pull.number}/head`, sha, this.git.ref(`refs/pull/${pull.number}/head`));
  }

  /** Tries the merge: {tree, commit} with a commit at `refs/pull/N/merge`, or {conflicts}. */
  tryMerge(pull) {
    const base = this.head(pull.base);
    if (pull.test?.base === base && pull.test.head === pull.head) return pull.test;
    const merged = this.git.mergeTree(base, pull.head);
    pull.test = { base, head: pull.head, ...merged };
    if (merged.tree) {
      const author = { name: pull.user.login, email: `${pull.user.login}@users.noreply.example.com`, date: this.now() };
      const message = `Merge ${pull.head} into ${base}`;
      pull.test.commit = this.git.writeCommit({ tree: merged.tree, parents: [base, pull.head], message, author });
      const ref = `refs/pull/${pull.number}/merge`;
      this.git.setRef(ref, pull.test.commit, this.git.ref(ref));
    }
    return pull.test;
  }

  /** Merges for good; there must be no conflict. The branch stays. */
  merge(pull, { method, message, author, committer }) {
    const { tree, base } = this.tryMerge(pull);
    const parents = method === 'squash' ? [base] : [base, pull.head];
    const commit = this.git.writeCommit({ tree, parents, message, author, committer });
    const head = pull.head;
    this.#merged(pull, commit, pull.mergedBy, () => this.moveRef(`${BRANCH}${pull.base}`, commit, base, 'ref.update'));
    this.record('pull.merge', { number: pull.number, sha: commit, head });
    return commit;
  }

  #merged(pull, commit, by, move = () => this.record('pull.merged-by-push', { number: pull.number, sha: commit })) {
    const at = this.time();
    Object.assign(pull, { state: 'closed', closedAt: at, mergedAt: at, updatedAt: at, mergeCommit: commit, mergedBy: by });
    move();
  }

  // --- comments ------------------------------------------------------------------------------------------------------

  say({ number, body, user }) {
    const comment = { id: this.nextId(), number, body, user, createdAt: this.time(), updatedAt: this.time() };
    this.comments.push(comment);
    this.record('comment.create', { number, id: comment.id });
    return comment;
  }

  sayAgain(comment, body) {
    Object.assign(comment, { body, updatedAt: this.time() });
    this.record('comment.edit', { number: comment.number, id: comment.id });
  }

  // --- what checks say -----------------------------------------------------------------------------------------------

  /** A check-run of somebody's: {name, status, conclusion, title, summary, details_url}. A further one of that name is newer. */
  check(sha, run) {
    this.checkRuns.push({ id: this.nextId(), sha, at: this.time(), ...run });
  }

  /** A status of somebody's: {context, state, description, target_url}. */
  status(sha, status) {
    this.statuses.push({ id: this.nextId(), sha, at: this.time(), ...status });
  }

  /** The newest of each name, or all; newest first. */
  checkRunsOf(sha, all) {
    return newestFirst(this.checkRuns, sha, all ? null : 'name');
  }

  statusesOf(sha) {
    return newestFirst(this.statuses, sha, 'context');
  }

  // --- what people do ------------------------------------------------------------------------------------------------

  /**
   * A commit by hand: files are {path, content | base64 | null, mode}. It goes on `branch`, which is made at the default branch when it
   * is not there; with `parent` it replaces what was there, as a forced push does.
   */
  push({ branch, files, message = 'A change by hand', parent, author = { name: 'A human', email: 'human@example.com' } }) {
    const ref = `${BRANCH}${branch}`;
    const old = this.git.ref(ref);
    const onto = parent ?? old ?? this.head(this.defaultBranch);
    const changes = files.map(({ path, content, base64, mode }) => {
      if (content === null) return { path };
      const kept = onto && this.git.entry(onto, path)?.mode;
      return {
        path,
        mode: mode ?? kept ?? '100644',
        sha: this.git.writeBlob(base64 === undefined ? content : Buffer.from(base64, 'base64')),
      };
    });
    const tree = this.git.writeTree(onto && this.git.treeOf(onto), changes);
    const sha = this.git.writeCommit({ tree, parents: onto ? [onto] : [], message, author: { ...author, date: this.now() } });
    this.moveRef(ref, sha, old, 'push');
    return sha;
  }
}

function newestFirst(list, sha, name) {
  const seen = new Set();
  const own = list.filter((each) => each.sha === sha).reverse();
  return own.filter((each) => name === null || !(seen.has(each[name]) || !seen.add(each[name])));
}
