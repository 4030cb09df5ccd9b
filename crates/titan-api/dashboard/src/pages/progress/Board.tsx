// The task board. Tasks move by themselves as their runs do; the columns only show where they are.
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ProjectStats, Task } from '../../api/types';
import { Empty } from '../../components/Empty';
import { Panel } from '../../components/Panel';
import { ScrollBox } from '../../components/ScrollBox';
import { plural } from '../../lib/format';
import { COLUMNS, columnTasks, columnTotal } from './columns';
import classes from './ProgressPage.module.css';
import { TaskCard } from './TaskCard';

interface BoardProps {
  projectId: string;
  lists: readonly (readonly Task[])[];
  stats: ProjectStats;
}

export function Board({ projectId, lists, stats }: BoardProps) {
  if (stats.tasks.total === 0) {
    return (
      <Panel title="Tasks">
        <Empty
          title="No tasks yet"
          action={
            <Button component={Link} to={`/projects/${projectId}/input`}>
              Write a message
            </Button>
          }
        >
          Every message becomes a task. Its card appears here and moves while a worker answers.
        </Empty>
      </Panel>
    );
  }
  return (
    <Panel
      title="Tasks"
      aside={<span className={`${classes.muted} tnum`}>{plural(stats.tasks.total, 'task')} in all</span>}
      testId="board"
    >
      <ScrollBox className={classes.board} label="Task board">
        {COLUMNS.map((column) => {
          const tasks = columnTasks(column, lists);
          const total = columnTotal(column, stats);
          return (
            <section
              key={column.id}
              className={classes.column}
              aria-label={column.title}
              data-testid={`column-${column.id}`}
            >
              <h3 className={classes.columnTitle}>
                <span>{column.title}</span>
                <span className="tnum">{total.toLocaleString('en')}</span>
              </h3>
              {tasks.length === 0 ? (
                <p className={classes.none}>{column.empty}</p>
              ) : (
                <ul className={classes.cards}>
                  {tasks.map((task) => (
                    <li key={task.id}>
                      <TaskCard task={task} />
                    </li>
                  ))}
                </ul>
              )}
              {total > tasks.length && tasks.length > 0 && (
                <p className={classes.none}>
                  The newest {tasks.length} of {total.toLocaleString('en')}.
                </p>
              )}
            </section>
          );
        })}
      </ScrollBox>
    </Panel>
  );
}
