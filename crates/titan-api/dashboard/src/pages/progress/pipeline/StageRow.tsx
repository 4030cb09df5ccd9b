// The five stages side by side, or below each other where there is no room. Choosing one shows what it has written.
import { UnstyledButton } from '@mantine/core';
import { Elapsed } from '../../../components/Elapsed';
import { Status } from '../../../components/Status';
import classes from './Pipeline.module.css';
import type { StageName, StageView } from './stages';

interface StageRowProps {
  stages: StageView[];
  shown: StageName | null;
  onPick: (name: StageName) => void;
}

export function StageRow({ stages, shown, onPick }: StageRowProps) {
  return (
    <ol className={classes.stages} aria-label="Stages of the pipeline">
      {stages.map((stage) => (
        <li key={stage.name} aria-current={stage.current ? 'step' : undefined}>
          <UnstyledButton
            className={classes.stage}
            aria-pressed={stage.name === shown}
            title={`Show what ${stage.name} has written`}
            onClick={() => onPick(stage.name)}
            data-testid={`stage-${stage.name}`}
            data-state={stage.status}
            data-kept={stage.word === 'Kept' || undefined}
          >
            <span className={classes.stageName}>{stage.label}</span>
            <span className={classes.stageFacts}>
              <Status status={stage.status} label={stage.word} />
              {stage.from !== null && (
                <span className={classes.muted}>
                  <Elapsed from={stage.from} to={stage.to} />
                  {stage.attempt > 1 && ` · attempt ${stage.attempt}`}
                </span>
              )}
            </span>
          </UnstyledButton>
        </li>
      ))}
    </ol>
  );
}
