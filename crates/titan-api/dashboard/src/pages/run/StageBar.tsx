// The four stages of a run and the one it is in.
import type { RunStatus, Stage } from '../../api/types';
import classes from './RunPage.module.css';

const STAGES: { id: Stage; label: string }[] = [
  { id: 'intake', label: 'Intake' },
  { id: 'processing', label: 'Processing' },
  { id: 'review', label: 'Review' },
  { id: 'done', label: 'Done' },
];

export function StageBar({ stage, status }: { stage: Stage; status: RunStatus }) {
  const current = STAGES.findIndex((entry) => entry.id === stage);
  return (
    <ol className={classes.stages} aria-label="Stages">
      {STAGES.map((entry, index) => {
        const state =
          index < current || (index === current && status === 'completed')
            ? 'past'
            : index === current
              ? 'current'
              : 'ahead';
        return (
          <li key={entry.id} data-state={state} aria-current={index === current ? 'step' : undefined}>
            {entry.label}
          </li>
        );
      })}
    </ol>
  );
}
