// Comments on a pull request. All of them come at once.

import { Refusal, notFound } from './errors.mjs';
import { pullOf } from './pulls.mjs';
import { showUser } from './show.mjs';

export function listComments({ at, repo, params, query }) {
  const pull = pullOf(repo, params);
  const since = query.since ? Date.parse(query.since) : 0;
  const found = repo.comments.filter(({ number, updatedAt }) => number === pull.number && Date.parse(updatedAt) >= since);
  return { body: found.map((comment) => show(at, repo, comment)), headers: { 'x-total-count': found.length } };
}

export function createComment({ at, repo, params, body, holder }) {
  const pull = pullOf(repo, params);
  if (!body.body) throw new Refusal(422, '[Body]: Required');
  return { status: 201, body: show(at, repo, repo.say({ number: pull.number, body: body.body, user: holder.user })) };
}

export function updateComment({ at, repo, params, body }) {
  const comment = repo.comments.find(({ id }) => id === Number(params.id));
  if (!comment) throw notFound();
  if (!body.body) throw new Refusal(422, '[Body]: Required');
  repo.sayAgain(comment, body.body);
  return { body: show(at, repo, comment) };
}

function show(at, repo, comment) {
  const html = `${at.html}/${repo.fullName}/pulls/${comment.number}`;
  return {
    id: comment.id,
    html_url: `${html}#issuecomment-${comment.id}`,
    pull_request_url: html,
    issue_url: '',
    user: showUser(at, comment.user),
    original_author: '',
    original_author_id: 0,
    body: comment.body,
    assets: [],
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
  };
}
