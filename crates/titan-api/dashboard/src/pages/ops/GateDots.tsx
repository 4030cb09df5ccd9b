// One mark for each stage of a proposal, in their order; its name says what it stands for.
import { Tooltip } from '@mantine/core';
import type { OpsStage } from '../../api/types';
import { Status } from '../../components/Status';
import { gateInWords, gateOf } from './gates';
import classes from './Ops.module.css';

export function GateDots({ stages }: { stages: readonly OpsStage[] }) {
  if (stages.length === 0) return null;
  return (
    <ol className={classes.dots} aria-label="Gates">
      {stages.map((stage) => (
        <Tooltip key={stage.name} label={gateInWords(stage)}>
          <li data-testid="gate-dot" data-gate={stage.name}>
            <Status status={gateOf(stage).status} label={gateInWords(stage)} iconOnly />
          </li>
        </Tooltip>
      ))}
    </ol>
  );
}
