// A dialog with fields: what is wrong stands beside its field, whether the page or the server says so, and the fields keep
// what was typed until the server has it.
import { Button } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { asApiError } from '../api/errors';
import { useOffline } from '../live/hooks';
import { Dialog } from './Dialog';
import { ErrorPanel } from './ErrorPanel';
import classes from './Form.module.css';

export type Problems<T> = Partial<Record<keyof T & string, string>>;

/** What a field of the form is given. */
export interface Field {
  value: string;
  error: string | undefined;
  onChange: (event: { currentTarget: { value: string } }) => void;
  autoComplete: 'off';
}

export interface Form<T> {
  values: T;
  set: (change: Partial<T>) => void;
  problems: Problems<T>;
  /** Judges from now on, and says whether all is well. */
  judge: () => boolean;
  field: (name: keyof T & string) => Field;
  refused: (error: unknown) => void;
}

/** The fields of a form are texts; `check` says what is wrong with them. The server's names of fields are the form's. */
export function useForm<T extends Record<keyof T & string, string>>(
  initial: () => T,
  check: (values: T) => Problems<T>,
): Form<T> {
  const [values, setValues] = useState(initial);
  const [judged, setJudged] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const problems: Problems<T> = judged ? check(values) : {};
  const set = (change: Partial<T>) => setValues((now) => ({ ...now, ...change }));
  return {
    values,
    set,
    problems,
    judge: () => {
      setJudged(true);
      return Object.keys(check(values)).length === 0;
    },
    field: (name) => ({
      value: values[name],
      error: problems[name] ?? (refusal === null ? undefined : (asApiError(refusal).fieldMessage(name) ?? undefined)),
      onChange: (event) => set({ [name]: event.currentTarget.value } as unknown as Partial<T>),
      autoComplete: 'off',
    }),
    refused: setRefusal,
  };
}

interface FormDialogProps {
  title: string;
  verb: string;
  /** The fields that show the server's reasons themselves. */
  fields: readonly string[];
  action: { error: Error | null; isPending: boolean };
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
  /** Below the fields and outside of the form. */
  below?: ReactNode;
}

export function FormDialog({ title, verb, fields, action, onSubmit, onClose, children, below }: FormDialogProps) {
  const offline = useOffline();
  const refusal = action.error ? asApiError(action.error) : null;
  const onField = refusal?.fields.some((entry) => fields.includes(entry.field));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!action.isPending && !offline) onSubmit();
  };
  return (
    <Dialog onClose={onClose} title={title}>
      <form onSubmit={submit} className={classes.fields} noValidate>
        {children}
        {refusal && !onField && <ErrorPanel error={refusal} compact />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={offline} loading={action.isPending}>
            {verb}
          </Button>
        </div>
      </form>
      {below}
    </Dialog>
  );
}
