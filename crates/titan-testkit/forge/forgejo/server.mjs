// Forgejo's API (version 1) over plain http: who may come in, the route, and its swagger document over both sides.

import { fileURLToPath } from 'node:url';

import { failBefore, sendWith } from '../github/failing.mjs';
import { rank } from '../github/apps.mjs';
import { judgeAnswer, judgeRequest, received } from '../lib/calls.mjs';
import { gitRequest, serveGit } from '../lib/smart-http.mjs';
import { loadSpecification } from '../lib/specification.mjs';
import { Refusal, notFound } from './errors.mjs';
import { KEYS, find } from './routes.mjs';

const DOCUMENT = fileURLToPath(new URL('./swagger.json', import.meta.url));
const PREFIX = '/api/v1';

/** Reads, or makes, what the judge knows. */
export async function specification() {
  const judge = await loadSpecification('forgejo', DOCUMENT, KEYS);
  return {
    request: (key, call) => judge.request(key, call),
    // What is not there is null, or an empty address: the document, made of Go's types, cannot say so.
    answer: (key, answer) => (answer.body === null ? [] : judge.answer(key, { ...answer, body: present(answer.body) })),
  };
}

/** The handler of a server that is this world's Forgejo. */
export function forgejo(world, judge) {
  return async (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    const at = { world, html: url.origin, api: `${url.origin}${PREFIX}` };
    try {
      world.requests.push(`${request.method} ${url.pathname}${url.search}`);
      const rule = world.faults.take(request.method, `${url.pathname}${url.search}`);
      const git = gitRequest(url);
      if (git) {
        if (rule && failBefore(at, rule, url, response)) return;
        const mayRead = (token, fullName) => Boolean(visible(world, world.holder(token), fullName));
        return await serveGit(request, response, git, { folder: world.folder, mayRead, url });
      }
      const call = await received(request, url, url.pathname.replace(PREFIX, ''), find);
      judgeRequest(world, judge, call);
      if (rule && failBefore(at, rule, url, response)) return;
      const answer = answerTo(at, call);
      if (call.route) judgeAnswer(world, judge, call, answer);
      await sendWith(rule, response, answer);
    } catch (error) {
      // Who went away before the end of the request asked for nothing.
      if (!request.complete) return;
      world.violation(`${request.method} ${url.pathname}`, `the fake itself failed: ${error.stack}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  };
}

function answerTo(at, call) {
  try {
    return { status: 200, ...carryOut(at, call) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: error.status, body: error.body(at) };
  }
}

function carryOut(at, call) {
  const { world } = at;
  const { route, params, notJson, faults, headers } = call;
  if (!route) throw notFound();
  const [, token] = /^(?:token|bearer) (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const holder = world.holder(token);
  // Nothing here is public: who is nobody is told that there is nothing.
  if (headers.authorization && !holder) throw new Refusal(401, 'user does not exist [uid: 0, name: ]');
  const repo = visible(world, holder, `${params.owner}/${params.repo}`);
  if (!repo) throw notFound();
  if (rank(holder.permissions.contents) < rank(route.permissions)) {
    throw new Refusal(403, 'token does not have at least one of required scope(s): [write:repository]');
  }
  if (notJson || faults.length) throw new Refusal(422, notJson ? 'invalid JSON' : faults.join('; '));
  return route.handle({ at, ...call, repo, holder });
}

function visible(world, holder, fullName) {
  const repo = holder && world.repository(fullName);
  return repo && (holder.repositories === null || holder.repositories.includes(repo.fullName.toLowerCase())) ? repo : null;
}

function present(value) {
  if (Array.isArray(value)) return value.filter((each) => each !== null).map(present);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([name, each]) => each !== null && !(each === '' && name.endsWith('url')));
  return Object.fromEntries(kept.map(([name, each]) => [name, present(each)]));
}
