// What the project offers: title, price, state, and the output that is sold.
import { ActionIcon, Button, Menu } from '@mantine/core';
import { IconDots, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import * as api from '../../api/calls';
import type { Offer, OfferState } from '../../api/types';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { Empty } from '../../components/Empty';
import classes from '../../components/List.module.css';
import { LoadMore } from '../../components/LoadMore';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { Status } from '../../components/Status';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { offersQuery } from '../../data/queries';
import { plural } from '../../lib/format';
import { notifyError } from '../../lib/notify';
import { useOffline } from '../../live/hooks';
import { formatMoney } from './money';
import { OfferDialog } from './OfferDialog';
import { OFFER_WORDS, unitWords } from './stages';

type Open = { dialog: 'edit'; offer: Offer | null } | { dialog: 'delete'; offer: Offer } | null;

export function OffersView({ projectId }: { projectId: string }) {
  const [open, setOpen] = useState<Open>(null);
  const offline = useOffline();
  const query = useInfiniteQuery(offersQuery(projectId));
  const close = () => setOpen(null);
  const add = (
    <Button
      disabled={offline}
      leftSection={<IconPlus size={16} aria-hidden />}
      onClick={() => setOpen({ dialog: 'edit', offer: null })}
    >
      Draft an offer
    </Button>
  );
  return (
    <section className={classes.page} aria-label="All offers">
      <QueryView query={query} what="the offers">
        {(data) => {
          const offers = data.pages.flatMap((page) => page.items);
          if (offers.length === 0) {
            return (
              <Empty title="No offers yet" action={add}>
                Say what is sold, for how much and for what: once, per month, per hour. A draft is seen by nobody else
                until it is published.
              </Empty>
            );
          }
          return (
            <Panel title="Offers" aside={add} flush>
              <ul className={classes.rows} aria-label="Offers of this project">
                {offers.map((offer) => (
                  <Row
                    key={offer.id}
                    offer={offer}
                    onEdit={() => setOpen({ dialog: 'edit', offer })}
                    onDelete={() => setOpen({ dialog: 'delete', offer })}
                  />
                ))}
              </ul>
              <LoadMore query={query} />
            </Panel>
          );
        }}
      </QueryView>
      {open?.dialog === 'edit' && <OfferDialog projectId={projectId} offer={open.offer} onClose={close} />}
      {open?.dialog === 'delete' && <DeleteOffer projectId={projectId} offer={open.offer} onClose={close} />}
    </section>
  );
}

interface RowProps {
  offer: Offer;
  onEdit: () => void;
  onDelete: () => void;
}

function Row({ offer, onEdit, onDelete }: RowProps) {
  const words = OFFER_WORDS[offer.state];
  return (
    <li className={classes.row} data-testid="offer" data-state={offer.state}>
      <div className={classes.text}>
        <p className={classes.name}>{offer.title}</p>
        <p className={classes.facts}>
          <Status status={words.look} label={words.word} />
          <strong className="tnum">
            {formatMoney(offer.price, offer.currency)} {unitWords(offer.unit)}
          </strong>
          <span>{plural(offer.leads, 'lead')}</span>
          {offer.output_id && (
            <Link
              to="/projects/$projectId/output"
              params={{ projectId: offer.project_id }}
              search={{ output: offer.output_id }}
            >
              {offer.output_name ?? 'Output'}
            </Link>
          )}
        </p>
        {offer.description && <p className={classes.excerpt}>{offer.description}</p>}
      </div>
      <OfferMenu offer={offer} onEdit={onEdit} onDelete={onDelete} />
    </li>
  );
}

function OfferMenu({ offer, onEdit, onDelete }: RowProps) {
  const offline = useOffline();
  const move = useChange((state: OfferState) => api.updateOffer(offer.id, { state }), [keys.offers(offer.project_id)]);
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={32}
          disabled={offline}
          loading={move.isPending}
          aria-label={`Actions for ${offer.title}`}
        >
          <IconDots size={17} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {OFFER_WORDS[offer.state].moves.map(({ to, verb }) => (
          <Menu.Item key={to} onClick={() => move.mutate(to, { onError: (error) => notifyError(verb, error) })}>
            {verb}
          </Menu.Item>
        ))}
        <Menu.Item leftSection={<IconPencil size={15} aria-hidden />} onClick={onEdit}>
          Edit
        </Menu.Item>
        <Menu.Item leftSection={<IconTrash size={15} aria-hidden />} onClick={onDelete}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function DeleteOffer({ projectId, offer, onClose }: { projectId: string; offer: Offer; onClose: () => void }) {
  const remove = useChange(api.deleteOffer, [keys.offers(projectId), keys.leads(projectId)], () => 'Deleted');
  return (
    <ConfirmDialog
      title="Delete this offer?"
      verb="Delete"
      action={remove}
      onConfirm={() => remove.mutate(offer.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        <strong>{offer.title}</strong> goes.{' '}
        {offer.leads > 0 && `Its ${plural(offer.leads, 'lead')} stay, without an offer.`}
      </p>
    </ConfirmDialog>
  );
}
