// GitHub's REST and GraphQL over plain http: who may come in, the limits, the route, and the judge over both sides.

import { createHash, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

import { judgeAnswer, judgeRequest, received } from '../lib/calls.mjs';
import { gitRequest, serveGit } from '../lib/smart-http.mjs';
import { loadSpecification } from '../lib/specification.mjs';
import { appOf, rank } from './apps.mjs';
import { Refusal, badCredentials, forbidden, notFound } from './errors.mjs';
import { failBefore, sendWith } from './failing.mjs';
import { answerGraphql } from './graphql.mjs';
import { paginate } from './pages.mjs';
import { KEYS, find } from './routes.mjs';

const DOCUMENTATION = 'https://docs.github.com/rest';
const DOCUMENT = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');

/** Reads, or makes, what the judge knows. */
export function specification() {
  return loadSpecification('github', DOCUMENT, KEYS);
}

/** The handler of a server that is this world's GitHub. */
export function github(world, judge) {
  return async (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    const at = { world, api: url.origin, html: url.origin, maySee: (holder, repo) => maySee(holder, repo) };
    try {
      const git = gitRequest(url);
      world.requests.push(`${request.method} ${url.pathname}${url.search}`);
      const rule = world.faults.take(request.method, `${url.pathname}${url.search}`);
      if (git) {
        if (rule && failBefore(at, rule, url, response)) return;
        const mayRead = (token, fullName) => mayFetch(world, token, fullName);
        await serveGit(request, response, git, { folder: world.folder, mayRead, url });
        return;
      }
      const call = await received(request, url, url.pathname, find);
      // A query has a judge of its own.
      if (url.pathname !== '/graphql') judgeRequest(world, judge, call);
      // What is to fail without being done was still asked for, and is judged.
      if (rule && failBefore(at, rule, url, response)) return;
      const answer = await answerTo(at, judge, call);
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

async function answerTo(at, judge, call) {
  const answer = await attempt(at, call);
  if (call.route) judgeAnswer(at.world, judge, call, answer);
  return conditional(call, answer);
}

/** The answer, before it is known whether the caller has it already. */
async function attempt(at, call) {
  const { world } = at;
  const context = { at, ...call };
  const headers = {
    'x-github-media-type': 'github.v3; format=json',
    'x-github-request-id': randomUUID(),
    'x-github-api-version-selected': '2022-11-28',
  };
  let answer;
  try {
    if (call.bytes === null) throw new Refusal(413, 'Payload too large');
    if (!call.headers['user-agent']) {
      throw new Refusal(403, 'Request forbidden by administrative rules. Please make sure your request has a User-Agent header.');
    }
    enter(context);
    const resource = call.pathname === '/graphql' ? 'graphql' : 'core';
    // The app itself has limits of its own, which nobody reaches.
    if (context.holder) context.charge = charge(world, context.holder, resource, call.pathname === '/rate_limit');
    answer = { status: 200, ...(await carryOut(context)) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    answer = { status: error.status, body: error.body(DOCUMENTATION), headers: error.headers };
  }
  const accepted = context.route?.permissions?.length ? { 'x-accepted-github-permissions': context.route.permissions.join('; ') } : {};
  return { ...answer, charge: context.charge, headers: { ...headers, ...accepted, ...answer.headers } };
}

/** Whose the request is: a token's or an app's. */
function enter(context) {
  const { at, headers, route } = context;
  const [, token] = /^(?:bearer|token) (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (!headers.authorization) throw new Refusal(401, 'Requires authentication');
  if (!token) throw badCredentials();
  if (route?.permissions === null) {
    context.app = appOf(at.world, token);
    return;
  }
  context.holder = at.world.holder(token) ?? fail(badCredentials());
}

/** Refuses who has used up the hour; what it gives counts the request and tells the headers. */
function charge(world, holder, resource, free) {
  const bucket = () => holder.limits[resource];
  const tell = () => ({
    'x-ratelimit-limit': bucket().limit,
    'x-ratelimit-remaining': Math.max(0, bucket().limit - bucket().used),
    'x-ratelimit-used': bucket().used,
    'x-ratelimit-reset': bucket().reset,
    'x-ratelimit-resource': resource,
  });
  const spent = free || world.spend(holder.limits, resource);
  if (!spent) throw new Refusal(403, `API rate limit exceeded for user ID ${holder.user.id}.`, {}, tell());
  const giveBack = () => {
    if (!free) bucket().used -= 1;
  };
  return { tell, giveBack };
}

async function carryOut(context) {
  const { at, route, params, holder, notJson, faults } = context;
  if (context.pathname === '/graphql') {
    if (context.method !== 'POST') throw notFound();
    if (notJson || !context.body) throw new Refusal(400, 'Problems parsing JSON');
    return { body: await answerGraphql(context) };
  }
  if (!route) throw notFound();
  if (notJson) throw new Refusal(400, 'Problems parsing JSON');
  if (params.repo && !context.app) {
    context.repo = at.world.repository(`${params.owner}/${params.repo}`);
    if (!context.repo || !maySee(holder, context.repo)) throw notFound();
    if (!may(holder, route.permissions)) throw forbidden(holder.installation);
  }
  if (faults.length) throw new Refusal(422, `Invalid request.\n\n${faults.join('\n')}`);
  context.paginate = (list, wrap) => paginate(context.url, context.query, list, wrap);
  return route.handle(context);
}

/** Nothing but `304` for what the caller has, which costs nothing. */
function conditional({ method, headers }, answer) {
  const more = { ...answer.headers };
  if (method === 'GET' && answer.status === 200) {
    const etag = `W/"${createHash('sha256').update(JSON.stringify(answer.body)).digest('hex')}"`;
    Object.assign(more, { etag, 'cache-control': 'private, max-age=60, s-maxage=60', vary: 'Accept, Authorization' });
    if (sameTag(headers['if-none-match'], etag)) {
      answer.charge?.giveBack();
      return { status: 304, headers: { ...more, ...answer.charge?.tell() } };
    }
  }
  return { ...answer, headers: { ...more, ...answer.charge?.tell() } };
}

function sameTag(given, etag) {
  const bare = (tag) => tag.trim().replace(/^W\//, '');
  return given?.split(',').some((tag) => tag.trim() === '*' || bare(tag) === bare(etag)) ?? false;
}

/** Who does not see a repository is told that there is none. */
function maySee(holder, repo) {
  const isInstalled = !holder.installation || holder.installation.toLowerCase() === repo.owner.toLowerCase();
  return isInstalled && (holder.repositories === null || holder.repositories.includes(repo.fullName.toLowerCase()));
}

function may(holder, permissions) {
  return permissions.some((each) => {
    const [name, level] = each.split('=');
    return rank(holder.permissions[name]) >= rank(level);
  });
}

function mayFetch(world, token, fullName) {
  const holder = world.holder(token);
  const repo = world.repository(fullName);
  return Boolean(holder && repo && maySee(holder, repo) && rank(holder.permissions.contents) > 0);
}

function fail(error) {
  throw error;
}
