// One lead: who it is, what it may bring, and its stage with the moves that are possible from there.
import { ActionIcon, Anchor, Button, Menu } from '@mantine/core';
import { IconChevronDown, IconTrash } from '@tabler/icons-react';
import * as api from '../../api/calls';
import type { Lead, LeadStage } from '../../api/types';
import { Age } from '../../components/Age';
import classes from '../../components/List.module.css';
import { Status } from '../../components/Status';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { plural } from '../../lib/format';
import { notifyError } from '../../lib/notify';
import { useOffline } from '../../live/hooks';
import { formatMoney } from './money';
import { movesFrom, STAGE_LOOKS, stageWord } from './stages';

interface LeadRowProps {
  lead: Lead;
  onEdit: () => void;
  onDelete: () => void;
}

export function LeadRow({ lead, onEdit, onDelete }: LeadRowProps) {
  const offline = useOffline();
  const value =
    lead.value !== null && lead.value !== undefined && lead.currency ? formatMoney(lead.value, lead.currency) : null;
  return (
    <li className={classes.row} data-testid="lead" data-lead={lead.id} data-stage={lead.stage}>
      <div className={classes.text}>
        <button type="button" className={classes.name} data-opens onClick={onEdit} aria-keyshortcuts="j k">
          {lead.name}
        </button>
        <p className={classes.facts}>
          {lead.company && <span>{lead.company}</span>}
          {value !== null && <strong className="tnum">{value}</strong>}
          {lead.email && (
            <Anchor size="xs" href={`mailto:${lead.email}`}>
              {lead.email}
            </Anchor>
          )}
          {lead.phone && <span>{lead.phone}</span>}
          {lead.source && <span>from {lead.source}</span>}
          {lead.notes > 0 && <span>{plural(lead.notes, 'note')}</span>}
          <Age at={lead.stage_at} />
        </p>
      </div>
      <StageMenu lead={lead} />
      <ActionIcon
        variant="subtle"
        color="gray"
        size={32}
        disabled={offline}
        onClick={onDelete}
        aria-label={`Delete ${lead.name}`}
      >
        <IconTrash size={17} />
      </ActionIcon>
    </li>
  );
}

function StageMenu({ lead }: { lead: Lead }) {
  const offline = useOffline();
  const move = useChange((stage: LeadStage) => api.updateLead(lead.id, { stage }), [keys.leads(lead.project_id)]);
  const onError = (error: Error) => notifyError('Move', error);
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button
          variant="default"
          size="compact-sm"
          disabled={offline}
          loading={move.isPending}
          rightSection={<IconChevronDown size={14} aria-hidden />}
          aria-label={`Stage of ${lead.name}: ${stageWord(lead.stage)}`}
          aria-keyshortcuts="m"
          data-moves
        >
          <Status status={STAGE_LOOKS[lead.stage]} label={stageWord(lead.stage)} />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Move to</Menu.Label>
        {movesFrom(lead.stage).map((stage) => (
          <Menu.Item key={stage} onClick={() => move.mutate(stage, { onError })}>
            {stageWord(stage)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
