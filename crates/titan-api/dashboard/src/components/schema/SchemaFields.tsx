// The fields of a form that is made of a JSON Schema.
import { Select, Switch, Textarea, TextInput } from '@mantine/core';
import type { Problems, SchemaField, Values } from './schema';

interface SchemaFieldsProps {
  fields: readonly SchemaField[];
  values: Values;
  problems: Problems;
  onChange: (name: string, value: string | boolean) => void;
}

export function SchemaFields({ fields, values, problems, onChange }: SchemaFieldsProps) {
  return fields.map((field) => (
    <Input
      key={field.name}
      field={field}
      value={values[field.name] ?? ''}
      problem={problems[field.name]}
      onChange={(value) => onChange(field.name, value)}
    />
  ));
}

interface InputProps {
  field: SchemaField;
  value: string | boolean;
  problem: string | undefined;
  onChange: (value: string | boolean) => void;
}

function Input({ field, value, problem, onChange }: InputProps) {
  const { kind, label, choices } = field;
  if (kind === 'boolean') {
    return (
      <Switch
        label={label}
        description={field.description}
        error={problem}
        checked={value === true}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    );
  }
  const common = {
    label,
    description: describe(field),
    required: field.required,
    error: problem,
    value: String(value),
  };
  if (kind === 'choice') {
    const data = choices.map((choice, index) => ({ value: String(index), label: String(choice) }));
    return (
      <Select
        {...common}
        data={data}
        value={value === '' ? null : String(value)}
        onChange={(chosen) => onChange(chosen ?? '')}
        allowDeselect={!field.required}
        comboboxProps={{ withinPortal: false }}
      />
    );
  }
  const write = (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value);
  if (kind === 'line') return <TextInput {...common} onChange={write} autoComplete="off" />;
  if (kind === 'number') return <TextInput {...common} onChange={write} inputMode="decimal" autoComplete="off" />;
  return <Textarea {...common} onChange={write} rows={kind === 'text' ? 3 : 4} spellCheck={kind !== 'json'} />;
}

const HOW: Partial<Record<SchemaField['kind'], string>> = { lines: 'One per line.', json: 'As JSON.' };

function describe({ kind, description }: SchemaField): string | undefined {
  const said = description && !/[.!?]$/.test(description) ? `${description}.` : description;
  return [said, HOW[kind]].filter(Boolean).join(' ') || undefined;
}
