// Pauses, resumes or rolls back, after saying what happens then.
import { Textarea } from '@mantine/core';
import { useState } from 'react';
import type { Proposal } from '../../../api/types';
import { FormDialog, useForm } from '../../../components/FormDialog';
import { usePauseProposal, useRollBackProposal } from '../../../data/ops';
import classes from '../Ops.module.css';
import { consequence, ORDER_WORDS, type Order } from './orders';

const LONGEST_REASON = 1900;

interface OrderDialogProps {
  proposal: Proposal;
  order: Exclude<Order, 'promote'>;
  onClose: () => void;
}

export function OrderDialog({ proposal, order, onClose }: OrderDialogProps) {
  const [text] = useState(() => consequence(proposal, order));
  const pause = usePauseProposal(proposal.id);
  const rollBack = useRollBackProposal(proposal.id);
  const form = useForm(
    () => ({ reason: '' }),
    () => ({}),
  );
  const after = { onSuccess: onClose, onError: form.refused };
  const submit = () => {
    if (order === 'rollBack') rollBack.mutate(form.values.reason, after);
    else pause.mutate(order === 'pause', after);
  };
  return (
    <FormDialog
      title={`${ORDER_WORDS[order]} “${proposal.title}”`}
      verb={ORDER_WORDS[order]}
      fields={['reason']}
      action={order === 'rollBack' ? rollBack : pause}
      onSubmit={submit}
      onClose={onClose}
    >
      <p className={classes.text}>{text}</p>
      {order === 'rollBack' && (
        <Textarea
          label="Reason"
          description="It stands on the pull request too. It may stay empty."
          data-autofocus
          autosize
          minRows={2}
          maxRows={8}
          maxLength={LONGEST_REASON}
          {...form.field('reason')}
        />
      )}
    </FormDialog>
  );
}
