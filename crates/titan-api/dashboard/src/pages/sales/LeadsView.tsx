// Who may buy: by stage, searched, moved from stage to stage, taken in from a table and given out as one.
import { Anchor, Button } from '@mantine/core';
import { IconDownload, IconPlus, IconUpload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import * as api from '../../api/calls';
import type { Lead } from '../../api/types';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { Empty } from '../../components/Empty';
import classes from '../../components/List.module.css';
import { LoadMore } from '../../components/LoadMore';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { SearchBox } from '../../components/SearchBox';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { leadsQuery } from '../../data/queries';
import { useRowKeys } from '../../lib/rowKeys';
import { useShortcuts } from '../../lib/shortcuts';
import { useOffline } from '../../live/hooks';
import { ImportDialog } from './ImportDialog';
import { LeadDialog } from './LeadDialog';
import { LeadRow } from './LeadRow';
import { StageFilter } from './StageFilter';

interface LeadsViewProps {
  projectId: string;
  filter: api.LeadFilter;
  onFilter: (filter: api.LeadFilter) => void;
}

type Open = { dialog: 'edit'; lead: Lead | null } | { dialog: 'delete'; lead: Lead } | { dialog: 'import' } | null;

export function LeadsView({ projectId, filter, onFilter }: LeadsViewProps) {
  const [open, setOpen] = useState<Open>(null);
  const offline = useOffline();
  const query = useInfiniteQuery(leadsQuery(projectId, filter));
  const list = useRef<HTMLUListElement>(null);
  useRowKeys(list, '[data-lead]');
  useShortcuts(MOVE);
  const close = () => setOpen(null);
  const importButton = (
    <Button
      variant="default"
      disabled={offline}
      leftSection={<IconUpload size={16} aria-hidden />}
      onClick={() => setOpen({ dialog: 'import' })}
    >
      Import
    </Button>
  );
  return (
    <section className={classes.page} aria-label="All leads">
      <StageFilter projectId={projectId} stage={filter.stage} onStage={(stage) => onFilter({ ...filter, stage })} />
      <div className={classes.toolbar} role="toolbar" aria-label="Leads">
        <SearchBox what="the leads" q={filter.q} onSearch={(q) => onFilter({ ...filter, q })} />
        <span className={classes.spacer} />
        <Anchor href={api.leadsExportUrl(projectId)} download size="sm" className={classes.link ?? ''}>
          <IconDownload size={15} aria-hidden /> Export
        </Anchor>
        {importButton}
        <Button
          disabled={offline}
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => setOpen({ dialog: 'edit', lead: null })}
        >
          Add lead
        </Button>
      </div>
      <QueryView query={query} what="the leads">
        {(data) => {
          const leads = data.pages.flatMap((page) => page.items);
          if (leads.length === 0) {
            return <None filter={filter} onClear={() => onFilter({ stage: 'all', q: '' })} action={importButton} />;
          }
          return (
            <Panel title="Leads" flush>
              <ul ref={list} className={classes.rows} aria-label="Leads of this project">
                {leads.map((lead) => (
                  <LeadRow
                    key={lead.id}
                    lead={lead}
                    onEdit={() => setOpen({ dialog: 'edit', lead })}
                    onDelete={() => setOpen({ dialog: 'delete', lead })}
                  />
                ))}
              </ul>
              <LoadMore query={query} />
            </Panel>
          );
        }}
      </QueryView>
      {open?.dialog === 'edit' && <LeadDialog projectId={projectId} lead={open.lead} onClose={close} />}
      {open?.dialog === 'delete' && <DeleteLead projectId={projectId} lead={open.lead} onClose={close} />}
      {open?.dialog === 'import' && <ImportDialog projectId={projectId} onClose={close} />}
    </section>
  );
}

/** Opens the stages of the lead that has the focus. */
const MOVE = {
  m: () => document.activeElement?.closest('[data-lead]')?.querySelector<HTMLElement>('[data-moves]')?.click(),
};

function None({ filter, onClear, action }: { filter: api.LeadFilter; onClear: () => void; action: ReactNode }) {
  if (filter.stage === 'all' && filter.q === '') {
    return (
      <Empty title="No leads yet" action={action}>
        Write down who showed interest, or import a table: first you see what each row would become, and nothing is
        written before you say so.
      </Empty>
    );
  }
  return (
    <Empty
      title="No lead matches"
      action={
        <Button variant="default" onClick={onClear}>
          Show all leads
        </Button>
      }
    />
  );
}

function DeleteLead({ projectId, lead, onClose }: { projectId: string; lead: Lead; onClose: () => void }) {
  const remove = useChange(api.deleteLead, [keys.leads(projectId), keys.offers(projectId)], () => 'Deleted');
  return (
    <ConfirmDialog
      title="Delete this lead?"
      verb="Delete"
      action={remove}
      onConfirm={() => remove.mutate(lead.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        <strong>{lead.name}</strong> goes, and all notes with it. A lead that came to nothing can be marked as lost
        instead.
      </p>
    </ConfirmDialog>
  );
}
