// Every event of a run by its number. Pieces of streamed text are many, so they can be left out.
import { Button, Switch } from '@mantine/core';
import { useMemo, useState } from 'react';
import { Virtuoso } from 'react-virtuoso';
import type { RunEvent } from '../../api/types';
import { LogText } from '../../components/ansi/LogText';
import { Empty } from '../../components/Empty';
import { ErrorPanel } from '../../components/ErrorPanel';
import { Loading } from '../../components/Loading';
import { Panel } from '../../components/Panel';
import { formatClock, plural } from '../../lib/format';
import { eventText } from './eventText';
import classes from './RunPage.module.css';
import type { RunEvents } from './useRunEvents';

export function EventList({ feed }: { feed: RunEvents }) {
  const [withText, setWithText] = useState(false);
  const shown = useMemo(
    () => (withText ? feed.events : feed.events.filter((event) => event.kind !== 'delta')),
    [feed.events, withText],
  );
  const hidden = feed.events.length - shown.length;
  return (
    <Panel
      title="Events"
      flush
      testId="events"
      aside={
        <span className={classes.asideRow}>
          <span className={`${classes.muted} tnum`} data-testid="event-count">
            {plural(feed.events.length, 'event')}
            {hidden > 0 && `, ${plural(hidden, 'piece')} of text hidden`}
          </span>
          <Switch
            size="xs"
            label="Show pieces of text"
            checked={withText}
            onChange={(event) => setWithText(event.currentTarget.checked)}
          />
        </span>
      }
    >
      {feed.error && <ErrorPanel error={feed.error} onRetry={feed.retry} />}
      {feed.pending && !feed.error && <Loading what="events" onRetry={feed.retry} />}
      {!feed.pending && !feed.error && shown.length === 0 && <Empty title="No events yet" />}
      {shown.length > 0 && (
        <div className={classes.events}>
          <Virtuoso
            data={shown}
            computeItemKey={(_index, event) => event.seq}
            itemContent={(_index, event) => <EventRow event={event} />}
            followOutput={feed.live ? 'auto' : false}
            increaseViewportBy={300}
            role="group"
            aria-label="Event list"
          />
        </div>
      )}
      {feed.hasMore && (
        <div className={classes.more}>
          <Button size="compact-sm" variant="default" onClick={feed.loadMore}>
            Load more events
          </Button>
        </div>
      )}
    </Panel>
  );
}

function EventRow({ event }: { event: RunEvent }) {
  return (
    <div
      className={classes.event}
      data-testid="event-row"
      data-seq={event.seq}
      data-kind={event.kind}
      data-level={event.level ?? undefined}
    >
      <span className={classes.seq}>{event.seq}</span>
      <time dateTime={event.at} title={event.at} className={classes.time}>
        {formatClock(event.at, true)}
      </time>
      <span className={classes.kind}>{event.kind}</span>
      <span className={classes.step}>{event.step === null ? '' : `step ${event.step}`}</span>
      <span className={classes.text}>
        <LogText text={eventText(event)} />
      </span>
    </div>
  );
}
