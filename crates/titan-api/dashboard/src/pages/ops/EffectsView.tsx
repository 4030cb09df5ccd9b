// What was done outside for a proposal: each was written down before it was done, and what came of it after.
import { useQuery } from '@tanstack/react-query';
import type { Intent, Proposal } from '../../api/types';
import { Age } from '../../components/Age';
import { Empty } from '../../components/Empty';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { ScrollBox } from '../../components/ScrollBox';
import table from '../../components/Table.module.css';
import { effectsQuery } from '../../data/ops';
import { effectInWords } from './effects';
import { Json } from './Json';
import classes from './Ops.module.css';

export function EffectsView({ proposal }: { proposal: Proposal }) {
  const query = useQuery(effectsQuery(proposal.id));
  return (
    <Panel title="Done outside" flush testId="effects">
      <QueryView query={query} what="what was done outside">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing was done outside yet">
              Commits, pull requests, merges and deployments stand here, each before it is done.
            </Empty>
          ) : (
            <EffectTable effects={items} />
          )
        }
      </QueryView>
    </Panel>
  );
}

function EffectTable({ effects }: { effects: Intent[] }) {
  return (
    <ScrollBox className={table.tableBox} label="Done outside">
      <table className={table.table}>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Intent</th>
            <th scope="col">Receipt</th>
          </tr>
        </thead>
        <tbody>
          {effects.map((effect) => (
            <tr key={effect.key} data-testid="effect-row" data-known={effect.receipt !== null}>
              <td>
                {effectInWords(effect.key)}
                <div className={table.muted}>
                  <Age at={effect.created_at} />
                </div>
              </td>
              <td>
                <Json value={effect.what} />
              </td>
              <td>
                <Receipt effect={effect} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function Receipt({ effect: { receipt, done_at: doneAt } }: { effect: Intent }) {
  if (receipt === null || doneAt === null)
    return <span className={classes.unknown}>Not known whether it was done</span>;
  return (
    <>
      <Json value={receipt} />
      <div className={table.muted}>
        <Age at={doneAt} />
      </div>
    </>
  );
}
