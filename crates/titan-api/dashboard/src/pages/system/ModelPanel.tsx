// The models that can be asked, by the names that a task uses. Some providers have hundreds, so a part of the name finds one.
import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Model, Page } from '../../api/types';
import { CopyText } from '../../components/CopyText';
import { Empty } from '../../components/Empty';
import { Panel } from '../../components/Panel';
import { QueryView } from '../../components/QueryView';
import { ScrollBox } from '../../components/ScrollBox';
import table from '../../components/Table.module.css';
import { modelsQuery } from '../../data/queries';
import { plural } from '../../lib/format';
import { NameNote } from './NameNote';
import classes from './SystemPage.module.css';

const TYPING_MS = 250;

export function ModelPanel() {
  const [q, setQ] = useState('');
  const models = useQuery(modelsQuery(q));
  const search = useDebouncedCallback(setQ, TYPING_MS);
  return (
    <Panel title="Models" flush testId="models">
      <TextInput
        className={classes.search ?? ''}
        size="xs"
        type="search"
        aria-label="Search the models"
        placeholder="Search"
        leftSection={<IconSearch size={15} aria-hidden />}
        onChange={(event) => search(event.currentTarget.value.trim())}
      />
      <p className="sr-only" role="status">
        {models.data && !models.isPlaceholderData ? foundInWords(models.data) : ''}
      </p>
      <QueryView query={models} what="models">
        {/* What was found before is still there while something else is looked for. */}
        {(page) => <ModelTable page={page} searched={q !== '' || models.isPlaceholderData} />}
      </QueryView>
    </Panel>
  );
}

function ModelTable({ page, searched }: { page: Page<Model>; searched: boolean }) {
  if (page.items.length === 0) {
    if (searched) return <Empty title="No model has this in its name" />;
    return <Empty title="No model is known">A worker asks its providers for their models when it starts.</Empty>;
  }
  return (
    <>
      <ScrollBox className={table.tableBox} label="Models">
        <table className={table.table}>
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Provider</th>
              <th scope="col" className={table.num}>
                Context, tokens
              </th>
              <th scope="col" className={table.num}>
                In, $ a million
              </th>
              <th scope="col" className={table.num}>
                Out, $ a million
              </th>
            </tr>
          </thead>
          <tbody>
            {page.items.map((model) => (
              <tr key={model.name} data-testid="model-row">
                <td>
                  <CopyText value={model.name} text={model.id} label="Copy the name" />
                  <NameNote model={model.id} />
                  {model.default && <span className={table.tag}>default</span>}
                </td>
                <td>{model.provider}</td>
                <td className={table.num}>{known(model.context_tokens)}</td>
                <td className={table.num}>{known(model.input_price)}</td>
                <td className={table.num}>{known(model.output_price)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      {page.next_cursor !== null && <p className={classes.lead}>There are more: search for a part of the name.</p>}
    </>
  );
}

const known = (value: number | null | undefined) =>
  value == null ? <span className={table.muted}>not known</span> : value.toLocaleString('en');

/** Said to those who do not see the table change under their search. */
function foundInWords({ items, next_cursor }: Page<Model>): string {
  if (next_cursor !== null) return `More than ${items.length} models`;
  return items.length === 0 ? 'No model found' : plural(items.length, 'model');
}
