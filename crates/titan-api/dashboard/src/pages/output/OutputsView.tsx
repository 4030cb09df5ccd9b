// The outputs of a project as a list and the chosen one beside it. j and k move, a approves, r rejects.
import { Button, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Output, Review } from '../../api/types';
import { Empty } from '../../components/Empty';
import { QueryView } from '../../components/QueryView';
import { outputQuery, outputsQuery } from '../../data/queries';
import { useShortcuts } from '../../lib/shortcuts';
import { OutputDetail } from './OutputDetail';
import { OutputListItem } from './OutputListItem';
import classes from './OutputPage.module.css';

const REVIEWS = [
  { value: 'all', label: 'All' },
  { value: 'pending', label: 'To review' },
  { value: 'approved', label: 'Approved' },
  { value: 'rejected', label: 'Rejected' },
];

interface OutputsViewProps {
  projectId: string;
  review: Review | 'all';
  selected: string | null;
  onReview: (review: Review | 'all') => void;
  onSelect: (id: string) => void;
}

export function OutputsView({ projectId, review, selected, onReview, onSelect }: OutputsViewProps) {
  const query = useInfiniteQuery(outputsQuery(projectId, review));
  const outputs = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const listed = selected === null ? outputs[0] : outputs.find((output) => output.id === selected);
  // A link may lead to an output that is further down, or that left this filter when it was decided.
  const single = useQuery({ ...outputQuery(selected ?? ''), enabled: selected !== null && listed === undefined });
  const current = listed ?? (selected !== null ? single.data : undefined);
  const [asked, setAsked] = useState<{ id: string; decision: 'approve' | 'reject'; at: number } | null>(null);

  const bindings = useMemo(() => {
    const index = outputs.findIndex((output) => output.id === current?.id);
    const go = (step: number) => {
      const next = outputs[Math.min(outputs.length - 1, Math.max(0, index + step))];
      if (next) onSelect(next.id);
    };
    const ask = (decision: 'approve' | 'reject') => {
      if (current?.review === 'pending') setAsked({ id: current.id, decision, at: Date.now() });
    };
    return { j: () => go(1), k: () => go(-1), a: () => ask('approve'), r: () => ask('reject') };
  }, [outputs, current, onSelect]);
  useShortcuts(bindings);

  /** Deciding moves on to the next one that waits. */
  const afterDecision = (decided: Output) => {
    const index = outputs.findIndex((output) => output.id === decided.id);
    const next = [...outputs.slice(index + 1), ...outputs.slice(0, Math.max(index, 0))].find(
      (output) => output.review === 'pending',
    );
    onSelect(next?.id ?? decided.id);
  };

  return (
    <>
      <SegmentedControl
        size="xs"
        className={classes.segments ?? ''}
        data={REVIEWS}
        value={review}
        onChange={(value) => onReview(value as Review | 'all')}
        aria-label="Review state"
      />
      <QueryView query={query} what="outputs">
        {() =>
          outputs.length === 0 ? (
            <NoOutputs review={review} onClear={() => onReview('all')} />
          ) : (
            <div className={classes.split}>
              <nav aria-label="Outputs" className={classes.side}>
                <ul className={classes.list}>
                  {outputs.map((output) => (
                    <li key={output.id}>
                      <OutputListItem
                        output={output}
                        selected={output.id === current?.id}
                        onSelect={() => onSelect(output.id)}
                      />
                    </li>
                  ))}
                </ul>
                {query.hasNextPage && (
                  <Button
                    variant="default"
                    fullWidth
                    loading={query.isFetchingNextPage}
                    onClick={() => void query.fetchNextPage()}
                  >
                    Show more
                  </Button>
                )}
              </nav>
              {current ? (
                <OutputDetail
                  key={current.id}
                  output={current}
                  asked={asked?.id === current.id ? asked : null}
                  onDecided={afterDecision}
                />
              ) : (
                <QueryView query={single} what="the output">
                  {() => null}
                </QueryView>
              )}
            </div>
          )
        }
      </QueryView>
    </>
  );
}

function NoOutputs({ review, onClear }: { review: Review | 'all'; onClear: () => void }) {
  if (review === 'all')
    return <Empty title="No outputs yet">What tasks make appears here: texts, files, code, images, links.</Empty>;
  return (
    <Empty
      title={review === 'pending' ? 'Nothing waits for review' : `Nothing was ${review}`}
      action={
        <Button variant="default" onClick={onClear}>
          Show all
        </Button>
      }
    />
  );
}
