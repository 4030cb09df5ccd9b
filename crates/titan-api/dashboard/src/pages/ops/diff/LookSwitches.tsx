// The switches over the differences: one below the other or beside each other, with or without white space.
import { SegmentedControl, Switch } from '@mantine/core';
import classes from './Diff.module.css';
import type { DiffLook } from './look';

const LAYOUTS = [
  { value: 'unified', label: 'Unified' },
  { value: 'split', label: 'Split' },
];

interface LookSwitchesProps {
  look: DiffLook;
  canSplit: boolean;
  onChange: (next: Partial<DiffLook>) => void;
}

export function LookSwitches({ look, canSplit, onChange }: LookSwitchesProps) {
  return (
    <div className={classes.switches}>
      {canSplit && (
        <SegmentedControl
          size="xs"
          data={LAYOUTS}
          value={look.split ? 'split' : 'unified'}
          onChange={(value) => onChange({ split: value === 'split' })}
          aria-label="Layout"
        />
      )}
      <Switch
        size="sm"
        label="Ignore white space"
        checked={look.withoutSpace}
        onChange={(event) => onChange({ withoutSpace: event.currentTarget.checked })}
      />
    </div>
  );
}
