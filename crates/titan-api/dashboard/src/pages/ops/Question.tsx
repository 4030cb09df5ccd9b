// What a proposal asks a person, with the buttons right there. A decision is about what was shown when the dialog was opened.
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Ask, Proposal } from '../../api/types';
import { CopyText } from '../../components/CopyText';
import { Panel } from '../../components/Panel';
import { sentence } from '../../lib/format';
import { useOffline } from '../../live/hooks';
import { DecideDialog, verbOf } from './DecideDialog';
import { shortCommit } from './evidence';
import { GATE_WORDS, questionOf } from './gates';
import classes from './Ops.module.css';
import { isDecided, isMine, PROPOSED_BY_YOU } from './rollout/orders';

type Verdict = 'approve' | 'reject';

export function Question({ proposal }: { proposal: Proposal }) {
  const asks = questionOf(proposal);
  const [open, setOpen] = useState<{ ask: Ask; verdict: Verdict } | null>(null);
  return (
    <>
      {asks !== null && (
        <Panel title={GATE_WORDS[asks.gate]} tone="person" testId="question">
          <p className={classes.question}>{sentence(asks.question)}</p>
          <p className={classes.facts}>
            <span>
              {asks.gate === 'pull_request' ? 'Tree' : 'Commit'}{' '}
              <CopyText value={asks.subject} label="Copy what is decided about" text={shortCommit(asks.subject)} />
            </span>
          </p>
          {isDecided(proposal) ? (
            <p className={classes.question}>It was decided. It goes on as soon as a worker looks.</p>
          ) : (
            <Answers proposal={proposal} ask={asks} onAnswer={(verdict) => setOpen({ ask: asks, verdict })} />
          )}
        </Panel>
      )}
      {open !== null && (
        <DecideDialog proposal={proposal} ask={open.ask} verdict={open.verdict} onClose={() => setOpen(null)} />
      )}
    </>
  );
}

interface AnswersProps {
  proposal: Proposal;
  ask: Ask;
  onAnswer: (verdict: Verdict) => void;
}

function Answers({ proposal, ask, onAnswer }: AnswersProps) {
  const offline = useOffline();
  const mine = isMine(proposal);
  return (
    <div className={classes.actions}>
      <Button color="good" disabled={offline || mine} onClick={() => onAnswer('approve')}>
        {verbOf(ask, 'approve')}
      </Button>
      <Button variant="default" disabled={offline} onClick={() => onAnswer('reject')}>
        Reject
      </Button>
      {mine && <span className={classes.muted}>{PROPOSED_BY_YOU}: somebody else has to approve it.</span>}
    </div>
  );
}
