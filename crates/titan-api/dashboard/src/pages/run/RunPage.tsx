// One run: how it stands and why, its steps, and its events, log and results, live while it lasts.
import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { LogFilter } from '../../api/calls';
import { asApiError } from '../../api/errors';
import type { Run } from '../../api/types';
import { RUN_VIEWS, type RunViewName } from '../../app/search';
import { Empty } from '../../components/Empty';
import { QueryView } from '../../components/QueryView';
import { runQuery } from '../../data/queries';
import { LogView } from '../logs/LogView';
import { EventList } from './EventList';
import { RunHeader } from './RunHeader';
import { RunOutputs } from './RunOutputs';
import classes from './RunPage.module.css';
import { StepTable } from './StepTable';
import { StreamedText } from './StreamedText';
import { Summary } from './Summary';
import { TurnList } from './TurnList';
import { useRunEvents } from './useRunEvents';

const VIEWS = [
  { value: 'events', label: 'Events' },
  { value: 'turns', label: 'Turns' },
  { value: 'logs', label: 'Logs' },
  { value: 'outputs', label: 'Outputs' },
];

const isView = (value: string): value is RunViewName => RUN_VIEWS.some((name) => name === value);

export function RunPage() {
  const { runId } = useParams({ from: '/runs/$runId' });
  const query = useQuery(runQuery(runId));
  if (query.error && query.data === undefined && asApiError(query.error).status === 404) {
    return (
      <Empty page title="This run does not exist">
        It was deleted with its project, or the address is from another Titan.
      </Empty>
    );
  }
  return (
    <QueryView query={query} what="the run">
      {(run) => <RunView key={run.id} run={run} />}
    </QueryView>
  );
}

function RunView({ run }: { run: Run }) {
  const { view = 'events' } = useSearch({ from: '/runs/$runId' });
  const navigate = useNavigate({ from: '/runs/$runId' });
  const feed = useRunEvents(run);
  return (
    <div className={classes.page}>
      <RunHeader run={run} events={feed.events} />
      <Summary run={run} />
      <StepTable run={run} />
      <StreamedText run={run} feed={feed} />
      <div className={classes.views}>
        <SegmentedControl
          data={VIEWS}
          value={view}
          onChange={(value) =>
            void navigate({
              search: isView(value) ? { view: value } : {},
              replace: true,
              resetScroll: false,
            })
          }
          aria-label="View"
        />
      </div>
      {view === 'events' && <EventList feed={feed} />}
      {view === 'turns' && <TurnList run={run} feed={feed} />}
      {view === 'logs' && <RunLogs runId={run.id} />}
      {view === 'outputs' && <RunOutputs runId={run.id} />}
    </div>
  );
}

function RunLogs({ runId }: { runId: string }) {
  const scope = useMemo(() => ({ runId }), [runId]);
  const [filter, setFilter] = useState<LogFilter>({ level: 'debug', q: '' });
  return (
    <div className={classes.logs}>
      <LogView scope={scope} filter={filter} onFilter={setFilter} />
    </div>
  );
}
