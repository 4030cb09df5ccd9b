// Writes a contact down, or changes one.
import { Textarea, TextInput } from '@mantine/core';
import * as api from '../../api/calls';
import type { Contact } from '../../api/types';
import classes from '../../components/Form.module.css';
import { FormDialog, type Problems, useForm } from '../../components/FormDialog';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { changesOf } from '../../lib/changes';
import { useRequestKey } from '../../lib/requestKey';

const FIELDS = ['name', 'role', 'organisation', 'email', 'phone', 'tags', 'notes'] as const;
type Values = Record<(typeof FIELDS)[number], string>;

const valuesOf = (contact: Contact | null): Values => ({
  name: contact?.name ?? '',
  role: contact?.role ?? '',
  organisation: contact?.organisation ?? '',
  email: contact?.email ?? '',
  phone: contact?.phone ?? '',
  tags: contact?.tags.join(', ') ?? '',
  notes: contact?.notes ?? '',
});

function check(values: Values): Problems<Values> {
  return {
    ...(values.name.trim() === '' ? { name: 'Write what the person is called.' } : {}),
    ...(values.email.trim() === '' || /^[^\s@]+@[^\s@]+$/.test(values.email.trim())
      ? {}
      : { email: 'Write one address, such as ida@example.com.' }),
  };
}

/** As the server takes it; an empty field takes away what was there. */
function bodyOf(values: Values) {
  const orNone = (text: string) => (text.trim() === '' ? null : text.trim());
  return {
    name: values.name.trim(),
    role: orNone(values.role),
    organisation: orNone(values.organisation),
    email: orNone(values.email),
    phone: orNone(values.phone),
    notes: orNone(values.notes),
    tags: values.tags
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  };
}

interface ContactDialogProps {
  projectId: string;
  /** Null for a new one. */
  contact: Contact | null;
  onClose: () => void;
}

export function ContactDialog({ projectId, contact, onClose }: ContactDialogProps) {
  const key = useRequestKey();
  const form = useForm<Values>(() => valuesOf(contact), check);
  const save = useChange(
    (values: Values) => {
      const body = bodyOf(values);
      if (contact === null) return api.createContact(projectId, body, key(body));
      return api.updateContact(contact.id, changesOf(body, bodyOf(valuesOf(contact))));
    },
    [keys.contacts(projectId)],
  );
  const submit = () => {
    if (form.judge()) save.mutate(form.values, { onSuccess: onClose, onError: form.refused });
  };
  return (
    <FormDialog
      title={contact === null ? 'New contact' : 'Change a contact'}
      verb="Save"
      fields={FIELDS}
      action={save}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput label="Name" required data-autofocus maxLength={200} {...form.field('name')} />
      <div className={classes.pair}>
        <TextInput label="Role" maxLength={200} {...form.field('role')} />
        <TextInput label="Organisation" maxLength={200} {...form.field('organisation')} />
        <TextInput label="E-mail" type="email" maxLength={254} {...form.field('email')} />
        <TextInput label="Phone" type="tel" maxLength={50} {...form.field('phone')} />
      </div>
      <TextInput label="Tags" description="Apart by commas." {...form.field('tags')} />
      <Textarea label="Notes" autosize minRows={2} maxRows={10} maxLength={8000} {...form.field('notes')} />
    </FormDialog>
  );
}
