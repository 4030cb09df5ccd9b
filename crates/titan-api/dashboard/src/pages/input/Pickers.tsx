// Who is to answer, and with which model. Both lists are asked for when one is opened: mostly the defaults do.
import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useState } from 'react';
import { agentsQuery, modelsQuery } from '../../data/queries';
import classes from './InputPage.module.css';
import type { ChoicesState } from './useChoices';

const TYPING_MS = 250;

/** Esc closes the list and does not stop the answer as well. */
const keepEsc = (event: KeyboardEvent<HTMLInputElement>) => {
  if (event.key === 'Escape' && event.currentTarget.getAttribute('aria-expanded') === 'true') event.preventDefault();
};

interface PickerProps {
  choices: ChoicesState;
  disabled: boolean;
}

export function AgentPicker({ choices, disabled }: PickerProps) {
  const [opened, setOpened] = useState(false);
  const agents = useQuery({ ...agentsQuery(), enabled: opened });
  const items = agents.data?.items ?? [];
  const data = items.map((agent) => ({
    value: agent.name,
    label: agent.default ? `${agent.title} (default)` : agent.title,
  }));
  return (
    <Select
      className={classes.agent ?? ''}
      size="xs"
      aria-label="Agent"
      placeholder="Jason (default)"
      data={withChosen(data, choices.agent)}
      value={choices.agent}
      onChange={(agent) => choices.choose({ agent })}
      onDropdownOpen={() => setOpened(true)}
      onKeyDown={keepEsc}
      renderOption={({ option }) => (
        <span className={classes.option}>
          {option.label}
          <small>{items.find((agent) => agent.name === option.value)?.description}</small>
        </span>
      )}
      nothingFoundMessage={said(agents.isError, agents.isPending, 'No worker has told of its agents yet.')}
      comboboxProps={{ width: 320, position: 'top-start' }}
      clearable
      disabled={disabled}
    />
  );
}

export function ModelPicker({ choices, disabled }: PickerProps) {
  const [opened, setOpened] = useState(false);
  const [search, setSearch] = useState('');
  // The name of what is chosen stands in the field too, and is no search.
  const [q] = useDebouncedValue(search === choices.model ? '' : search.trim(), TYPING_MS);
  const models = useQuery({ ...modelsQuery(q), enabled: opened });
  const items = models.data?.items ?? [];
  const ofDefault = items.find((model) => model.default)?.name;
  const data = items.map((model) => ({ value: model.name, label: model.name }));
  return (
    <Select
      className={classes.model ?? ''}
      size="xs"
      aria-label="Model"
      placeholder="Default model"
      data={q === '' ? withChosen(data, choices.model) : data}
      value={choices.model}
      onChange={(model) => choices.choose({ model })}
      searchable
      searchValue={search}
      onSearchChange={setSearch}
      // The server has searched already.
      filter={({ options }) => options}
      onDropdownOpen={() => setOpened(true)}
      onKeyDown={keepEsc}
      renderOption={({ option }) => (
        <span className={classes.option}>
          {option.label}
          {option.value === ofDefault && <small>default</small>}
        </span>
      )}
      nothingFoundMessage={said(models.isError, models.isPending, 'No model has this in its name.')}
      comboboxProps={{ width: 360, position: 'top-start' }}
      clearable
      disabled={disabled}
    />
  );
}

interface Option {
  value: string;
  label: string;
}

/** What was chosen stays in the list although the list is not here yet, or does not have it any more. */
function withChosen(data: Option[], chosen: string | null): Option[] {
  if (chosen === null || data.some((option) => option.value === chosen)) return data;
  return [{ value: chosen, label: chosen }, ...data];
}

function said(failed: boolean, pending: boolean, none: string): string {
  if (failed) return 'The list could not be fetched; open it again to try again.';
  return pending ? 'Fetching the list' : none;
}
