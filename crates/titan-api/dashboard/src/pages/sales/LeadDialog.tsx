// Writes a lead down, or changes one and shows what was said to it.
import { Autocomplete, Select, TextInput } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import * as api from '../../api/calls';
import type { Lead } from '../../api/types';
import classes from '../../components/Form.module.css';
import { FormDialog, type Problems, useForm } from '../../components/FormDialog';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { offerQuery, offersQuery } from '../../data/queries';
import { changesOf } from '../../lib/changes';
import { useRequestKey } from '../../lib/requestKey';
import { CURRENCIES, moneyText, parseMoney } from './money';
import { Notes } from './Notes';

const FIELDS = ['name', 'company', 'email', 'phone', 'source', 'value', 'currency', 'offer_id'] as const;
type Values = Record<(typeof FIELDS)[number], string>;

const valuesOf = (lead: Lead | null): Values => ({
  name: lead?.name ?? '',
  company: lead?.company ?? '',
  email: lead?.email ?? '',
  phone: lead?.phone ?? '',
  source: lead?.source ?? '',
  value: typeof lead?.value === 'number' && lead.currency ? moneyText(lead.value, lead.currency) : '',
  currency: lead?.currency ?? 'EUR',
  offer_id: lead?.offer_id ?? '',
});

function check(values: Values): Problems<Values> {
  const { value, currency } = values;
  return {
    ...(values.name.trim() === '' ? { name: 'Write who it is.' } : {}),
    ...(value.trim() !== '' && parseMoney(value, currency) === null ? { value: 'Write an amount, such as 1200.' } : {}),
    ...(/^[a-z]{3}$/i.test(currency.trim()) ? {} : { currency: 'Write its three letters, such as EUR.' }),
  };
}

/** As the server takes it; an empty field takes away what was there. */
function bodyOf(values: Values) {
  const orNone = (text: string) => (text.trim() === '' ? null : text.trim());
  return {
    name: values.name.trim(),
    company: orNone(values.company),
    email: orNone(values.email),
    phone: orNone(values.phone),
    source: orNone(values.source),
    value: values.value.trim() === '' ? null : parseMoney(values.value, values.currency),
    currency: values.currency.trim().toUpperCase(),
    offer_id: orNone(values.offer_id),
  };
}

interface LeadDialogProps {
  projectId: string;
  /** Null for a new one. */
  lead: Lead | null;
  onClose: () => void;
}

export function LeadDialog({ projectId, lead, onClose }: LeadDialogProps) {
  const key = useRequestKey();
  const form = useForm<Values>(() => valuesOf(lead), check);
  const save = useChange(
    (values: Values) => {
      const body = bodyOf(values);
      return lead === null
        ? api.createLead(projectId, body, key(body))
        : api.updateLead(lead.id, changesOf(body, bodyOf(valuesOf(lead)), ['value', 'currency']));
    },
    [keys.leads(projectId), keys.offers(projectId)],
  );
  const submit = () => {
    if (form.judge()) save.mutate(form.values, { onSuccess: onClose, onError: form.refused });
  };
  const currency = form.field('currency');
  return (
    <FormDialog
      title={lead === null ? 'New lead' : 'Change a lead'}
      verb="Save"
      fields={FIELDS}
      action={save}
      onSubmit={submit}
      onClose={onClose}
      below={lead !== null && <Notes lead={lead} />}
    >
      <TextInput label="Name" required data-autofocus maxLength={200} {...form.field('name')} />
      <div className={classes.pair}>
        <TextInput label="Company" maxLength={200} {...form.field('company')} />
        <TextInput label="Source" maxLength={200} {...form.field('source')} />
        <TextInput label="E-mail" type="email" maxLength={254} {...form.field('email')} />
        <TextInput label="Phone" type="tel" maxLength={50} {...form.field('phone')} />
        <TextInput label="Value" inputMode="decimal" maxLength={30} {...form.field('value')} />
        <Autocomplete
          label="Currency"
          data={CURRENCIES}
          value={currency.value}
          error={currency.error}
          maxLength={3}
          onChange={(value) => form.set({ currency: value })}
        />
      </div>
      <OfferPicker projectId={projectId} linked={lead?.offer_id ?? null} form={form} />
    </FormDialog>
  );
}

interface OfferPickerProps {
  projectId: string;
  linked: string | null;
  form: ReturnType<typeof useForm<Values>>;
}

/** The newest offers; the one that is linked already stays in the list. */
function OfferPicker({ projectId, linked, form }: OfferPickerProps) {
  const offers = useInfiniteQuery(offersQuery(projectId));
  const there = offers.data?.pages.flatMap((page) => page.items) ?? [];
  const data = there.map(({ id, title }) => ({ value: id, label: title }));
  const far = linked !== null && !there.some(({ id }) => id === linked);
  const offer = useQuery({ ...offerQuery(projectId, linked ?? ''), enabled: far && offers.isSuccess });
  if (far) data.unshift({ value: linked, label: offer.data?.title ?? 'The linked offer' });
  const { value, error } = form.field('offer_id');
  return (
    <Select
      label="Offer"
      placeholder="None"
      data={data}
      value={value === '' ? null : value}
      error={error}
      clearable
      searchable
      onChange={(offer_id) => form.set({ offer_id: offer_id ?? '' })}
    />
  );
}
