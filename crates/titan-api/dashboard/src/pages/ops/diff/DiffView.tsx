// What a proposal changes, file by file, with what the rules say about each; before that is known, what was proposed.
import { useQuery } from '@tanstack/react-query';
import type { Output, Proposal } from '../../../api/types';
import { Empty } from '../../../components/Empty';
import { Panel } from '../../../components/Panel';
import { QueryView } from '../../../components/QueryView';
import { outputTextQuery } from '../../../data/ops';
import { artifactsQuery } from '../../../data/queries';
import { plural } from '../../../lib/format';
import { isDiff } from '../../output/previewKind';
import { type Difference, differenceOf } from '../evidence';
import classes from '../Ops.module.css';
import { Counts } from './Counts';
import { FileDiff } from './FileDiff';
import { ProposedPatches } from './ProposedPatches';
import { type DiffPart, partFor, partsOf } from './parts';
import { useViewed } from './viewed';

export function DiffView({ proposal }: { proposal: Proposal }) {
  const difference = differenceOf(proposal);
  const { run_id: runId } = proposal;
  if (difference === null || runId === null) return <ProposedPatches proposal={proposal} />;
  return <Changes proposal={proposal} difference={difference} runId={difference.run ?? runId} />;
}

function Changes({ proposal, difference, runId }: { proposal: Proposal; difference: Difference; runId: string }) {
  const outputs = useQuery(artifactsQuery(runId));
  return (
    <QueryView query={outputs} what="the differences">
      {({ items }) => {
        const output = newestDiff(items);
        if (output === undefined)
          return (
            <Empty title="The differences are not there any more">
              The output “Changes” of the run was deleted. The branch {difference.branch} may have them still.
            </Empty>
          );
        return <Files proposal={proposal} difference={difference} output={output} />;
      }}
    </QueryView>
  );
}

/** A stage that was done again has made another one. */
function newestDiff(outputs: Output[]): Output | undefined {
  const diffs = outputs.filter((output) => output.name === 'Changes' && isDiff(output));
  return diffs.sort((a, b) => (a.created_at < b.created_at ? 1 : -1))[0];
}

function Files({ proposal, difference, output }: { proposal: Proposal; difference: Difference; output: Output }) {
  const text = useQuery(outputTextQuery(output));
  return (
    <QueryView query={text} what="the differences">
      {(diff) => <FileList proposal={proposal} difference={difference} parts={partsOf(diff)} />}
    </QueryView>
  );
}

function FileList({ proposal, difference, parts }: { proposal: Proposal; difference: Difference; parts: DiffPart[] }) {
  const viewed = useViewed(proposal.id);
  const files = difference.files.map((file) => ({ file, part: partFor(parts, file.path) }));
  const seen = files.filter(({ file, part }) => part !== undefined && viewed.is(file.path, part.text)).length;
  const count = (of: 'additions' | 'deletions') => difference.files.reduce((sum, file) => sum + file[of], 0);
  const aside = (
    <span className={classes.muted} data-testid="diff-summary">
      <Counts additions={count('additions')} deletions={count('deletions')} /> {seen} of {files.length} viewed
    </span>
  );
  return (
    <Panel title={plural(files.length, 'file')} aside={aside} flush testId="diff">
      {difference.shifts.length > 0 && (
        <ul className={classes.notes}>
          {difference.shifts.map((shift) => (
            <li key={shift}>{shift}</li>
          ))}
        </ul>
      )}
      <ul className={classes.rows} aria-label="Files">
        {files.map(({ file, part }) => (
          <li key={file.path}>
            <FileDiff
              file={file}
              part={part}
              viewed={part !== undefined && viewed.is(file.path, part.text)}
              onView={(now) => part !== undefined && viewed.set(file.path, part.text, now)}
            />
          </li>
        ))}
      </ul>
      {difference.truncated && (
        <p className={classes.notes} data-testid="diff-truncated">
          The differences are longer than 2 MiB; the rest is left out here. The branch {difference.branch} has all of it
          once there is a commit.
        </p>
      )}
    </Panel>
  );
}
