// The hand on a rollout, always with the same words. What cannot be ordered now says why.
import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Ask, Proposal } from '../../../api/types';
import { useOffline } from '../../../live/hooks';
import { DecideDialog } from '../DecideDialog';
import { questionOf } from '../gates';
import classes from '../Ops.module.css';
import { OrderDialog } from './OrderDialog';
import { ORDER_WORDS, type Order, PROPOSED_BY_YOU, whyNot } from './orders';

const ORDERS: readonly Order[] = ['promote', 'pause', 'resume', 'rollBack'];

export function OrderButtons({ proposal }: { proposal: Proposal }) {
  const offline = useOffline();
  // A decision is about what was shown when it was asked for.
  const [open, setOpen] = useState<{ order: Order; ask: Ask | null } | null>(null);
  const close = () => setOpen(null);
  const mine = whyNot(proposal, 'promote') === PROPOSED_BY_YOU;
  return (
    <div className={classes.orders}>
      {mine && <span className={classes.muted}>{PROPOSED_BY_YOU}</span>}
      {ORDERS.map((order) => {
        const why = offline ? 'Titan cannot be reached' : whyNot(proposal, order);
        return (
          <Button
            key={order}
            size="compact-sm"
            {...(order === 'promote' ? { color: 'good' } : { variant: 'default' })}
            disabled={why !== null}
            {...(why === null ? {} : { title: why })}
            onClick={() => setOpen({ order, ask: questionOf(proposal) })}
          >
            {ORDER_WORDS[order]}
          </Button>
        );
      })}
      {open?.order === 'promote' && open.ask !== null && (
        <DecideDialog proposal={proposal} ask={open.ask} verdict="approve" onClose={close} />
      )}
      {open !== null && open.order !== 'promote' && (
        <OrderDialog proposal={proposal} order={open.order} onClose={close} />
      )}
    </div>
  );
}
