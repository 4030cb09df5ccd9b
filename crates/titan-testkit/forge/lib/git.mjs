// A bare repository, through git's own plumbing. Nothing here knows of a forge. Each command is waited for where it is called, so
// that what one request does is done before the next one is looked at.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { encode, parseCommit } from './commit-object.mjs';

const TIMEOUT_MS = 20_000;
const MOST_OUTPUT = 256 * 1024 * 1024;
const NOBODY = { name: 'Nobody', email: 'nobody@example.com' };

/** What git wrote on its error output, and its code. */
export class GitError extends Error {
  constructor(args, { status, stderr, error }) {
    super(`git ${args.join(' ')}: ${error?.message ?? stderr.toString().trim()}`);
    this.status = status;
  }
}

/** The variables every git here runs with: those of the machine's owner are none of its business. */
export function gitEnvironment(more = {}) {
  return {
    PATH: process.env.PATH,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: NOBODY.name,
    GIT_AUTHOR_EMAIL: NOBODY.email,
    GIT_COMMITTER_NAME: NOBODY.name,
    GIT_COMMITTER_EMAIL: NOBODY.email,
    ...more,
  };
}

export class Git {
  constructor(folder) {
    this.folder = folder;
  }

  static init(folder, branch) {
    const made = spawnSync('git', ['init', '--quiet', '--bare', `--initial-branch=${branch}`, folder], { env: gitEnvironment() });
    if (made.status !== 0) throw new GitError(['init'], made);
    return new Git(folder);
  }

  /** Runs git and gives what it says, as bytes. Codes beyond 0 that are answers are listed in `codes`. */
  bytes(args, { input, env, codes = [] } = {}) {
    const done = spawnSync('git', args, { cwd: this.folder, env: gitEnvironment(env), input, maxBuffer: MOST_OUTPUT, timeout: TIMEOUT_MS });
    if (done.status !== 0 && !codes.includes(done.status)) throw new GitError(args, done);
    return done.stdout;
  }

  text(args, options) {
    return this.bytes(args, options).toString().trim();
  }

  ok(args) {
    const done = spawnSync('git', args, { cwd: this.folder, env: gitEnvironment(), timeout: TIMEOUT_MS });
    if (done.status !== 0 && done.status !== 1) throw new GitError(args, done);
    return done.status === 0;
  }

  // --- references ----------------------------------------------------------------------------------------------------

  /** Where a full reference such as `refs/heads/main` stands, or null. */
  ref(name) {
    return this.refs(name).find((ref) => ref.name === name)?.sha ?? null;
  }

