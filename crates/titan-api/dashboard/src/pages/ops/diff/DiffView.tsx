// What a proposal changes, file by file, with what the rules say about each; before that is known, what was proposed.
import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Output, Proposal } from '../../../api/types';
import { Empty } from '../../../components/Empty';
import { QueryView } from '../../../components/QueryView';
import { outputTextQuery } from '../../../data/ops';
import { artifactsQuery } from '../../../data/queries';
import { isDiff } from '../../output/previewKind';
import { type Difference, differenceIn, stageOf } from '../evidence';
import { FileList } from './FileList';
import { ProposedPatches } from './ProposedPatches';

export function DiffView({ proposal }: { proposal: Proposal }) {
  // The same as long as the stage has found the same, however often the proposal is asked for.
  const evidence = stageOf(proposal, 'diff')?.evidence ?? null;
  const difference = useMemo(() => differenceIn(evidence), [evidence]);
  const { id, run_id: runId } = proposal;
  if (difference === null || runId === null) return <ProposedPatches proposal={proposal} />;
  return <Changes proposalId={id} difference={difference} runId={difference.run ?? runId} />;
}

interface ChangesProps {
  proposalId: string;
  difference: Difference;
  runId: string;
}

/** When a stage was done again, what was found before stands until the new text is there. */
const kept = { placeholderData: keepPreviousData };

function Changes({ proposalId, difference, runId }: ChangesProps) {
  const outputs = useQuery({ ...artifactsQuery(runId), ...kept });
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
        const shared = { proposalId, difference, output };
        return <Files {...shared} old={outputs.isPlaceholderData} />;
      }}
    </QueryView>
  );
}

/** A stage that was done again has made another one. */
function newestDiff(outputs: Output[]): Output | undefined {
  const diffs = outputs.filter((output) => output.name === 'Changes' && isDiff(output));
  return diffs.sort((a, b) => (a.created_at < b.created_at ? 1 : -1))[0];
}

interface FilesProps {
  proposalId: string;
  difference: Difference;
  output: Output;
  /** It is of a run before. */
  old: boolean;
}

function Files({ proposalId, difference, output, old }: FilesProps) {
  const text: UseQueryResult<string> = useQuery({ ...outputTextQuery(output), ...kept });
  const fitting = useLast(difference, old || text.isPlaceholderData);
  return (
    <QueryView query={text} what="the differences">
      {(diff) => <FileList proposalId={proposalId} difference={fitting} diff={diff} />}
    </QueryView>
  );
}

/** The last one that was not kept waiting. */
function useLast<T>(value: T, waits: boolean): T {
  const [last, setLast] = useState(value);
  if (!waits && last !== value) setLast(value);
  return waits ? last : value;
}
