// The hunks of a file with both sides beside each other. What was removed and added is said by a sign too, never by colour alone.
import { useMemo } from 'react';
import { MOST_LINES } from '../../../components/Patch';
import { ScrollBox } from '../../../components/ScrollBox';
import { Visible } from '../../../components/Visible';
import classes from './Diff.module.css';
import { type Hunk, type Line, type Pair, pairsOf, type Side, signed } from './hunks';

interface SplitPatchProps {
  hunks: readonly Hunk[];
  label: string;
}

export function SplitPatch({ hunks, label }: SplitPatchProps) {
  const all = useMemo(() => hunks.map(({ place, lines }) => ({ place, pairs: pairsOf(lines) })), [hunks]);
  const count = all.reduce((sum, { pairs }) => sum + pairs.length, 0);
  return (
    <>
      <ScrollBox label={label} className={classes.box} testId="split-patch">
        <table className={`${classes.split} mono`}>
          <colgroup>
            <col className={classes.numbers} />
            <col />
            <col className={classes.numbers} />
            <col />
          </colgroup>
          <thead>
            <tr>
              <th scope="colgroup" colSpan={2}>
                Before
              </th>
              <th scope="colgroup" colSpan={2}>
                After
              </th>
            </tr>
          </thead>
          {upTo(MOST_LINES, all).map(({ place, pairs }) => (
            <tbody key={place}>
              <tr data-line="place">
                <td colSpan={4}>
                  <Visible text={place} />
                </td>
              </tr>
              {pairs.map((pair) => (
                <tr key={keyOf(pair)}>
                  <Cells line={pair.old} side="old" />
                  <Cells line={pair.new} side="new" />
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </ScrollBox>
      {count > MOST_LINES && (
        <p className={classes.note}>
          The first {MOST_LINES.toLocaleString('en')} of {count.toLocaleString('en')} lines are shown.
        </p>
      )}
    </>
  );
}

/** A note has no number, and stands behind a line that has one. */
const keyOf = ({ old, new: now }: Pair): string => `${old?.old ?? old?.text} ${now?.new ?? now?.text}`;

function upTo<T extends { pairs: Pair[] }>(most: number, hunks: readonly T[]): T[] {
  let left = most;
  const shown: T[] = [];
  for (const hunk of hunks) {
    if (left <= 0) break;
    shown.push({ ...hunk, pairs: hunk.pairs.slice(0, left) });
    left -= hunk.pairs.length;
  }
  return shown;
}

function Cells({ line, side }: { line: Line | null; side: Side }) {
  if (line === null) {
    return (
      <>
        <td className={classes.number} />
        <td className={classes.none} />
      </>
    );
  }
  return (
    <>
      <td className={classes.number}>{line[side]}</td>
      <td data-line={line.kind}>
        <Visible text={signed(line)} />
      </td>
    </>
  );
}
