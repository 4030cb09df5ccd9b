// The files of a proposal with their differences, one below the other. `j` and `k` go from file to file, Enter opens and folds.
import { useMemo, useRef } from 'react';
import type { Proposal } from '../../../api/types';
import { Panel } from '../../../components/Panel';
import { plural } from '../../../lib/format';
import { focusRow, useRowKeys } from '../../../lib/rowKeys';
import type { Difference } from '../evidence';
import ops from '../Ops.module.css';
import { Counts } from './Counts';
import classes from './Diff.module.css';
import { FileDiff } from './FileDiff';
import { FileIndex } from './FileIndex';
import { LookSwitches } from './LookSwitches';
import { useDiffLook } from './look';
import { partFor, partsOf } from './parts';
import { useViewed } from './viewed';

interface FileListProps {
  proposal: Proposal;
  difference: Difference;
  /** The differences of all files, as git writes them. */
  diff: string;
}

const ROWS = '[data-path]';

export function FileList({ proposal, difference, diff }: FileListProps) {
  const viewed = useViewed(proposal.id);
  const { look, change, canSplit } = useDiffLook();
  const list = useRef<HTMLUListElement>(null);
  useRowKeys(list, ROWS);
  const parts = useMemo(() => partsOf(diff), [diff]);
  const files = difference.files.map((file) => {
    const part = partFor(parts, file.path);
    return { file, part, viewed: part !== undefined && viewed.is(file.path, part.text) };
  });
  const several = files.length > 1;
  const count = (of: 'additions' | 'deletions') => difference.files.reduce((sum, file) => sum + file[of], 0);
  const aside = (
    <div className={classes.aside}>
      <span className={ops.muted} data-testid="diff-summary">
        <Counts additions={count('additions')} deletions={count('deletions')} />{' '}
        {files.filter((file) => file.viewed).length} of {files.length} viewed
      </span>
      <LookSwitches look={look} canSplit={canSplit} onChange={change} />
    </div>
  );
  return (
    <Panel title={plural(files.length, 'file')} aside={aside} flush testId="diff">
      {difference.shifts.length > 0 && (
        <ul className={ops.notes}>
          {difference.shifts.map((shift) => (
            <li key={shift}>{shift}</li>
          ))}
        </ul>
      )}
      <div className={classes.columns} data-index={several}>
        {several && <FileIndex entries={files} onGo={(path) => goTo(list.current, path)} />}
        <div className={classes.files}>
          <ul ref={list} className={ops.rows} aria-label="Files">
            {files.map(({ file, part, viewed: isViewed }) => (
              <li key={file.path}>
                <FileDiff
                  file={file}
                  part={part}
                  look={look}
                  viewed={isViewed}
                  onView={(now) => part !== undefined && viewed.set(file.path, part.text, now)}
                />
              </li>
            ))}
          </ul>
        </div>
      </div>
      {difference.truncated && (
        <p className={ops.notes} data-testid="diff-truncated">
          The differences are longer than 2 MiB; the rest is left out here. The branch {difference.branch} has all of it
          once there is a commit.
        </p>
      )}
    </Panel>
  );
}

function goTo(list: HTMLElement | null, path: string): void {
  const rows = [...(list?.querySelectorAll<HTMLElement>(ROWS) ?? [])];
  focusRow(rows.find((row) => row.dataset.path === path));
}
