// The jobs: tabs by state, a filter in the address, a list that grows on demand, and what can be done to all that match.
import { Button, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { JobFilter } from '../../api/calls';
import type { BulkAction, JobState, Project, Queue } from '../../api/types';
import { Empty } from '../../components/Empty';
import { LoadMore } from '../../components/LoadMore';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import tabClasses from '../../components/Tabs.module.css';
import { jobsQuery, projectsQuery } from '../../data/queries';
import { plural } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import { BulkDialog } from './BulkDialog';
import { bulkActions, isNarrowed, isOutcome, onTab, TABS, tabCount, tabOf } from './filter';
import { JobFilters } from './JobFilters';
import { JobTable } from './JobTable';
import classes from './QueuePage.module.css';

const BULK_LABELS: Record<BulkAction, string> = {
  cancel: 'Cancel all matching',
  retry: 'Retry all matching',
  redrive: 'Redrive all matching',
};

const OUTCOMES = [
  { value: 'completed', label: 'Completed' },
  { value: 'failed', label: 'Failed' },
  { value: 'canceled', label: 'Canceled' },
];

interface JobsPanelProps {
  queues: Queue[] | undefined;
  kinds: string[];
}

export function JobsPanel({ queues, kinds }: JobsPanelProps) {
  const filter = useSearch({ strict: false }) as JobFilter;
  const navigate = useNavigate();
  const projects = useInfiniteQuery(projectsQuery());
  const known = useMemo(() => projects.data?.pages.flatMap((page) => page.items) ?? [], [projects.data]);
  const tab = tabOf(filter);
  const go = (search: JobFilter) => void navigate({ to: '/queue', search, replace: true, resetScroll: false });
  return (
    <div id="jobs" className={classes.anchor}>
      <Panel title="Jobs" flush testId="jobs">
        <nav aria-label="Jobs by state" className={`${tabClasses.tabs} ${classes.tabs}`}>
          {TABS.map((look) => {
            const count = tabCount(look.tab, filter, queues);
            return (
              <Link
                key={look.tab}
                to="/queue"
                search={onTab(filter, look.tab)}
                resetScroll={false}
                className={tabClasses.tab}
                activeOptions={{ exact: true, includeSearch: false }}
                // The router would mark every tab: they share their path.
                aria-current={look.tab === tab ? 'page' : undefined}
                data-active={look.tab === tab || undefined}
                data-testid={`tab-${look.tab}`}
              >
                {look.label}
                {count !== null && count > 0 && <span className={classes.count}>{count.toLocaleString('en')}</span>}
              </Link>
            );
          })}
        </nav>
        <div className={classes.toolbar}>
          <JobFilters filter={filter} queues={queues} kinds={kinds} projects={known} onFilter={go} />
          {tab === 'history' && (
            <SegmentedControl
              size="xs"
              data={OUTCOMES}
              value={filter.state}
              onChange={(state) => go({ ...filter, state: state as JobState })}
              aria-label="How it ended"
            />
          )}
        </div>
        <Jobs key={JSON.stringify(filter)} filter={filter} projects={known} onClear={() => go(onTab({}, tab))} />
      </Panel>
    </div>
  );
}

interface JobsProps {
  filter: JobFilter;
  projects: Project[];
  onClear: () => void;
}

function Jobs({ filter, projects, onClear }: JobsProps) {
  const query = useInfiniteQuery(jobsQuery(filter));
  const offline = useOffline();
  const [asked, setAsked] = useState<BulkAction | null>(null);
  const jobs = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const tab = tabOf(filter);
  const lead = TABS.find((look) => look.tab === tab)?.lead;
  return (
    <>
      <div className={classes.leadRow}>
        <p className={classes.lead}>{lead}</p>
        {jobs.length > 0 &&
          bulkActions(tab).map((action) => (
            <Button
              key={action}
              size="compact-sm"
              variant="default"
              disabled={offline}
              title={offline ? 'Titan cannot be reached now' : undefined}
              onClick={() => setAsked(action)}
            >
              {BULK_LABELS[action]}
            </Button>
          ))}
      </div>
      <div className={classes.list}>
        <QueryView query={query} what="jobs">
          {() =>
            jobs.length === 0 ? (
              <NoJobs filter={filter} onClear={onClear} />
            ) : (
              <>
                <JobTable jobs={jobs} projects={projects} />
                <LoadMore query={query}>
                  <span className={classes.lead}>{plural(jobs.length, 'job')} shown, there are more</span>
                </LoadMore>
              </>
            )
          }
        </QueryView>
      </div>
      {asked && (
        <BulkDialog
          action={asked}
          filter={filter}
          projectName={projects.find((project) => project.id === filter.project)?.name}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

const NOTHING: Record<ReturnType<typeof tabOf>, [title: string, text: string]> = {
  active: ['Nothing to do', 'Each task that is started puts its jobs here until they have ended.'],
  ready: ['No job is ready', 'Workers have taken all there was.'],
  scheduled: ['No job is scheduled', 'Jobs with a start time, and those that are tried again later, stand here.'],
  waiting: ['No job waits for a limit', 'Jobs with a limit key stand here while their limit is used up.'],
  running: ['No job is running', 'What workers are at stands here.'],
  dead: ['No dead letters', 'Jobs that failed for good stand here until they are tried again.'],
  history: ['Nothing has ended that way', 'What has ended stands here for some days.'],
};

function NoJobs({ filter, onClear }: { filter: JobFilter; onClear: () => void }) {
  const [title, text] = NOTHING[tabOf(filter)];
  if (!isNarrowed(filter)) return <Empty title={title}>{text}</Empty>;
  return (
    <Empty
      title="No job matches"
      action={
        <Button variant="default" onClick={onClear}>
          Clear filter
        </Button>
      }
    >
      {isOutcome(filter.state)
        ? 'None of this queue, kind or project ended that way.'
        : 'None of this queue, kind or project stands here.'}
    </Empty>
  );
}
