// One proposal: what it is and asks, what it changes, how far it has come, and what was done for it outside.
import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { asApiError } from '../../api/errors';
import type { Proposal } from '../../api/types';
import { PROPOSAL_VIEWS, type ProposalViewName } from '../../app/search';
import { Empty } from '../../components/Empty';
import { QueryView } from '../../components/QueryView';
import { proposalQuery } from '../../data/ops';
import { DiffView } from './diff/DiffView';
import { EffectsView } from './EffectsView';
import { GatesView } from './gates/GatesView';
import classes from './Ops.module.css';
import { Production } from './Production';
import { ProposalHeader } from './ProposalHeader';
import { Question } from './Question';
import { RolloutView } from './rollout/RolloutView';

const VIEWS = [
  { value: 'diff', label: 'Diff' },
  { value: 'gates', label: 'Gates' },
  { value: 'rollout', label: 'Rollout' },
  { value: 'audit', label: 'Audit' },
];

const isView = (value: string): value is ProposalViewName => PROPOSAL_VIEWS.some((name) => name === value);
/** What is no id at all leads nowhere either. */
const LEADS_NOWHERE = [400, 404];

export function ProposalPage() {
  const { proposalId } = useParams({ from: '/ops/$proposalId' });
  const query = useQuery(proposalQuery(proposalId));
  if (query.error && query.data === undefined && LEADS_NOWHERE.includes(asApiError(query.error).status)) {
    return (
      <Empty page title="This proposal does not exist" action={<Link to="/ops">All proposals</Link>}>
        The address is from another Titan, or it was never proposed.
      </Empty>
    );
  }
  return (
    <div className={classes.page}>
      <Production />
      <QueryView query={query} what="the proposal">
        {(proposal) => <ProposalView key={proposal.id} proposal={proposal} />}
      </QueryView>
    </div>
  );
}

function ProposalView({ proposal }: { proposal: Proposal }) {
  const { view = 'diff' } = useSearch({ from: '/ops/$proposalId' });
  const navigate = useNavigate({ from: '/ops/$proposalId' });
  return (
    <>
      <ProposalHeader proposal={proposal} />
      <Question proposal={proposal} />
      <div className={classes.views}>
        <SegmentedControl
          data={VIEWS}
          value={view}
          onChange={(value) =>
            void navigate({ search: isView(value) ? { view: value } : {}, replace: true, resetScroll: false })
          }
          aria-label="View"
        />
      </div>
      {view === 'diff' && <DiffView proposal={proposal} />}
      {view === 'gates' && <GatesView proposal={proposal} />}
      {view === 'rollout' && <RolloutView proposal={proposal} />}
      {view === 'audit' && <EffectsView proposal={proposal} />}
    </>
  );
}
