// Merging: https://docs.github.com/rest/pulls/pulls#merge-a-pull-request

import { Refusal } from './errors.mjs';
import { pullOf } from './pulls.mjs';

const GITHUB = { name: 'GitHub', email: 'noreply@github.com' };

export function mergePull({ at, repo, params, body, holder }) {
  const { commit_title: title, commit_message: text, sha, merge_method: method = 'merge' } = body ?? {};
  const pull = pullOf(repo, params);
  if (pull.state !== 'open') throw new Refusal(405, 'Pull Request is not mergeable');
  if (pull.draft) throw new Refusal(405, 'Pull Request is still a draft');
  if (sha !== undefined && sha !== pull.head) throw new Refusal(409, 'Head branch was modified. Review and try the merge again.');
  if (method === 'rebase') throw new Refusal(405, 'Rebase merges are not allowed on this repository.');
  if (repo.protection) throw new Refusal(405, repo.protection);
  if (repo.tryMerge(pull).conflicts) throw new Refusal(405, 'Pull Request is not mergeable');
  const usual = usualMessage(repo, pull, method);
  const message = [title ?? usual.title, text ?? usual.text].filter(Boolean).join('\n\n');
  const { user } = holder;
  const date = at.world.now();
  const author = { name: user.login, email: `${user.id}+${user.login}@users.noreply.example.com`, date };
  pull.mergedBy = user;
  const commit = repo.merge(pull, { method, message, author, committer: { ...GITHUB, date } });
  return { body: { sha: commit, merged: true, message: 'Pull Request successfully merged' } };
}

function usualMessage(repo, pull, method) {
  if (method === 'merge') return { title: `Merge pull request #${pull.number} from ${repo.owner}/${pull.branch}`, text: pull.title };
  const commits = repo.git.commitsBetween(repo.head(pull.base), pull.head).map((sha) => repo.git.commit(sha).message);
  const [headline, ...rest] = commits.length === 1 ? commits[0].split('\n\n') : [pull.title];
  const text = commits.length === 1 ? rest.join('\n\n') : commits.map((message) => `* ${message}`).join('\n\n');
  return { title: `${headline} (#${pull.number})`, text };
}
