// What a proposal changes, file by file, with what the rules say about each; before that is known, what was proposed.
import { useQuery } from '@tanstack/react-query';
import type { Output, Proposal } from '../../../api/types';
import { Empty } from '../../../components/Empty';
import { QueryView } from '../../../components/QueryView';
import { outputTextQuery } from '../../../data/ops';
import { artifactsQuery } from '../../../data/queries';
import { isDiff } from '../../output/previewKind';
import { type Difference, differenceOf } from '../evidence';
import { FileList } from './FileList';
import { ProposedPatches } from './ProposedPatches';

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
      {(diff) => <FileList proposal={proposal} difference={difference} diff={diff} />}
    </QueryView>
  );
}
