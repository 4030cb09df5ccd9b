// Comments on a pull request, which GitHub takes for an issue: https://docs.github.com/rest/issues/comments

import { invalid, notFound } from './errors.mjs';
import { pullOf } from './pulls.mjs';
import { nodeId, showUser } from './show.mjs';

const LONGEST = 65_536;

export function listComments({ at, repo, params, query, paginate }) {
  const pull = pullOf(repo, params);
  const since = query.since ? Date.parse(query.since) : 0;
  const found = repo.comments.filter(({ number, updatedAt }) => number === pull.number && Date.parse(updatedAt) >= since);
  return paginate(found.map((comment) => show(at, repo, comment)));
}

export function createComment({ at, repo, params, body, holder }) {
  const pull = pullOf(repo, params);
  check(body.body);
  const shown = show(at, repo, repo.say({ number: pull.number, body: body.body, user: holder.user }));
  return { status: 201, body: shown, headers: { location: shown.url } };
}

export function updateComment({ at, repo, params, body }) {
  const comment = repo.comments.find(({ id }) => id === Number(params.comment_id));
  if (!comment) throw notFound();
  check(body.body);
  repo.sayAgain(comment, body.body);
  return { body: show(at, repo, comment) };
}

function check(body) {
  if (!body) throw invalid({ resource: 'IssueComment', field: 'body', code: 'missing_field' });
  if (body.length > LONGEST)
    throw invalid({
      resource: 'IssueComment',
      field: 'body',
      code: 'custom',
      message: `body is too long (maximum is ${LONGEST} characters)`,
    });
}

function show(at, repo, comment) {
  const issue = `${at.api}/repos/${repo.fullName}/issues`;
  return {
    url: `${issue}/comments/${comment.id}`,
    html_url: `${at.html}/${repo.fullName}/pull/${comment.number}#issuecomment-${comment.id}`,
    issue_url: `${issue}/${comment.number}`,
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    user: showUser(at, comment.user),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: 'COLLABORATOR',
    body: comment.body,
    performed_via_github_app: null,
  };
}
