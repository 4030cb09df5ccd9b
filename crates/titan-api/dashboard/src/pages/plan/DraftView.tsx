// A version while it is written: its sections come in one after the other.
import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { PlanDraft } from '../../api/types';
import { Elapsed } from '../../components/Elapsed';
import { HintText } from '../../components/HintText';
import { Panel } from '../../components/Panel';
import { lookOf, Status } from '../../components/Status';
import { useCancelTask } from '../../data/actions';
import { keys } from '../../data/keys';
import { taskQuery } from '../../data/queries';
import { useOffline, useRunFeed } from '../../live/hooks';
import classes from './Plan.module.css';
import { PlanSections } from './PlanSections';
import { draftOf } from './sections';

export function DraftView({ projectId, draft }: { projectId: string; draft: PlanDraft }) {
  const client = useQueryClient();
  const cancel = useCancelTask(projectId);
  const offline = useOffline();
  const feed = useRunFeed(draft.run_id);
  // Why it does not move, when it does not.
  const task = useQuery(taskQuery(draft.task_id));
  const view = draftOf(feed.events);
  useEffect(() => {
    if (feed.endStatus !== null) void client.invalidateQueries({ queryKey: keys.plans(projectId) });
  }, [client, projectId, feed.endStatus]);
  const written = Object.keys(view.plan).length;
  return (
    <Panel
      title={view.round > 1 ? 'A plan is being mended' : 'A plan is being drafted'}
      testId="draft"
      aside={
        <Button
          size="compact-sm"
          variant="default"
          disabled={offline || cancel.isPending}
          onClick={() => cancel.mutate(draft.task_id)}
        >
          Cancel
        </Button>
      }
    >
      {/* Said when it changes; the time beside it changes with each second. */}
      <p className="sr-only" aria-live="polite" data-testid="draft-said">
        {lookOf(draft.execution_status).word}, {written} of 9 sections
      </p>
      <p className={classes.state}>
        <Status status={draft.execution_status} />{' '}
        <span className={classes.muted}>
          <Elapsed from={draft.created_at} to={null} />
          {written > 0 && `, ${written} of 9 sections`}
        </span>
      </p>
      <HintText hint={task.data?.hint ?? null} />
      {view.repair !== null && <HintText hint={{ code: 'repaired', message: view.repair }} />}
      <PlanSections plan={view.plan} />
    </Panel>
  );
}
