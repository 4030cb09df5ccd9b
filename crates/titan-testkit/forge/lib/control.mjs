// What a test does to a forge and asks of it, on a port of its own, so that nothing of it looks like the forge's: `POST /NAME` with
// JSON, answered with JSON; 400 with {error} for what cannot be done.

import { readBody, sendJson } from './http.mjs';

export function control(world) {
  return async (request, response) => {
    try {
      const name = request.url.slice(1);
      if (!Object.hasOwn(CALLS, name)) throw new Error(`there is no call "${name}"; there are: ${Object.keys(CALLS).join(', ')}`);
      const text = (await readBody(request)).toString();
      sendJson(response, 200, CALLS[name](world, text ? JSON.parse(text) : {}) ?? {});
    } catch (error) {
      sendJson(response, 400, { error: error.message });
    }
  };
}

const README = [{ path: 'README.md', content: '# A repository\n' }];

const CALLS = {
  // --- what there is ---
  repository: (world, { name, files = README, message = 'The first commit' }) => {
    if (!/^[\w.-]+\/[\w.-]+$/.test(name ?? '')) throw new Error(`"${name}" is no owner/name`);
    if (world.repository(name)) throw new Error(`${name} is already there`);
    const repo = world.addRepository(name);
    const head = repo.push({ branch: repo.defaultBranch, files, message });
    world.writes.length = 0;
    return { folder: repo.git.folder, head };
  },
  /** {token, login, permissions, repositories, lifetime in seconds} */
  token: (world, token) => void world.addToken(token),
  /** {id, slug, owners, permissions, lifetime of what it is given in seconds} */
  app: (world, app) => {
    const { privateKey, installations } = world.addApp(app);
    return { private_key: privateKey, installations };
  },

  // --- what people do ---
  /** {repo, branch, files: [{path, content | base64 | null, mode}], message, parent} */
  push: (world, { repo, ...push }) => ({ sha: of(world, repo).push(push) }),
  remove_branch: (world, { repo, branch }) => {
    const { git } = of(world, repo);
    const ref = `refs/heads/${branch}`;
    of(world, repo).moveRef(ref, null, git.ref(ref), 'ref.delete');
  },
  /** {repo, sha, runs: [{name, status, conclusion, ...}], statuses: [{context, state, ...}]} */
  checks: (world, { repo, sha, runs = [], statuses = [] }) => {
    for (const run of runs) of(world, repo).check(sha, run);
    for (const status of statuses) of(world, repo).status(sha, status);
  },
  close: (world, { repo, number }) => of(world, repo).close(pull(world, repo, number)),
  reopen: (world, { repo, number }) => of(world, repo).reopen(pull(world, repo, number)),
  comment: (world, { repo, number, body, login = 'a-human' }) => ({
    id: of(world, repo).say({ number, body, user: world.user(login) }).id,
  }),
  /** {repo, message}: why nothing may be merged, null for that it may again. */
  protect: (world, { repo, message }) => {
    of(world, repo).protection = message;
  },

  // --- what goes wrong ---
  /** {kind, method, path, times, ...}: see faults.mjs. */
  fault: (world, rule) => world.faults.add(rule),
  faults_left: (world) => world.faults.left(),
  clear_faults: (world) => world.faults.clear(),
  /** The clock goes forward by so many seconds. */
  skip: (world, { seconds }) => {
    world.skipped += seconds * 1000;
  },
  /** {token, resource, remaining} */
  limit: (world, { token, resource = 'core', remaining }) => {
    const bucket = world.tokens.get(token).limits[resource];
    bucket.used = bucket.limit - remaining;
  },

  // --- what was seen ---
  writes: (world) => world.writes,
  requests: (world) => world.requests,
  violations: (world) => world.violations,
  take_violations: (world) => world.violations.splice(0),
  pulls: (world, { repo }) => of(world, repo).pulls.map(({ test, ...each }) => each),
  comments: (world, { repo, number }) => of(world, repo).comments.filter((comment) => comment.number === number),
};

function of(world, name) {
  const repo = world.repository(name ?? '');
  if (!repo) throw new Error(`there is no repository ${name}`);
  return repo;
}

function pull(world, repo, number) {
  const found = of(world, repo).pull(number);
  if (!found) throw new Error(`${repo} has no pull request ${number}`);
  return found;
}
