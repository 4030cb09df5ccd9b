// Takes leads in from a table: choose it, see what each row would become, say which column is what, and only then import it.
import { Button, Select } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import * as api from '../../api/calls';
import type { ImportedRow, LeadField, LeadImport } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { ErrorPanel } from '../../components/ErrorPanel';
import { FilePicker } from '../../components/FilePicker';
import form from '../../components/Form.module.css';
import list from '../../components/List.module.css';
import { ScrollBox } from '../../components/ScrollBox';
import table from '../../components/Table.module.css';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { plural } from '../../lib/format';
import { randomId } from '../../lib/ids';
import { notifyDone } from '../../lib/notify';
import { useRequestKey } from '../../lib/requestKey';
import { useOffline } from '../../live/hooks';
import { ACTIONS, FIELDS, mappingOf, SHOWN, shownFirst, summaryOf } from './importing';

interface Chosen {
  file: File;
  mapping: api.LeadMapping;
}

export function ImportDialog({ projectId, onClose }: { projectId: string; onClose: () => void }) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  // It stays while columns are changed and looked at again, so that nothing goes away under the hand.
  const [preview, setPreview] = useState<LeadImport | null>(null);
  const key = useRequestKey();
  const offline = useOffline();
  // Each look is a request of its own; only the import itself has a key that is kept.
  const look = useChange(
    ({ file, mapping }: Chosen) => api.importLeads(projectId, file, mapping, true, `look-${randomId()}`),
    [],
  );
  const write = useChange(
    ({ file, mapping }: Chosen) =>
      api.importLeads(projectId, file, mapping, false, key([file.name, file.size, file.lastModified, mapping])),
    [keys.leads(projectId), keys.offers(projectId)],
  );
  const choose = (next: Chosen) => {
    setChosen(next);
    write.reset();
    look.mutate(next, { onSuccess: setPreview });
  };
  const take = ([file]: File[]) => {
    if (file === undefined) return;
    setPreview(null);
    choose({ file, mapping: {} });
  };
  const seen = look.isSuccess;
  const fresh = (preview?.created ?? 0) + (preview?.merged ?? 0);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (chosen === null || fresh === 0 || !seen || write.isPending) return;
    write.mutate(chosen, {
      onSuccess: (done) => {
        notifyDone(summaryOf(done));
        onClose();
      },
    });
  };
  const error = write.error ?? look.error;
  return (
    <Dialog size="xl" onClose={onClose} title="Import leads">
      <form onSubmit={submit} className={form.fields}>
        <p className={list.seen}>
          A table with a header as CSV in UTF-8, with up to 5,000 rows. A row whose e-mail is known adds what the lead
          lacks; nothing is overwritten.
        </p>
        <div className={list.toolbar}>
          <FilePicker accept=".csv,text/csv" onFiles={take}>
            {(props) => (
              <Button {...props} variant="default" disabled={offline} data-autofocus>
                {chosen === null ? 'Choose a table' : 'Choose another table'}
              </Button>
            )}
          </FilePicker>
          {chosen && <span>{chosen.file.name}</span>}
        </div>
        {error && <ErrorPanel error={error} compact />}
        {chosen && preview && (
          <>
            <Columns preview={preview} onMapping={(mapping) => choose({ ...chosen, mapping })} />
            <Preview preview={preview} looking={look.isPending} />
          </>
        )}
        <div className={form.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={offline || fresh === 0 || !seen} loading={write.isPending}>
            {fresh === 0 ? 'Import' : `Import ${plural(fresh, 'row')}`}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface ColumnsProps {
  preview: LeadImport;
  onMapping: (mapping: api.LeadMapping) => void;
}

/** A column that is taken for something else takes it away from the column that had it. */
function Columns({ preview, onMapping }: ColumnsProps) {
  const set = (header: string, field: LeadField | null) => {
    // What is neither taken over nor said would be guessed again.
    const now = Object.entries(mappingOf(preview)).map(([other, of]) => [other, of === header ? '-' : of]);
    onMapping({ ...Object.fromEntries(now), ...(field === null ? {} : { [field]: header }) });
  };
  return (
    <fieldset className={form.pair} style={{ border: 0, padding: 0, margin: 0 }}>
      <legend className="sr-only">What each column is</legend>
      {preview.columns.map(({ header, field }, place) => (
        <Select
          // Two columns may have the same header, and they do not move.
          key={place}
          size="xs"
          label={header || `Column ${place + 1}`}
          placeholder="Left out"
          data={FIELDS}
          value={field ?? null}
          clearable
          onChange={(value) => set(header, value as LeadField | null)}
        />
      ))}
    </fieldset>
  );
}

function Preview({ preview, looking }: { preview: LeadImport; looking: boolean }) {
  const rows = shownFirst(preview.rows);
  return (
    <>
      <p role="status" data-testid="import-summary">
        {looking ? 'Looking ...' : summaryOf(preview)}
        {!looking && rows.length > SHOWN && ` The first ${SHOWN} rows are shown, refused ones first.`}
      </p>
      <ScrollBox label="What each row becomes" className={table.tableBox}>
        <table className={table.table}>
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col">Becomes</th>
              <th scope="col">Name</th>
              <th scope="col">E-mail</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, SHOWN).map((row) => (
              <PreviewRow key={row.line} row={row} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </>
  );
}

function PreviewRow({ row }: { row: ImportedRow }) {
  return (
    <tr data-testid="import-row" data-action={row.action}>
      <td className="tnum">{row.line}</td>
      <td>{ACTIONS[row.action]}</td>
      <td>{row.name}</td>
      <td>{row.email}</td>
      <td className={row.action === 'refused' ? table.bad : table.muted}>{row.detail}</td>
    </tr>
  );
}
