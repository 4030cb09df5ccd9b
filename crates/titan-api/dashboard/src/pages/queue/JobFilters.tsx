// Queue, kind and project of the jobs that are listed.
import { Autocomplete, Button, NativeSelect } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import type { JobFilter } from '../../api/calls';
import type { Project, Queue } from '../../api/types';
import { shortId } from '../../lib/format';
import { isNarrowed, withPart } from './filter';
import classes from './QueuePage.module.css';

const TYPING_MS = 350;

interface JobFiltersProps {
  filter: JobFilter;
  queues: Queue[] | undefined;
  kinds: string[];
  projects: Project[];
  onFilter: (filter: JobFilter) => void;
}

export function JobFilters({ filter, queues, kinds, projects, onFilter }: JobFiltersProps) {
  const names = queues?.map((queue) => queue.name) ?? [];
  const projectOptions = projects.map((project) => ({ value: project.id, label: project.name }));
  return (
    <div className={classes.filters}>
      <NativeSelect
        size="xs"
        aria-label="Queue"
        value={filter.queue ?? ''}
        data={[{ value: '', label: 'All queues' }, ...withChosen(names.map(asOption), filter.queue, String)]}
        onChange={(event) => onFilter(withPart(filter, 'queue', event.currentTarget.value))}
      />
      <KindField kinds={kinds} kind={filter.kind ?? ''} onKind={(kind) => onFilter(withPart(filter, 'kind', kind))} />
      <NativeSelect
        size="xs"
        aria-label="Project"
        value={filter.project ?? ''}
        data={[
          { value: '', label: 'All projects' },
          ...withChosen(projectOptions, filter.project, (id) => `Project ${shortId(id)}`),
        ]}
        onChange={(event) => onFilter(withPart(filter, 'project', event.currentTarget.value))}
      />
      {isNarrowed(filter) && (
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => onFilter(filter.state === undefined ? {} : { state: filter.state })}
        >
          Clear filter
        </Button>
      )}
    </div>
  );
}

const asOption = (name: string) => ({ value: name, label: name });

/** A link may name what the list does not know. */
function withChosen(
  options: { value: string; label: string }[],
  chosen: string | undefined,
  name: (value: string) => string,
) {
  if (chosen === undefined || options.some((option) => option.value === chosen)) return options;
  return [...options, { value: chosen, label: name(chosen) }];
}

interface KindFieldProps {
  kinds: string[];
  kind: string;
  onKind: (kind: string) => void;
}

/** Any word may be a kind: the letters of one of a job that nobody serves any more must be possible too. */
function KindField({ kinds, kind, onKind }: KindFieldProps) {
  const [text, setText] = useState(kind);
  const apply = useDebouncedCallback(onKind, TYPING_MS);
  // The address may change by itself: Back, or Clear filter.
  useEffect(() => setText(kind), [kind]);
  return (
    <Autocomplete
      size="xs"
      aria-label="Kind"
      placeholder="All kinds"
      data={kinds}
      maxLength={100}
      value={text}
      onChange={(value) => {
        setText(value);
        apply(value);
      }}
      comboboxProps={{ withinPortal: false }}
    />
  );
}
