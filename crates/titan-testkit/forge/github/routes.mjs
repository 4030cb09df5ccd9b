// The routes that are served, by the names that GitHub's own document gives them, with what a token needs for each.

import { routes } from '../lib/routing.mjs';
import { createToken, getInstallation } from './apps.mjs';
import { createComment, listComments, updateComment } from './comments.mjs';
import { combinedStatus, compare, getCommit as getWholeCommit, listCheckRuns } from './commits.mjs';
import { mergePull } from './merge.mjs';
import { createBlob, createCommit, createTree, getBlob, getCommit, getTree } from './objects.mjs';
import { createPull, getPull, listPulls, updatePull } from './pulls.mjs';
import { createRef, deleteRef, getRef, matchingRefs, updateRef } from './refs.mjs';
import { showFullRepository } from './show.mjs';

const REPO = '/repos/{owner}/{repo}';
const readPulls = ['pull_requests=read'];
const writePulls = ['pull_requests=write'];
const writeContents = ['contents=write'];
const readContents = ['contents=read'];

/** [route, handler, permissions of which one is enough]; null for the app itself, [] for anybody who is known. */
const TABLE = [
  ['GET /rate_limit', rateLimit, []],
  ['POST /app/installations/{installation_id}/access_tokens', createToken, null],
  [`GET ${REPO}/installation`, getInstallation, null],
  [`GET ${REPO}`, ({ at, repo, holder }) => ({ body: showFullRepository(at, repo, holder.permissions.contents) }), ['metadata=read']],
  [`GET ${REPO}/git/ref/{ref}`, getRef, readContents],
  [`GET ${REPO}/git/matching-refs/{ref}`, matchingRefs, readContents],
  [`POST ${REPO}/git/refs`, createRef, writeContents],
  [`PATCH ${REPO}/git/refs/{ref}`, updateRef, writeContents],
  [`DELETE ${REPO}/git/refs/{ref}`, deleteRef, writeContents],
  [`POST ${REPO}/git/blobs`, createBlob, writeContents],
  [`GET ${REPO}/git/blobs/{file_sha}`, getBlob, readContents],
  [`POST ${REPO}/git/trees`, createTree, writeContents],
  [`GET ${REPO}/git/trees/{tree_sha}`, getTree, readContents],
  [`POST ${REPO}/git/commits`, createCommit, writeContents],
  [`GET ${REPO}/git/commits/{commit_sha}`, getCommit, readContents],
  [`GET ${REPO}/commits/{ref}/check-runs`, listCheckRuns, ['checks=read']],
  [`GET ${REPO}/commits/{ref}/status`, combinedStatus, ['statuses=read']],
  [`GET ${REPO}/commits/{ref}`, getWholeCommit, readContents],
  [`GET ${REPO}/compare/{basehead}`, compare, readContents],
  [`GET ${REPO}/pulls`, listPulls, readPulls],
  [`POST ${REPO}/pulls`, createPull, writePulls],
  [`GET ${REPO}/pulls/{pull_number}`, getPull, readPulls],
  [`PATCH ${REPO}/pulls/{pull_number}`, updatePull, writePulls],
  [`PUT ${REPO}/pulls/{pull_number}/merge`, mergePull, writeContents],
  [`GET ${REPO}/issues/{issue_number}/comments`, listComments, ['issues=read', 'pull_requests=read']],
  [`POST ${REPO}/issues/{issue_number}/comments`, createComment, ['issues=write', 'pull_requests=write']],
  [`PATCH ${REPO}/issues/comments/{comment_id}`, updateComment, ['issues=write', 'pull_requests=write']],
];

/** These may hold slashes. */
const LONG = new Set(['ref', 'basehead']);

export const { keys: KEYS, find } = routes(TABLE, LONG);

function rateLimit({ holder }) {
  const show = ({ limit, used, reset }) => ({ limit, used, remaining: limit - used, reset });
  const core = show(holder.limits.core);
  const search = { limit: 30, used: 0, remaining: 30, reset: core.reset };
  return { body: { resources: { core, search, graphql: show(holder.limits.graphql) }, rate: core } };
}
