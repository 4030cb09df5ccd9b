// Changes to Titan's own code: what production runs, the proposals, and who called. `j` and `k` go from proposal to proposal.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { LoadMore } from '../../components/LoadMore';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { proposalsQuery } from '../../data/ops';
import { useRowKeys } from '../../lib/rowKeys';
import { CallsPanel } from './CallsPanel';
import { NoProposals } from './NoProposals';
import classes from './Ops.module.css';
import { Production } from './Production';
import { ProposalRow } from './ProposalRow';

export function OpsPage() {
  const query = useInfiniteQuery(proposalsQuery());
  const list = useRef<HTMLUListElement>(null);
  useRowKeys(list, '[data-proposal]');
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>Ops</h1>
      <Production />
      <Panel title="Proposals" flush testId="proposals">
        <QueryView query={query} what="proposals">
          {(data) => {
            const proposals = data.pages.flatMap((page) => page.items);
            if (proposals.length === 0) return <NoProposals />;
            return (
              <>
                <ul ref={list} className={classes.rows} aria-label="Proposals">
                  {proposals.map((proposal) => (
                    <li key={proposal.id}>
                      <ProposalRow proposal={proposal} />
                    </li>
                  ))}
                </ul>
                <LoadMore query={query} />
              </>
            );
          }}
        </QueryView>
      </Panel>
      <CallsPanel />
    </div>
  );
}
