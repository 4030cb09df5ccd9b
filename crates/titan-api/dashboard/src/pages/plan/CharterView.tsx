// What was approved, and how far it is: the goal, and each task as it stands.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef } from 'react';
import type { Charter, CharterItem } from '../../api/types';
import { Age } from '../../components/Age';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { Status } from '../../components/Status';
import { useCompleteTask } from '../../data/actions';
import { charterQuery } from '../../data/queries';
import { useOffline } from '../../live/hooks';
import { isFree } from './charter';
import classes from './Plan.module.css';

export function CharterView({ projectId }: { projectId: string }) {
  const query = useQuery(charterQuery(projectId));
  return (
    <QueryView query={query} what="the charter">
      {(charter) => (
        <Panel
          title={`Charter ${charter.number}`}
          testId="charter"
          aside={
            <span className={classes.muted} data-testid="charter-progress">
              {charter.progress.completed} of {charter.progress.total} done
              {charter.progress.failed > 0 && `, ${charter.progress.failed} failed`}
            </span>
          }
        >
          <p className={classes.text}>{charter.content.goal}</p>
          <p className={classes.muted}>
            Version {charter.plan_version} of the plan, approved <Age at={charter.created_at} />
          </p>
          <Items charter={charter} parent={null} />
        </Panel>
      )}
    </QueryView>
  );
}

function Items({ charter, parent }: { charter: Charter; parent: string | null }) {
  // A task that was kept stays in the group that it was made in, which may be none of this charter.
  const groupOf = ({ parent_task_id }: CharterItem) =>
    charter.items.some((item) => item.task_id === parent_task_id) ? parent_task_id : null;
  const items = charter.items.filter((item) => groupOf(item) === parent);
  return (
    <ul className={classes.items}>
      {items.map((item) => (
        <li key={item.task_id} data-testid="charter-item" data-status={item.execution_status}>
          <Item charter={charter} item={item} />
          {item.progress !== null && <Items charter={charter} parent={item.task_id} />}
        </li>
      ))}
    </ul>
  );
}

function Item({ charter, item }: { charter: Charter; item: CharterItem }) {
  const offline = useOffline();
  const projectId = charter.project_id;
  // The button goes away when it is done.
  const row = useRef<HTMLDivElement>(null);
  const complete = useCompleteTask(projectId);
  const waitsFor = charter.items.filter(
    (other) => item.needs.includes(other.task_id) && other.execution_status !== 'completed',
  );
  return (
    <div className={classes.item} ref={row} tabIndex={-1}>
      <Status status={item.execution_status} />
      {item.progress === null ? (
        <Link to="/projects/$projectId/progress" params={{ projectId }} search={{ task: item.task_id }}>
          {item.title}
        </Link>
      ) : (
        <span className={classes.taskTitle}>{item.title}</span>
      )}
      {item.progress !== null && (
        <span className={classes.muted}>
          {item.progress.completed} of {item.progress.total} done
        </span>
      )}
      {item.execution_status === 'pending' && waitsFor.length > 0 && (
        <span className={classes.muted}>after {waitsFor.map((other) => other.title).join(', ')}</span>
      )}
      {isFree(charter, item) && (
        <Button
          size="compact-xs"
          variant="default"
          disabled={offline}
          loading={complete.isPending}
          onClick={() => complete.mutate(item.task_id, { onSuccess: () => row.current?.focus() })}
          aria-label={`Done: ${item.title}`}
        >
          Done
        </Button>
      )}
    </div>
  );
}
