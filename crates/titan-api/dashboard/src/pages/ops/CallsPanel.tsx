// Who called /api/ops, and what they were answered; fetched when somebody wants to know.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AuditEntry } from '../../api/types';
import { Age } from '../../components/Age';
import { LoadMore } from '../../components/LoadMore';
import { QueryView } from '../../components/QueryView';
import { ScrollBox } from '../../components/ScrollBox';
import table from '../../components/Table.module.css';
import { opsCallsQuery } from '../../data/ops';
import classes from './Ops.module.css';

export function CallsPanel() {
  const [open, setOpen] = useState(false);
  return (
    <details className={classes.calls} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Who called what</summary>
      {open && <Calls />}
    </details>
  );
}

function Calls() {
  const query = useInfiniteQuery(opsCallsQuery());
  return (
    <QueryView query={query} what="the calls">
      {(data) => (
        <>
          <ScrollBox className={table.tableBox} label="Calls of /api/ops">
            <table className={table.table}>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Who</th>
                  <th scope="col">Call</th>
                  <th scope="col">Answer</th>
                  <th scope="col">From</th>
                </tr>
              </thead>
              <tbody>
                {data.pages.flatMap((page) => page.items.map((entry) => <CallRow key={entry.id} entry={entry} />))}
              </tbody>
            </table>
          </ScrollBox>
          <LoadMore query={query} />
        </>
      )}
    </QueryView>
  );
}

function CallRow({ entry }: { entry: AuditEntry }) {
  return (
    <tr data-testid="call-row">
      <td>
        <Age at={entry.at} />
      </td>
      <td>{entry.actor ?? <span className={table.muted}>nobody who is known</span>}</td>
      <td className="mono">
        {entry.method} {entry.path}
      </td>
      <td className="tnum">
        {entry.status ?? <span className={table.muted}>none</span>} {entry.code}
      </td>
      <td className="mono">{entry.peer ?? ''}</td>
    </tr>
  );
}
