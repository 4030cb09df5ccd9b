// The calls of models that a run has made, one card each: who was asked, what came of it, and what it took.
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { Call, Run } from '../../api/types';
import { Empty } from '../../components/Empty';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { callsQuery } from '../../data/budgets';
import { formatCount, plural } from '../../lib/format';
import { TurnCard } from './TurnCard';
import classes from './Turns.module.css';
import { readAsked, wantedBefore } from './turns';
import type { RunEvents } from './useRunEvents';

export function TurnList({ run, feed }: { run: Run; feed: RunEvents }) {
  const query = useInfiniteQuery(callsQuery(run.id));
  const calls = query.data?.pages.flatMap((page) => page.items) ?? [];
  const asked = readAsked(feed.events);
  return (
    <Panel title="Turns" testId="turns" flush aside={<Totals calls={calls} more={query.hasNextPage} />}>
      <QueryView query={query} what="the turns">
        {() =>
          calls.length === 0 ? (
            <Empty title="No model was asked yet">Each call of a model appears here, with what it took.</Empty>
          ) : (
            <ol className={classes.turns}>
              {calls.map((call, index) => (
                <TurnCard
                  key={call.id}
                  call={call}
                  wanted={wantedBefore(calls, index)}
                  asked={asked.get(call.id) ?? null}
                  snapshot={feed.live && call.state === 'open' ? feed.snapshot : null}
                />
              ))}
            </ol>
          )
        }
      </QueryView>
      {query.hasNextPage && (
        <div className={classes.more}>
          <Button
            size="compact-sm"
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Load more turns
          </Button>
        </div>
      )}
    </Panel>
  );
}

function Totals({ calls, more }: { calls: Call[]; more: boolean }) {
  if (calls.length === 0) return null;
  const cached = calls.reduce((sum, call) => sum + call.cached_tokens, 0);
  return (
    <span className={`${classes.muted} tnum`} data-testid="turn-count">
      {more ? `The first ${calls.length}` : plural(calls.length, 'call')}
      {cached > 0 && `, ${formatCount(cached)} tokens from the provider's cache`}
    </span>
  );
}
