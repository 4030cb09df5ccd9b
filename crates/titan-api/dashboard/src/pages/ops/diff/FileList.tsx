// The files of a proposal with their differences, one below the other. `j` and `k` go from file to file, Enter opens and folds.
import { memo, useMemo, useRef } from 'react';
import { Panel } from '../../../components/Panel';
import { plural } from '../../../lib/format';
import { focusRow, useRowKeys } from '../../../lib/rowKeys';
import type { Difference } from '../evidence';
import ops from '../Ops.module.css';
import { Counts } from './Counts';
import classes from './Diff.module.css';
import { type Entry, entriesOf } from './entries';
import { FileDiff } from './FileDiff';
import { Mismatch } from './FileFault';
import { FileIndex } from './FileIndex';
import { LookSwitches } from './LookSwitches';
import { useDiffLook } from './look';
import { useViewed } from './viewed';

interface FileListProps {
  proposalId: string;
  difference: Difference;
  /** The differences of all files, as git writes them. */
  diff: string;
}

const ROWS = '[data-path]';

/** The proposal around it is asked for every few seconds. */
export const FileList = memo(function FileList({ proposalId, difference, diff }: FileListProps) {
  const viewed = useViewed(proposalId);
  const { look, change, canSplit } = useDiffLook();
  const list = useRef<HTMLUListElement>(null);
  useRowKeys(list, ROWS);
  const { entries, strangers } = useMemo(() => entriesOf(difference, diff), [difference, diff]);
  const isViewed = ({ file, seen, fault }: Entry) => fault === null && viewed.is(file.path, seen);
  const several = entries.length > 1;
  const count = (of: 'additions' | 'deletions') => difference.files.reduce((sum, file) => sum + file[of], 0);
  const aside = (
    <div className={classes.aside}>
      <span className={ops.muted} data-testid="diff-summary">
        <Counts additions={count('additions')} deletions={count('deletions')} /> {entries.filter(isViewed).length} of{' '}
        {entries.length} viewed
      </span>
      <LookSwitches look={look} canSplit={canSplit} onChange={change} />
    </div>
  );
  return (
    <Panel title={plural(entries.length, 'file')} aside={aside} flush testId="diff">
      <Mismatch entries={entries} strangers={strangers} />
      {difference.shifts.length > 0 && (
        <ul className={ops.notes}>
          {difference.shifts.map((shift) => (
            <li key={shift}>{shift}</li>
          ))}
        </ul>
      )}
      <div className={classes.columns} data-index={several}>
        {several && <FileIndex entries={entries} isViewed={isViewed} onGo={(path) => goTo(list.current, path)} />}
        <div className={classes.files}>
          <ul ref={list} className={ops.rows} aria-label="Files">
            {entries.map((entry) => (
              <li key={entry.file.path}>
                <FileDiff entry={entry} look={look} viewed={isViewed(entry)} onView={viewed.set} />
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
});

function goTo(list: HTMLElement | null, path: string): void {
  const rows = [...(list?.querySelectorAll<HTMLElement>(ROWS) ?? [])];
  focusRow(rows.find((row) => row.dataset.path === path));
}
