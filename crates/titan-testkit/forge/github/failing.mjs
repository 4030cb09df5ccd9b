// How GitHub looks when something is wrong with it, or with how much it is asked.
// https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api

import { setTimeout as wait } from 'node:timers/promises';

const LIMITS = 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api';
const PAGE = '<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head><body>We are having a problem.</body></html>\n';

/** Fails without doing it, if that is what the rule says; tells whether it did. */
export function failBefore(at, rule, url, response) {
  const act = BEFORE[rule.kind];
  if (!act) return false;
  act(at, rule, url, response);
  return true;
}

/** Sends an answer, unless it is to be lost, late or spoiled. */
export async function sendWith(rule, response, { status, headers = {}, body }) {
  if (rule?.kind === 'cut_after') return response.destroy();
  if (rule?.kind === 'slow') await wait(rule.delay ?? 1000);
  if (rule?.kind === 'garbage') return send(response, status, { 'content-type': 'application/json; charset=utf-8' }, '{"sha": "12');
  if (body === undefined) return send(response, status, headers, '');
  send(response, status, { 'content-type': 'application/json; charset=utf-8', ...headers }, JSON.stringify(body));
}

const BEFORE = {
  status: (at, rule, url, response) => {
    const status = rule.status ?? 500;
    if (rule.html ?? status !== 500) return send(response, status, { 'content-type': 'text/html; charset=utf-8' }, PAGE);
    sendError(response, status, { message: 'Server Error' });
  },
  secondary: (at, rule, url, response) => {
    const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
    sendError(
      response,
      403,
      { message, documentation_url: `${LIMITS}#about-secondary-rate-limits` },
      { ...retryAfter(rule), ...plenty(at) },
    );
  },
  too_many: (at, rule, url, response) => {
    sendError(response, 429, { message: 'Too many requests', documentation_url: LIMITS }, retryAfter(rule));
  },
  primary: (at, rule, url, response) => {
    const headers = { ...plenty(at, rule.reset ?? 60), 'x-ratelimit-remaining': 0, 'x-ratelimit-used': 5000 };
    const message = 'API rate limit exceeded for user ID 1.';
    // GraphQL says so with 200.
    if (url.pathname === '/graphql')
      return sendError(response, 200, { errors: [{ type: 'RATE_LIMITED', message }] }, { ...headers, 'x-ratelimit-resource': 'graphql' });
    sendError(response, 403, { message, documentation_url: LIMITS }, { ...headers, 'x-ratelimit-resource': 'core' });
  },
  hang: () => {},
  cut_before: (at, rule, url, response) => response.destroy(),
};

function plenty(at, inSeconds = 3600) {
  return {
    'x-ratelimit-limit': 5000,
    'x-ratelimit-remaining': 4000,
    'x-ratelimit-used': 1000,
    'x-ratelimit-reset': Math.ceil(at.world.now() / 1000) + inSeconds,
  };
}

function retryAfter(rule) {
  return rule.retry_after === undefined || rule.retry_after === null ? {} : { 'retry-after': rule.retry_after };
}

function sendError(response, status, body, headers = {}) {
  send(response, status, { 'content-type': 'application/json; charset=utf-8', ...headers }, JSON.stringify(body));
}

function send(response, status, headers, text) {
  // 204 and 304 have no body, and say nothing of its length.
  const length = status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, { ...headers, ...length });
  response.end(text);
}
