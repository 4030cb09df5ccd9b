// What the queue does, and the hand on it: queues, workers, jobs and limits. The filter of the jobs stands in the address.
import { useQuery } from '@tanstack/react-query';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { WorkerTable } from '../../components/WorkerTable';
import { steadily } from '../../data/healing';
import { QUEUE_REFRESH_MS, queuesQuery, workersQuery } from '../../data/queries';
import { JobsPanel } from './JobsPanel';
import { LimitsPanel } from './LimitsPanel';
import classes from './QueuePage.module.css';
import { QueueTable } from './QueueTable';

export function QueuePage() {
  const queues = useQuery(queuesQuery());
  const workers = useQuery({
    ...workersQuery(),
    refetchInterval: (query) => steadily(query, QUEUE_REFRESH_MS),
  });
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>Queue</h1>
      <Panel title="Queues" flush testId="queues">
        <QueryView query={queues} what="queues">
          {(data) => <QueueTable queues={data.items} />}
        </QueryView>
      </Panel>
      <Panel title="Workers" flush testId="workers">
        <QueryView query={workers} what="workers">
          {(data) => <WorkerTable health={data} />}
        </QueryView>
      </Panel>
      <JobsPanel queues={queues.data?.items} kinds={kindsOf(workers.data)} />
      <LimitsPanel />
    </div>
  );
}

/** Those that some worker serves: suggestions for the filter, which takes any other word too. */
const kindsOf = (health: { workers: { kinds: string[] }[] } | undefined): string[] =>
  [...new Set(health?.workers.flatMap((worker) => worker.kinds))].sort();
