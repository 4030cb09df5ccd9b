// The routes of Forgejo that are served, by the names of its swagger document, with the scope that a token needs.

import { routes } from '../lib/routing.mjs';
import { createBranch, deleteBranch, getBranch, listBranches } from './branches.mjs';
import { createComment, listComments, updateComment } from './comments.mjs';
import { changeFiles } from './contents.mjs';
import { combinedStatus, getTree } from './commits.mjs';
import { createPull, getPull, listPulls, mergePull, updatePull } from './pulls.mjs';
import { showRepository } from './show.mjs';

const REPO = '/repos/{owner}/{repo}';

const TABLE = [
  [`GET ${REPO}`, ({ at, repo, holder }) => ({ body: showRepository(at, repo, holder) }), 'read'],
  [`GET ${REPO}/branches`, listBranches, 'read'],
  [`POST ${REPO}/branches`, createBranch, 'write'],
  [`GET ${REPO}/branches/{branch}`, getBranch, 'read'],
  [`DELETE ${REPO}/branches/{branch}`, deleteBranch, 'write'],
  [`POST ${REPO}/contents`, changeFiles, 'write'],
  [`GET ${REPO}/git/trees/{sha}`, getTree, 'read'],
  [`GET ${REPO}/commits/{ref}/status`, combinedStatus, 'read'],
  [`GET ${REPO}/pulls`, listPulls, 'read'],
  [`POST ${REPO}/pulls`, createPull, 'write'],
  [`GET ${REPO}/pulls/{index}`, getPull, 'read'],
  [`PATCH ${REPO}/pulls/{index}`, updatePull, 'write'],
  [`POST ${REPO}/pulls/{index}/merge`, mergePull, 'write'],
  [`GET ${REPO}/issues/{index}/comments`, listComments, 'read'],
  [`POST ${REPO}/issues/{index}/comments`, createComment, 'write'],
  [`PATCH ${REPO}/issues/comments/{id}`, updateComment, 'write'],
];

export const { keys: KEYS, find } = routes(TABLE, new Set(['branch', 'ref']));
