// The four counters of a project, counted by the server over all time, each a link to what it counts.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ProjectStats } from '../../api/types';
import { statsQuery } from '../../data/queries';
import classes from './Counters.module.css';

export function Counters({ projectId, initial }: { projectId: string; initial: ProjectStats }) {
  const { data } = useQuery({ ...statsQuery(projectId), placeholderData: initial });
  const stats = data ?? initial;
  const params = { projectId };
  return (
    <ul className={classes.counters} aria-label="Counters, all time">
      <li>
        <Link
          to="/projects/$projectId/progress"
          params={params}
          className={classes.counter}
          data-testid="counter-tasks"
        >
          <Count value={stats.tasks.total} label="Tasks" />
        </Link>
      </li>
      <li>
        <Link
          to="/projects/$projectId/progress"
          hash="runs"
          params={params}
          className={classes.counter}
          data-testid="counter-runs"
        >
          <Count value={stats.runs.total} label="Runs" />
        </Link>
      </li>
      <li>
        <Link
          to="/projects/$projectId/output"
          search={{ segment: 'memory' }}
          params={params}
          className={classes.counter}
          data-testid="counter-memory"
        >
          <Count value={stats.memories} label="Memory" />
        </Link>
      </li>
      <li>
        <Link
          to="/projects/$projectId/output"
          params={params}
          className={classes.counter}
          data-testid="counter-outputs"
        >
          <Count value={stats.outputs.total} label="Outputs" />
        </Link>
      </li>
    </ul>
  );
}

function Count({ value, label }: { value: number; label: string }) {
  return (
    <>
      <span className={`${classes.value} tnum`} data-testid="counter-value">
        {value.toLocaleString('en')}
      </span>
      <span className={classes.label}>{label}</span>
    </>
  );
}
