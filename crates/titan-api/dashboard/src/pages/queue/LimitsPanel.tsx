// How many jobs with one key may run at once or begin within a time.
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Limit } from '../../api/types';
import { Age } from '../../components/Age';
import { Empty } from '../../components/Empty';
import { LoadMore } from '../../components/LoadMore';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { ScrollBox } from '../../components/ScrollBox';
import table from '../../components/Table.module.css';
import { limitsQuery } from '../../data/queries';
import { useOffline } from '../../live/hooks';
import { DeleteLimitDialog } from './DeleteLimitDialog';
import { LimitDialog } from './LimitDialog';
import { rateInWords } from './limit';
import classes from './QueuePage.module.css';

type Open = { dialog: 'add' } | { dialog: 'edit' | 'delete'; limit: Limit };

export function LimitsPanel() {
  const query = useInfiniteQuery(limitsQuery());
  const offline = useOffline();
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const add = (
    <Button size="compact-sm" variant="default" disabled={offline} onClick={() => setOpen({ dialog: 'add' })}>
      Add a limit
    </Button>
  );
  return (
    <Panel title="Limits" flush testId="limits" aside={add}>
      <QueryView query={query} what="limits">
        {(data) => {
          const limits = data.pages.flatMap((page) => page.items);
          if (limits.length === 0) {
            return (
              <Empty title="No limits">
                A limit holds back jobs that carry its key: so many at once, or so many in a time.
              </Empty>
            );
          }
          return (
            <>
              <LimitTable limits={limits} offline={offline} onOpen={setOpen} />
              <LoadMore query={query} />
            </>
          );
        }}
      </QueryView>
      {open?.dialog === 'add' && <LimitDialog limit={null} onClose={close} />}
      {open?.dialog === 'edit' && <LimitDialog limit={open.limit} onClose={close} />}
      {open?.dialog === 'delete' && <DeleteLimitDialog limit={open.limit} onClose={close} />}
    </Panel>
  );
}

interface LimitTableProps {
  limits: Limit[];
  offline: boolean;
  onOpen: (open: Open) => void;
}

function LimitTable({ limits, offline, onOpen }: LimitTableProps) {
  return (
    <ScrollBox className={table.tableBox} label="Limits">
      <table className={table.table}>
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">At once</th>
            <th scope="col">Rate</th>
            <th scope="col" className={table.num}>
              Admitted
            </th>
            <th scope="col" className={table.num}>
              Waiting
            </th>
            <th scope="col">Changed</th>
            <th scope="col">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {limits.map((limit) => (
            <tr key={limit.key} data-testid="limit-row" data-limit={limit.key}>
              <th scope="row" className={classes.rowName}>
                {limit.key}
              </th>
              <td className="tnum">{limit.max_running?.toLocaleString('en') ?? <Unlimited />}</td>
              <td className="tnum">{rateInWords(limit) ?? <Unlimited />}</td>
              <td className={table.num}>{limit.admitted.toLocaleString('en')}</td>
              <td className={table.num}>{limit.waiting.toLocaleString('en')}</td>
              <td>
                <Age at={limit.updated_at} />
              </td>
              <td className={classes.rowActions}>
                <Button
                  size="compact-xs"
                  variant="default"
                  disabled={offline}
                  onClick={() => onOpen({ dialog: 'edit', limit })}
                  aria-label={`Edit the limit ${limit.key}`}
                >
                  Edit
                </Button>
                <Button
                  size="compact-xs"
                  variant="default"
                  disabled={offline}
                  onClick={() => onOpen({ dialog: 'delete', limit })}
                  aria-label={`Delete the limit ${limit.key}`}
                >
                  Delete
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

const Unlimited = () => <span className={table.muted}>not limited</span>;
