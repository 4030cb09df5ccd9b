// The people around a project: written down by hand, found by any of their words.
import { ActionIcon, Anchor, Button } from '@mantine/core';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import * as api from '../../api/calls';
import type { Contact } from '../../api/types';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { Empty } from '../../components/Empty';
import classes from '../../components/List.module.css';
import { LoadMore } from '../../components/LoadMore';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { SearchBox } from '../../components/SearchBox';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { contactsQuery } from '../../data/queries';
import { useOffline } from '../../live/hooks';
import { ContactDialog } from './ContactDialog';

interface ContactsViewProps {
  projectId: string;
  q: string;
  onSearch: (q: string) => void;
}

type Open = { dialog: 'edit'; contact: Contact | null } | { dialog: 'delete'; contact: Contact } | null;

export function ContactsView({ projectId, q, onSearch }: ContactsViewProps) {
  const [open, setOpen] = useState<Open>(null);
  const offline = useOffline();
  const query = useInfiniteQuery(contactsQuery(projectId, q));
  const close = () => setOpen(null);
  const addContact = () => setOpen({ dialog: 'edit', contact: null });
  const add = (
    <Button disabled={offline} leftSection={<IconPlus size={16} aria-hidden />} onClick={addContact}>
      Add contact
    </Button>
  );
  return (
    <section className={classes.page} aria-label="All contacts" data-testid="contacts">
      <div className={classes.toolbar} role="toolbar" aria-label="Contacts">
        <SearchBox what="the contacts" q={q} onSearch={onSearch} />
        <span className={classes.spacer} />
        {add}
      </div>
      <QueryView query={query} what="the contacts">
        {(data) => {
          const contacts = data.pages.flatMap((page) => page.items);
          if (contacts.length === 0) return <None q={q} onClear={() => onSearch('')} onAdd={addContact} />;
          return (
            <Panel title="Contacts" flush>
              <ul className={classes.rows} aria-label="Contacts of this project">
                {contacts.map((contact) => (
                  <Row
                    key={contact.id}
                    contact={contact}
                    onEdit={() => setOpen({ dialog: 'edit', contact })}
                    onDelete={() => setOpen({ dialog: 'delete', contact })}
                  />
                ))}
              </ul>
              <LoadMore query={query} />
            </Panel>
          );
        }}
      </QueryView>
      {open?.dialog === 'edit' && <ContactDialog projectId={projectId} contact={open.contact} onClose={close} />}
      {open?.dialog === 'delete' && <DeleteContact projectId={projectId} contact={open.contact} onClose={close} />}
    </section>
  );
}

function None({ q, onClear, onAdd }: { q: string; onClear: () => void; onAdd: () => void }) {
  const offline = useOffline();
  if (q === '') {
    return (
      <Empty
        title="No contacts yet"
        action={
          <Button variant="default" disabled={offline} onClick={onAdd}>
            Add the first contact
          </Button>
        }
      >
        Write down who belongs to this project. When a message names somebody, the model that answers is told who that
        is: the name, the role and the organisation, and nothing else.
      </Empty>
    );
  }
  return (
    <Empty
      title="No contact has all of these words"
      action={
        <Button variant="default" onClick={onClear}>
          Show all contacts
        </Button>
      }
    />
  );
}

interface RowProps {
  contact: Contact;
  onEdit: () => void;
  onDelete: () => void;
}

function Row({ contact, onEdit, onDelete }: RowProps) {
  const offline = useOffline();
  const button = { variant: 'subtle', color: 'gray', size: 32, disabled: offline } as const;
  return (
    <li className={classes.row} data-testid="contact">
      <div className={classes.text}>
        <p className={classes.name}>{contact.name}</p>
        <p className={classes.facts}>
          {contact.role && <span>{contact.role}</span>}
          {contact.organisation && <span>{contact.organisation}</span>}
          {contact.email && (
            <Anchor size="xs" href={`mailto:${contact.email}`}>
              {contact.email}
            </Anchor>
          )}
          {contact.phone && <span>{contact.phone}</span>}
          {contact.tags.map((tag) => (
            <span key={tag}>#{tag}</span>
          ))}
        </p>
        {contact.notes && <p className={classes.excerpt}>{contact.notes}</p>}
      </div>
      <ActionIcon {...button} onClick={onEdit} aria-label={`Edit ${contact.name}`}>
        <IconPencil size={17} />
      </ActionIcon>
      <ActionIcon {...button} onClick={onDelete} aria-label={`Delete ${contact.name}`}>
        <IconTrash size={17} />
      </ActionIcon>
    </li>
  );
}

interface DeleteContactProps {
  projectId: string;
  contact: Contact;
  onClose: () => void;
}

function DeleteContact({ projectId, contact, onClose }: DeleteContactProps) {
  const remove = useChange(api.deleteContact, [keys.contacts(projectId)], () => 'Deleted');
  return (
    <ConfirmDialog
      title="Delete this contact?"
      verb="Delete"
      action={remove}
      onConfirm={() => remove.mutate(contact.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        <strong>{contact.name}</strong> goes from this project. What is remembered about a person is erased on the
        Output tab, under Memory.
      </p>
    </ConfirmDialog>
  );
}
