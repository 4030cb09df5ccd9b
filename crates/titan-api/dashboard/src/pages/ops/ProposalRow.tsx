// A proposal in the list: what it is, how far it has come, and what it asks.
import { Link } from '@tanstack/react-router';
import type { Proposal } from '../../api/types';
import { Age } from '../../components/Age';
import { Status } from '../../components/Status';
import { plural, sentence } from '../../lib/format';
import { differenceOf } from './evidence';
import { GateDots } from './GateDots';
import { GATE_WORDS, questionOf, stateOf } from './gates';
import classes from './Ops.module.css';
import { RiskTag } from './RiskTag';

export function ProposalRow({ proposal }: { proposal: Proposal }) {
  const { reason } = proposal;
  const asks = questionOf(proposal);
  const look = stateOf(proposal);
  return (
    <article
      className={classes.row}
      data-asks={asks !== null}
      data-testid="proposal-row"
      data-proposal={proposal.id}
      aria-label={proposal.title}
    >
      <div className={classes.rowText}>
        <Link to="/ops/$proposalId" params={{ proposalId: proposal.id }} className={classes.name} data-opens>
          {proposal.title}
        </Link>
        <p className={classes.facts}>
          <span>by {proposal.author}</span>
          <RiskTag risk={differenceOf(proposal)?.risk ?? null} />
          <span>{plural(proposal.paths.length, 'file')}</span>
          <Age at={proposal.created_at} />
        </p>
        {asks !== null && (
          <p className={classes.asks}>
            <strong>Asks you:</strong> {sentence(asks.question) || GATE_WORDS[asks.gate]}
          </p>
        )}
        {asks === null && reason !== null && <p className={classes.reason}>{sentence(reason)}</p>}
      </div>
      <GateDots stages={proposal.stages} />
      <span className={classes.state}>
        <Status status={look.status} label={look.word} />
      </span>
    </article>
  );
}
