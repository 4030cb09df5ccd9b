// A forge for one test file, in this process, with its control and a client that does nothing by itself.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';

import * as ofForgejo from '../forgejo/server.mjs';
import * as ofGithub from '../github/server.mjs';
import { gitEnvironment } from '../lib/git.mjs';
import { control } from '../lib/control.mjs';
import { listen } from '../lib/http.mjs';
import { World } from '../lib/world.mjs';

export const TOKEN = 'ghp_a-token-of-a-test';
export const REPO = 'acme/titan';

/** Starts one with a repository; when the file is over nothing may be left that was wrong. */
export async function start(kind = 'github') {
  const folder = mkdtempSync(path.join(tmpdir(), 'forge-test-'));
  const world = new World(folder);
  const { handler, specification } =
    kind === 'github' ? { ...ofGithub, handler: ofGithub.github } : { ...ofForgejo, handler: ofForgejo.forgejo };
  const servers = [await listen(handler(world, await specification())), await listen(control(world))];
  after(() => {
    for (const { server } of servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(world.violations, [], 'violations of the document');
  });
  const [url, orders] = servers.map(({ address }) => `http://${address}`);
  const order = async (name, body = {}) => {
    const answer = await fetch(`${orders}/${name}`, { method: 'POST', body: JSON.stringify(body) });
    const value = await answer.json();
    if (answer.status !== 200) throw new Error(value.error);
    return value;
  };
  await order('token', { token: TOKEN });
  const { head, folder: bare } = await order('repository', { name: REPO });
  const git = (...args) => {
    const done = spawnSync('git', args, { cwd: bare, env: gitEnvironment(), encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    return done.stdout.trim();
  };
  return { url, order, head, bare, git, world, ask: (...args) => ask(url, ...args), violations: () => order('take_violations') };
}

/** `ask('GET', '/repos/...', body, headers)` gives {status, headers, body, text}; `~` is the repository. */
async function ask(url, method, route, body, headers = {}) {
  const all = {
    authorization: `Bearer ${TOKEN}`,
    'user-agent': 'test',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const { status, headers: got, text } = await send(`${url}${route.replace('~', `/repos/${REPO}`)}`, method, kept, sent);
  const isJson = (got['content-type'] ?? '').startsWith('application/json');
  return { status, headers: got, text, body: isJson ? JSON.parse(text) : undefined };
}

/** Not by fetch, which adds headers of its own. */
function send(url, method, headers, body) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method,
      agent: false,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
    });
    request.once('error', reject);
    request.once('response', async (response) => {
      const chunks = [];
      try {
        for await (const chunk of response) chunks.push(chunk);
        resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() });
      } catch (error) {
        reject(error);
      }
    });
    request.end(body);
  });
}

/** A branch with one changed file; gives its commit. */
export async function branch(forge, name, files = [{ path: 'new.txt', content: `${name}\n` }], more = {}) {
  return (await forge.order('push', { repo: REPO, branch: name, files, ...more })).sha;
}

/** The same with a pull request. */
export async function pullRequest(forge, name, files) {
  const sha = await branch(forge, name, files);
  const { status, body } = await forge.ask('POST', '~/pulls', { title: `Change ${name}`, head: name, base: 'main' });
  assert.equal(status, 201, JSON.stringify(body));
  return { sha, number: body.number };
}

export const message = ({ status, body }) => [status, body.message];
