// A request as the forges look at it: read, found in the table of routes, and held against the document.

import { readBody } from './http.mjs';

/** {method, pathname, url, headers, bytes, query, body, notJson} and, when there is such a route, {route, params}. */
export async function received(request, url, pathname, find) {
  const bytes = await readBody(request);
  const call = { method: request.method, pathname, url, headers: request.headers, bytes, ...find(request.method, pathname) };
  call.query = Object.fromEntries(url.searchParams);
  try {
    call.body = bytes?.length ? JSON.parse(bytes) : undefined;
  } catch {
    call.notJson = true;
  }
  return call;
}

/** Notes what is wrong with a request, and keeps it as `call.faults`. */
export function judgeRequest(world, judge, call) {
  const where = `${call.method} ${call.pathname}`;
  if (!call.route) return world.violation(where, 'is no route that this forge carries');
  call.faults = judge.request(call.route.key, call);
  if (call.notJson) call.faults.push('the body is no JSON');
  for (const fault of call.faults) world.violation(where, fault);
}

/** The same for an answer. */
export function judgeAnswer(world, judge, call, { status, headers = {}, body }) {
  const type = body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' };
  for (const fault of judge.answer(call.route.key, { status, headers: { ...headers, ...type }, body })) {
    world.violation(`${call.method} ${call.pathname}`, `answers ${status}: ${fault}`);
  }
}
