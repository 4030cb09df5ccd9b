// The stages with how many leads are at each and what they may bring, as the server counts them; choosing one filters the list.
import { Chip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { LeadStage, StageSum } from '../../api/types';
import classes from '../../components/List.module.css';
import { leadsSummaryQuery } from '../../data/queries';
import { formatCount } from '../../lib/format';
import { formatMoney } from './money';
import { STAGES } from './stages';

interface StageFilterProps {
  projectId: string;
  stage: LeadStage | 'all';
  onStage: (stage: LeadStage | 'all') => void;
}

export function StageFilter({ projectId, stage, onStage }: StageFilterProps) {
  const { data } = useQuery(leadsSummaryQuery(projectId));
  const sums = new Map(data?.stages.map((sum) => [sum.stage, sum]));
  const all = data?.stages.reduce((count, { leads }) => count + leads, 0);
  return (
    <Chip.Group value={stage} onChange={(value) => onStage(value as LeadStage | 'all')}>
      <div className={classes.toolbar} role="radiogroup" aria-label="Stage">
        <Chip value="all" size="sm">
          All{all === undefined ? '' : ` ${formatCount(all)}`}
        </Chip>
        {STAGES.map(({ value, label }) => (
          <Chip key={value} value={value} size="sm" data-testid={`stage-${value}`}>
            {label}
            {words(sums.get(value))}
          </Chip>
        ))}
      </div>
    </Chip.Group>
  );
}

function words(sum: StageSum | undefined): string {
  if (sum === undefined) return '';
  const values = sum.values.map(({ value, currency }) => formatMoney(value, currency));
  return [` ${formatCount(sum.leads)}`, ...values].join(' · ');
}
