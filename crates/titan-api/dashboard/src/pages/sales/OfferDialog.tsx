// Drafts an offer, or changes one.
import { Autocomplete, Select, Textarea, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import * as api from '../../api/calls';
import type { Offer } from '../../api/types';
import classes from '../../components/Form.module.css';
import { FormDialog, type Problems, useForm } from '../../components/FormDialog';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { outputsQuery } from '../../data/queries';
import { changesOf } from '../../lib/changes';
import { useRequestKey } from '../../lib/requestKey';
import { CURRENCIES, moneyText, parseMoney } from './money';

const FIELDS = ['title', 'description', 'price', 'currency', 'unit', 'output_id'] as const;
type Values = Record<(typeof FIELDS)[number], string>;

const UNITS = ['once', 'hour', 'day', 'month', 'year'];

const valuesOf = (offer: Offer | null): Values => ({
  title: offer?.title ?? '',
  description: offer?.description ?? '',
  price: offer ? moneyText(offer.price, offer.currency) : '',
  currency: offer?.currency ?? 'EUR',
  unit: offer?.unit ?? 'once',
  output_id: offer?.output_id ?? '',
});

function check(values: Values): Problems<Values> {
  return {
    ...(values.title.trim() === '' ? { title: 'Write what is sold.' } : {}),
    ...(parseMoney(values.price, values.currency) === null ? { price: 'Write an amount, such as 49.90.' } : {}),
    ...(/^[a-z]{3}$/i.test(values.currency.trim()) ? {} : { currency: 'Write its three letters, such as EUR.' }),
    ...(values.unit.trim() === '' ? { unit: 'Write for what the price is, such as month.' } : {}),
  };
}

const bodyOf = (values: Values) => ({
  title: values.title.trim(),
  description: values.description.trim() || null,
  price: parseMoney(values.price, values.currency) ?? 0,
  currency: values.currency.trim().toUpperCase(),
  unit: values.unit.trim(),
  output_id: values.output_id || null,
});

interface OfferDialogProps {
  projectId: string;
  /** Null for a new one. */
  offer: Offer | null;
  onClose: () => void;
}

export function OfferDialog({ projectId, offer, onClose }: OfferDialogProps) {
  const key = useRequestKey();
  const form = useForm<Values>(() => valuesOf(offer), check);
  const save = useChange(
    (values: Values) => {
      const body = bodyOf(values);
      return offer === null
        ? api.createOffer(projectId, body, key(body))
        : api.updateOffer(offer.id, changesOf(body, bodyOf(valuesOf(offer)), ['price', 'currency']));
    },
    [keys.offers(projectId)],
  );
  const submit = () => {
    if (form.judge()) save.mutate(form.values, { onSuccess: onClose, onError: form.refused });
  };
  const { value: currency, error: currencyError } = form.field('currency');
  const { value: unit, error: unitError } = form.field('unit');
  return (
    <FormDialog
      title={offer === null ? 'New offer' : 'Change an offer'}
      verb="Save"
      fields={FIELDS}
      action={save}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput label="What is sold" required data-autofocus maxLength={200} {...form.field('title')} />
      <div className={classes.pair}>
        <TextInput label="Price" required inputMode="decimal" maxLength={30} {...form.field('price')} />
        <Autocomplete
          label="Currency"
          data={CURRENCIES}
          value={currency}
          error={currencyError}
          maxLength={3}
          onChange={(currency) => form.set({ currency })}
        />
        <Autocomplete
          label="For"
          description="once, month, hour, ..."
          data={UNITS}
          value={unit}
          error={unitError}
          maxLength={50}
          onChange={(unit) => form.set({ unit })}
        />
      </div>
      <Textarea label="Description" autosize minRows={2} maxRows={10} maxLength={8000} {...form.field('description')} />
      <OutputPicker projectId={projectId} offer={offer} form={form} />
    </FormDialog>
  );
}

interface OutputPickerProps {
  projectId: string;
  offer: Offer | null;
  form: ReturnType<typeof useForm<Values>>;
}

/** The newest outputs that nobody has rejected; the one that is linked already stays in the list. */
function OutputPicker({ projectId, offer, form }: OutputPickerProps) {
  const outputs = useInfiniteQuery(outputsQuery(projectId, 'all'));
  const there = outputs.data?.pages.flatMap((page) => page.items).filter(({ review }) => review !== 'rejected') ?? [];
  const data = there.map(({ id, name, created_at }) => ({ value: id, label: `${name}, ${created_at.slice(0, 10)}` }));
  const linked = offer?.output_id;
  if (linked && !data.some(({ value }) => value === linked)) {
    data.unshift({ value: linked, label: offer.output_name ?? 'The linked output' });
  }
  const { value, error } = form.field('output_id');
  return (
    <Select
      label="Output that is sold"
      placeholder={data.length === 0 ? 'The project has no outputs yet' : 'None'}
      data={data}
      value={value === '' ? null : value}
      error={error}
      clearable
      searchable
      onChange={(output_id) => form.set({ output_id: output_id ?? '' })}
    />
  );
}
