// The versions of a plan: which one is shown, and with which it is compared.
import { NativeSelect } from '@mantine/core';
import type { PlanSummary } from '../../api/types';
import { Age } from '../../components/Age';
import classes from './Plan.module.css';

interface VersionsProps {
  items: PlanSummary[];
  shown: number;
  against: number | null;
  onShow: (version: number) => void;
  onCompare: (against: number | null) => void;
}

const STATES = { draft: '', approved: ', approved', refused: ', refused' } as const;

export function Versions({ items, shown, against, onShow, onCompare }: VersionsProps) {
  const plan = items.find((item) => item.version === shown);
  const others = items.filter((item) => item.version !== shown);
  const label = (item: PlanSummary) => `Version ${item.version}${STATES[item.state]}`;
  return (
    <div className={classes.versions} data-testid="versions">
      <NativeSelect
        label="Version"
        value={String(shown)}
        onChange={(event) => onShow(Number(event.currentTarget.value))}
        data={items.map((item) => ({ value: String(item.version), label: label(item) }))}
      />
      {others.length > 0 && (
        <NativeSelect
          label="Compare with"
          value={against === null ? '' : String(against)}
          onChange={(event) => onCompare(event.currentTarget.value === '' ? null : Number(event.currentTarget.value))}
          data={[
            { value: '', label: 'No other' },
            ...others.map((item) => ({ value: String(item.version), label: label(item) })),
          ]}
        />
      )}
      {plan && (
        <p className={classes.muted}>
          by {plan.author}, <Age at={plan.created_at} />
          {plan.reason !== null && `. Refused: ${plan.reason}`}
        </p>
      )}
    </div>
  );
}
