// References: https://docs.github.com/rest/git/refs

import { notFound, unprocessable } from './errors.mjs';
import { nodeId } from './show.mjs';

export function getRef({ at, repo, params }) {
  const ref = repo.git.refs(`refs/${params.ref}`).find(({ name }) => name === `refs/${params.ref}`);
  if (!ref) throw notFound();
  return { body: show(at, repo, ref) };
}

export function matchingRefs({ at, repo, params, paginate }) {
  return paginate(repo.git.refs(`refs/${params.ref}`).map((ref) => show(at, repo, ref)));
}

export function createRef({ at, repo, body }) {
  const { ref, sha } = body;
  if (!/^refs\/[^/]+\/./.test(ref)) throw unprocessable('Reference name must contain at least three slash-separated components.');
  if (!repo.git.isRefName(ref)) throw unprocessable(`${ref} is not a valid ref name.`);
  if (!repo.git.type(sha)) throw unprocessable('Object does not exist');
  if (repo.git.ref(ref)) throw unprocessable('Reference already exists');
  // git keeps `a` and `a/b` in one place.
  if (repo.git.refs('refs/').some(({ name }) => name.startsWith(`${ref}/`) || ref.startsWith(`${name}/`)))
    throw unprocessable('Reference update failed');
  if (ref.startsWith('refs/heads/') && repo.git.type(sha) !== 'commit') throw unprocessable('Object is not a commit');
  repo.moveRef(ref, sha, null, 'ref.create');
  const shown = show(at, repo, { name: ref, sha, type: repo.git.type(sha) });
  return { status: 201, body: shown, headers: { location: shown.url } };
}

export function updateRef({ at, repo, params, body }) {
  const ref = `refs/${params.ref}`;
  const old = repo.git.ref(ref);
  if (!old) throw unprocessable('Reference does not exist');
  if (repo.git.type(body.sha) !== 'commit') throw unprocessable('Object does not exist');
  if (!body.force && !repo.git.isAncestor(old, body.sha)) throw unprocessable('Update is not a fast forward');
  repo.moveRef(ref, body.sha, old, 'ref.update');
  return { body: show(at, repo, { name: ref, sha: body.sha, type: 'commit' }) };
}

export function deleteRef({ repo, params }) {
  const ref = `refs/${params.ref}`;
  const old = repo.git.ref(ref);
  if (!old) throw unprocessable('Reference does not exist');
  if (ref === `refs/heads/${repo.defaultBranch}`) throw unprocessable('Cannot delete the default branch');
  repo.moveRef(ref, null, old, 'ref.delete');
  return { status: 204 };
}

function show(at, repo, { name, sha, type }) {
  const url = `${at.api}/repos/${repo.fullName}/git`;
  return {
    ref: name,
    node_id: nodeId('Ref', `${repo.id}:${name}`),
    url: `${url}/${name}`,
    object: { type, sha, url: `${url}/${type}s/${sha}` },
  };
}
