// All events of a run: streamed while it lasts, read page by page once it has ended. Either way in order and once.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { listRunEvents } from '../../api/calls';
import type { Run, RunEvent } from '../../api/types';
import { keys } from '../../data/keys';
import { DeltaAssembler } from '../../live/deltas';
import { useRunFeed } from '../../live/hooks';
import type { RunSnapshot } from '../../live/runFeed';

const PAGE = 200;
/** A run with more events than this is read on demand, not at once. */
const READ_AT_ONCE = 2000;

export interface RunEvents {
  events: readonly RunEvent[];
  text: string;
  attempt: number;
  live: boolean;
  snapshot: RunSnapshot;
  error: Error | null;
  pending: boolean;
  hasMore: boolean;
  loadMore: () => void;
  retry: () => void;
}

export const isRunActive = (run: Run): boolean => run.status === 'queued' || run.status === 'running';

export function useRunEvents(run: Run): RunEvents {
  // A run that was active when the page opened stays on its stream to the end, so that the last events come that way too.
  const [follow, setFollow] = useState(() => isRunActive(run));
  const active = isRunActive(run);
  useEffect(() => {
    if (active) setFollow(true);
  }, [active]);
  const snapshot = useRunFeed(follow ? run.id : null);

  const history = useInfiniteQuery({
    queryKey: [...keys.run(run.id), 'events'],
    enabled: !follow,
    queryFn: ({ pageParam, signal }) => listRunEvents(run.id, pageParam, PAGE, signal),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.next_cursor === null ? null : (last.items.at(-1)?.seq ?? null)),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const { fetchNextPage, hasNextPage, isFetchingNextPage, isError } = history;
  const read = useMemo(() => history.data?.pages.flatMap((page) => page.items) ?? [], [history.data]);
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError && read.length < READ_AT_ONCE) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isError, fetchNextPage, read.length]);

  const told = useMemo(() => {
    const assembler = new DeltaAssembler();
    for (const event of read) assembler.apply(event);
    return assembler.latest();
  }, [read]);

  return {
    events: follow ? snapshot.events : read,
    text: follow ? snapshot.text : (told?.text ?? ''),
    attempt: follow ? snapshot.attempt : (told?.attempt ?? 0),
    live: follow && active,
    snapshot,
    error: follow ? null : history.error,
    pending: follow ? snapshot.events.length === 0 && snapshot.refused === null : history.isPending,
    hasMore: !follow && hasNextPage,
    loadMore: () => void fetchNextPage(),
    retry: () => void history.refetch(),
  };
}
