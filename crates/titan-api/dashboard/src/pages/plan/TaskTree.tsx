// The tasks of a plan, each beneath the group that it belongs to.

import classes from './Plan.module.css';
import type { TaskInView } from './sections';

const DEEPEST = 4;

export function TaskTree({ tasks }: { tasks: readonly TaskInView[] }) {
  const known = new Set(tasks.map((task) => task.key));
  // While it is written, a group may be missing still.
  const top = tasks.filter((task) => task.parent === null || !known.has(task.parent));
  return <Level tasks={tasks} these={top} depth={0} />;
}

function Level({ tasks, these, depth }: { tasks: readonly TaskInView[]; these: readonly TaskInView[]; depth: number }) {
  const titleOf = (key: string) => tasks.find((task) => task.key === key)?.title ?? key;
  return (
    <ul className={classes.tree}>
      {these.map((task) => {
        const parts = depth < DEEPEST ? tasks.filter((other) => other.parent === task.key) : [];
        return (
          <li key={task.key} data-testid="planned-task">
            <span className={classes.taskTitle}>{task.title}</span>{' '}
            <span className={classes.muted}>
              {parts.length > 0 ? 'group' : task.executionType === 'fully_automated' ? 'by itself' : 'by hand'}
              {task.needs.length > 0 && `, after ${task.needs.map(titleOf).join(', ')}`}
            </span>
            {parts.length > 0 && <Level tasks={tasks} these={parts} depth={depth + 1} />}
          </li>
        );
      })}
    </ul>
  );
}
