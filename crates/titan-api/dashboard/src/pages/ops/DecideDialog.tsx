// Approves, promotes or rejects what a proposal asks, after saying what happens then.
import { Textarea } from '@mantine/core';
import { useState } from 'react';
import type { Ask, Proposal } from '../../api/types';
import { FormDialog, useForm } from '../../components/FormDialog';
import { useDecideProposal } from '../../data/ops';
import { pullRequestOf, shortCommit } from './evidence';
import classes from './Ops.module.css';
import { consequence, ORDER_WORDS } from './rollout/orders';

const LONGEST_COMMENT = 4000;

interface DecideDialogProps {
  proposal: Proposal;
  /** What was shown when it was opened. */
  ask: Ask;
  verdict: 'approve' | 'reject';
  onClose: () => void;
}

export function DecideDialog({ proposal, ask, verdict, onClose }: DecideDialogProps) {
  // What it says stays as it was, whatever the proposal becomes meanwhile.
  const [words] = useState(() => ({ verb: verbOf(ask, verdict), text: textOf(proposal, ask, verdict) }));
  const decide = useDecideProposal(proposal.id);
  const form = useForm(
    () => ({ comment: '' }),
    () => ({}),
  );
  const submit = () =>
    decide.mutate(
      { verdict, subject: ask.subject, comment: form.values.comment },
      { onSuccess: onClose, onError: form.refused },
    );
  return (
    <FormDialog
      title={`${words.verb} “${proposal.title}”`}
      verb={words.verb}
      fields={['comment']}
      action={decide}
      onSubmit={submit}
      onClose={onClose}
    >
      <p className={classes.text}>{words.text}</p>
      <Textarea
        label="Comment"
        description="It stays with the decision. It may stay empty."
        data-autofocus
        autosize
        minRows={2}
        maxRows={8}
        maxLength={LONGEST_COMMENT}
        {...form.field('comment')}
      />
    </FormDialog>
  );
}

/** One verb for one act: what leads to production is promoted. */
export function verbOf(ask: Ask, verdict: 'approve' | 'reject'): string {
  if (verdict === 'reject') return 'Reject';
  return ask.gate === 'pull_request' ? 'Approve' : ORDER_WORDS.promote;
}

function textOf(proposal: Proposal, ask: Ask, verdict: 'approve' | 'reject'): string {
  if (verdict === 'reject') {
    if (pullRequestOf(proposal) === null) return 'It ends here, and nothing of it leaves this Titan.';
    return `It ends. ${consequence(proposal, 'rollBack')}`;
  }
  if (ask.gate === 'pull_request')
    return `The change with the tree ${shortCommit(ask.subject)} becomes a commit, is tested, and a pull request is opened.`;
  return consequence(proposal, 'promote');
}
