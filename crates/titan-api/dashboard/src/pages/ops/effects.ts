// The keys of effects, as words: `commit:<tree>`, `pull`, `deploy:<side>:<commit>:<run>` and so on.
import { shortCommit } from './evidence';

const WORDS: Record<string, string> = {
  commit: 'Make the commit',
  test: 'Build and test',
  checks: 'Wait for the checks',
  pull: 'Open the pull request',
  merge: 'Merge',
};

export function effectInWords(key: string): string {
  const [what = '', ...rest] = key.split(':');
  if (what === 'deploy') return `Deploy ${shortCommit(rest[1] ?? '')} to ${rest[0] ?? ''}`.trim();
  if (what === 'revert')
    return rest.at(-1) === 'pull' ? 'Open the pull request that takes it back' : 'Commit the opposite';
  return WORDS[what] ?? key;
}