  /** References whose names begin so, sorted. */
  refs(prefix) {
    const lines = this.text(['for-each-ref', '--format=%(refname) %(objectname) %(objecttype)']).split('\n');
    return lines
      .filter(Boolean)
      .map((line) => line.split(' '))
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, sha, type]) => ({ name, sha, type }));
  }

  isRefName(name) {
    return this.ok(['check-ref-format', name]);
  }

  /** Moves it from `old` (null: it must not exist). */
  setRef(name, sha, old) {
    this.text(['update-ref', name, sha, old ?? '0'.repeat(40)]);
  }

  removeRef(name, old) {
    this.text(['update-ref', '-d', name, old]);
  }

  // --- objects -------------------------------------------------------------------------------------------------------

  /** `commit`, `tree`, `blob`, `tag`, or null. */
  type(sha) {
    if (!/^[0-9a-f]{40}$/.test(sha ?? '')) return null;
    const line = this.text(['cat-file', '--batch-check=%(objecttype)'], { input: `${sha}\n` });
    return line.endsWith('missing') ? null : line;
  }

  writeBlob(content) {
    return this.text(['hash-object', '-w', '--stdin'], { input: content });
  }

  blob(sha) {
    return this.bytes(['cat-file', 'blob', sha]);
  }

  /** The commit that a branch, `heads/...`, `tags/...` or the beginning of an id stands for, or null. */
  commitOf(text) {
    const names = [`refs/heads/${text}`, `refs/${text}`, `refs/tags/${text}`];
    if (/^[0-9a-f]{4,40}$/.test(text)) names.push(text);
    for (const name of names) {
      const sha = this.text(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`], { codes: [1, 128] });
      if (/^[0-9a-f]{40}$/.test(sha)) return sha;
    }
    return null;
  }

  treeOf(commit) {
    return this.commit(commit).tree;
  }

  /** {tree, parents, author, committer, message}. */
  commit(sha) {
    return { sha, ...parseCommit(this.bytes(['cat-file', 'commit', sha]).toString()) };
  }

  /** The entries of a tree: mode, type, sha, size, path. */
  tree(sha, recursive) {
    const args = ['ls-tree', '-z', '--long', ...(recursive ? ['-r', '-t'] : []), sha];
    return this.bytes(args).toString().split('\0').filter(Boolean).map(parseTreeLine);
  }

  /** What lies at a path of a commit: its entry, or null. */
  entry(commit, file) {
    const line = this.bytes(['ls-tree', '-z', '--long', commit, '--', file]).toString().split('\0')[0];
    return line ? parseTreeLine(line) : null;
  }

  /**
   * A tree made of another one (null: the empty one) and changes: {path, mode, sha}, where no sha is a deletion and the mode of a
   * folder puts a whole tree there.
   */
  writeTree(base, changes) {
    const folder = mkdtempSync(path.join(tmpdir(), 'forge-index-'));
    const env = { GIT_INDEX_FILE: path.join(folder, 'index') };
    try {
      this.text(base ? ['read-tree', base] : ['read-tree', '--empty'], { env });
      const there = this.bytes(['ls-files', '-z'], { env }).toString().split('\0').filter(Boolean);
      const lines = changes.flatMap((change) => this.#indexLines(change, there));
      this.text(['update-index', '--replace', '-z', '--index-info'], { env, input: lines.join('') });
      return this.text(['write-tree'], { env });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  #indexLines({ path: file, mode, sha }, there) {
    const gone = (name) => `0 ${'0'.repeat(40)}\t${name}\0`;
    const beneath = there.filter((name) => name.startsWith(`${file}/`)).map(gone);
    if (!sha) return [gone(file), ...beneath];
    if (mode !== '040000') return [`${mode} ${sha}\t${file}\0`];
    const files = this.tree(sha, true).filter(({ type }) => type !== 'tree');
    return [gone(file), ...beneath, ...files.map((each) => `${each.mode} ${each.sha}\t${file}/${each.path}\0`)];
  }

  /** The message stays as it is, to the byte. `author` and `committer` are {name, email, date}. */
  writeCommit({ tree, parents, message, author, committer = author }) {
    const object = encode({ tree, parents, message, author: { ...NOBODY, ...author }, committer: { ...NOBODY, ...committer } });
    return this.text(['hash-object', '-t', 'commit', '-w', '--stdin'], { input: object });
  }

  // --- history -------------------------------------------------------------------------------------------------------

  isAncestor(old, young) {
    return this.ok(['merge-base', '--is-ancestor', old, young]);
  }

  mergeBase(a, b) {
    return this.text(['merge-base', a, b], { codes: [1] }) || null;
  }

  /** How many commits `a` has that `b` has not, and the other way round. */
  apart(a, b) {
    return this.text(['rev-list', '--left-right', '--count', `${a}...${b}`])
      .split('\t')
      .map(Number);
  }

  /** The commits of `head` that `base` has not, oldest first. */
  commitsBetween(base, head) {
    return this.text(['rev-list', '--reverse', '--topo-order', `${base}..${head}`])
      .split('\n')
      .filter(Boolean);
  }

  /** The tree of a merge, or the names of the files that conflict. */
  mergeTree(base, head) {
    const said = this.bytes(['merge-tree', '--write-tree', '--name-only', '-z', base, head], { codes: [1] })
      .toString()
      .split('\0');
    const [tree, ...rest] = said;
    const conflicts = rest.slice(0, rest.indexOf('')).filter(Boolean);
    return conflicts.length ? { conflicts } : { tree };
  }

  /** The files that differ: {status, path, from, sha, additions, deletions}. */
  changes(base, head) {
    const raw = this.bytes(['diff-tree', '-r', '-z', '-M', '--raw', base, head]).toString().split('\0');
    const changes = [];
    for (let at = 0; raw[at]; ) {
      const [, , , sha, letter] = raw[at].split(' ');
      const renamed = /^[RC]/.test(letter);
      changes.push({ status: letter[0], from: renamed ? raw[at + 1] : null, path: raw[at + (renamed ? 2 : 1)], sha });
      at += renamed ? 3 : 2;
    }
    return changes.map((change) => ({ ...change, ...this.#lines(base, head, change) }));
  }

  #lines(base, head, change) {
    const names = change.from ? [change.from, change.path] : [change.path];
    const [line = ''] = this.text(['diff-tree', '-r', '-M', '--numstat', base, head, '--', ...names]).split('\n');
    const [additions, deletions] = line.split('\t').map((count) => Number(count) || 0);
    return { additions: additions ?? 0, deletions: deletions ?? 0 };
  }
}

function parseTreeLine(line) {
  const [front, file] = [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)];
  const [mode, type, sha, size] = front.split(/ +/);
  return { mode, type, sha, path: file, ...(size === '-' ? {} : { size: Number(size) }) };
}
