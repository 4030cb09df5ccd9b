// What a proposal is, how it stands and why, who made it, and how closely one should look at it.
import { Link } from '@tanstack/react-router';
import type { Proposal } from '../../api/types';
import { Age } from '../../components/Age';
import { CopyText } from '../../components/CopyText';
import { Markdown } from '../../components/Markdown';
import { Status } from '../../components/Status';
import { shortId } from '../../lib/format';
import { differenceOf, pullRequestOf } from './evidence';
import { GateDots } from './GateDots';
import { stateOf } from './gates';
import classes from './Ops.module.css';
import { OutsideLink } from './OutsideLink';
import { RiskTag } from './RiskTag';
import { Why } from './Why';

export function ProposalHeader({ proposal }: { proposal: Proposal }) {
  const look = stateOf(proposal);
  const difference = differenceOf(proposal);
  const now = difference?.nowItem ?? proposal.now_item;
  const pull = pullRequestOf(proposal);
  return (
    <header className={classes.header}>
      <div className={classes.titleRow} data-testid="proposal-title">
        <h1 className={classes.title}>{proposal.title}</h1>
        <Status status={look.status} label={look.word} />
        <GateDots stages={proposal.stages} />
      </div>
      <p className={classes.facts}>
        <span>
          proposed by {proposal.author} <Age at={proposal.created_at} />
        </span>
        {now !== null && <span>for “{now}”</span>}
        {proposal.run_id !== null && (
          <Link to="/runs/$runId" params={{ runId: proposal.run_id }}>
            Run {shortId(proposal.run_id)}
          </Link>
        )}
        {pull !== null && <OutsideLink href={pull.page}>Pull request {pull.number}</OutsideLink>}
        <span>
          Proposal <CopyText value={proposal.id} label="Copy the id of the proposal" />
        </span>
      </p>
      {difference !== null && difference.risk !== null && (
        <p className={classes.risks}>
          <RiskTag risk={difference.risk} />
          {difference.reasons.length > 0 && <span>{difference.reasons.join('; ')}</span>}
        </p>
      )}
      <Why proposal={proposal} />
      <Decided proposal={proposal} />
      {proposal.description !== '' && (
        <div className={classes.description}>
          <Markdown text={proposal.description} />
        </div>
      )}
    </header>
  );
}

function Decided({ proposal: { decision } }: { proposal: Proposal }) {
  if (decision === null) return null;
  const { decision: verdict, decided_by: by, comment, created_at: at } = decision;
  return (
    <div className={classes.decided} data-testid="decision">
      {verdict === 'approved' ? 'Approved' : 'Rejected'} by {by} <Age at={at} />
      {comment !== null && <blockquote className={classes.comment}>{comment}</blockquote>}
    </div>
  );
}
