import { describe, expect, it } from 'vitest';
import type { ChangeHint } from '../api/types';
import { keys, OPS_PROJECT, staleKeys } from './keys';

const hint = (kind: string, project_id: string | null = 'p1'): ChangeHint => ({
  kind,
  id: 'x1',
  project_id,
  run_id: null,
  seq: null,
});
const stale = (kind: string, project?: string | null) => staleKeys(hint(kind, project)).map(({ key }) => key);

describe('what a hint makes stale', () => {
  it('is the preview of the project, or of all where many changed at once', () => {
    expect(stale('preview')).toEqual([keys.preview('p1')]);
    expect(stale('preview', null)).toEqual([['preview']]);
  });

  it('is the files of the project', () => {
    expect(stale('files')).toEqual([keys.files('p1')]);
  });

  it('is, with a run, what it may have published', () => {
    expect(stale('run')).toContainEqual(keys.publications('p1'));
    expect(stale('run')).toContainEqual(keys.run('x1'));
  });

  it('is the catalogue with what is being installed', () => {
    expect(stale('template', null)).toEqual([keys.templates]);
  });

  it('is, in the project of Titan itself, a proposal and all that came of it', () => {
    expect(stale('task', OPS_PROJECT)).toContainEqual(keys.ops);
    expect(stale('run', OPS_PROJECT)).toContainEqual(keys.proposals);
    expect(keys.proposal('x').slice(0, 2)).toEqual([...keys.proposal()]);
    expect(stale('run', OPS_PROJECT)).toContainEqual(keys.proposal());
    for (const kind of ['task', 'run'])
      expect(
        stale(kind).some(([first]) => first === 'ops'),
        kind,
      ).toBe(false);
  });

  it('is nothing for a kind that is not known', () => {
    expect(stale('something-new')).toEqual([]);
  });
});
