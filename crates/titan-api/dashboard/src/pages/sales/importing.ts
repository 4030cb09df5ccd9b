// What is told of a table of leads, before and after it is imported.
import type { LeadMapping } from '../../api/calls';
import type { ImportedRow, LeadField, LeadImport } from '../../api/types';
import { plural } from '../../lib/format';

/** Rows that are shown at once; the counts are of all of them. */
export const SHOWN = 200;

export const ACTIONS: Record<ImportedRow['action'], string> = {
  created: 'A new lead',
  merged: 'Part of a known lead',
  refused: 'Nothing',
};

export const FIELDS: { value: LeadField; label: string }[] = [
  { value: 'name', label: 'Name' },
  { value: 'company', label: 'Company' },
  { value: 'email', label: 'E-mail' },
  { value: 'phone', label: 'Phone' },
  { value: 'source', label: 'Source' },
  { value: 'stage', label: 'Stage' },
  { value: 'value', label: 'Value' },
  { value: 'currency', label: 'Currency' },
  { value: 'note', label: 'Note' },
];

/** Which column the server took for what. */
export const mappingOf = ({ columns }: Pick<LeadImport, 'columns'>): LeadMapping =>
  Object.fromEntries(columns.filter(({ field }) => field).map(({ field, header }) => [field as LeadField, header]));

/** What somebody has to look at comes first. */
export const shownFirst = (rows: ImportedRow[]): ImportedRow[] => [
  ...rows.filter(({ action }) => action === 'refused'),
  ...rows.filter(({ action }) => action !== 'refused'),
];

export function summaryOf({ dry_run, created, merged, refused }: Omit<LeadImport, 'rows' | 'columns'>): string {
  const [new_, known, not] = [plural(created, 'new lead'), plural(merged, 'known one'), plural(refused, 'row')];
  if (!dry_run) return `Imported: ${new_}, ${known}. ${not} refused.`;
  return `It would become ${new_} and part of ${known}. ${not} would be refused.`;
}
