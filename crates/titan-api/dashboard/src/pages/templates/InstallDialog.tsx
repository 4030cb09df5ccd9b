// Installs a template: from a git repository, which a worker fetches while the page shows how far it is, or from an archive, which
// is there at once. What was typed and chosen stays until the server has taken it.
import { FileInput, SegmentedControl, TextInput } from '@mantine/core';
import { useState } from 'react';
import * as api from '../../api/calls';
import { asApiError } from '../../api/errors';
import { FormDialog, type Problems, useForm } from '../../components/FormDialog';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { base64 } from '../../lib/files';
import { formatBytes } from '../../lib/format';
import { useRequestKey } from '../../lib/requestKey';

export const NOTHING: api.GitSource = { git: '', ref: '', directory: '' };

const WAYS = [
  { value: 'git', label: 'From git' },
  { value: 'archive', label: 'From a file' },
];
const FIELDS = ['git', 'ref', 'directory'] as const;
const MOST_BYTES = 10 * 1024 * 1024;

type Values = Record<(typeof FIELDS)[number], string>;

function check({ git }: Values): Problems<Values> {
  if (git.trim() === '') return { git: 'Write the address of a repository.' };
  if (!/^https:\/\//i.test(git.trim())) return { git: 'Write an address that begins with https://.' };
  return {};
}

function fileProblem(file: File | null): string | null {
  if (file === null) return 'Choose a file.';
  if (file.size === 0) return 'This file is empty.';
  return file.size > MOST_BYTES
    ? `It has ${formatBytes(file.size)}; at most ${formatBytes(MOST_BYTES)} are possible.`
    : null;
}

interface InstallDialogProps {
  initial: api.GitSource;
  onClose: () => void;
  /** With `name@version`, when it is installed already. */
  onInstalled: (reference: string) => void;
}

export function InstallDialog({ initial, onClose, onInstalled }: InstallDialogProps) {
  const [way, setWay] = useState('git');
  const [file, setFile] = useState<File | null>(null);
  const [judged, setJudged] = useState(false);
  const key = useRequestKey();
  const form = useForm<Values>(() => initial, check);
  const fetchIt = useChange((source: Values) => api.installFromGit(source, key(source)), [keys.templates]);
  const unpackIt = useChange(
    async (archive: File) => api.installFromArchive(await base64(archive)),
    [keys.templates],
    ({ reference, unchanged }) => (unchanged ? `${reference} was installed before` : `${reference} is installed`),
  );
  const action = way === 'git' ? fetchIt : unpackIt;
  const submit = () => {
    if (way === 'git') {
      if (form.judge()) fetchIt.mutate(form.values, { onSuccess: onClose, onError: form.refused });
      return;
    }
    setJudged(true);
    if (file !== null && fileProblem(file) === null) {
      unpackIt.mutate(file, { onSuccess: ({ reference }) => onInstalled(reference) });
    }
  };
  const refused = unpackIt.error && asApiError(unpackIt.error).fieldMessage('archive');
  return (
    <FormDialog
      title="Install a template"
      verb="Install"
      fields={way === 'git' ? FIELDS : ['archive']}
      action={action}
      onSubmit={submit}
      onClose={onClose}
    >
      <SegmentedControl data={WAYS} value={way} onChange={setWay} aria-label="Where it comes from" fullWidth />
      {way === 'git' ? (
        <>
          <TextInput
            label="Address"
            description="Of a repository that everybody may read, over https."
            placeholder="https://example.com/team/templates.git"
            required
            data-autofocus
            type="url"
            maxLength={2000}
            {...form.field('git')}
          />
          <TextInput
            label="Tag, branch or commit"
            description="Empty: what the repository offers."
            maxLength={200}
            {...form.field('ref')}
          />
          <TextInput
            label="Folder"
            description="Where template.yaml lies. Empty: at the top."
            maxLength={240}
            {...form.field('directory')}
          />
        </>
      ) : (
        <FileInput
          label="Archive"
          description="A .tar or .tar.gz with template.yaml at its top, or in the one folder that it holds."
          placeholder="Choose a file"
          required
          clearable
          accept=".tar,.gz,.tgz"
          clearButtonProps={{ 'aria-label': 'Take the file away' }}
          value={file}
          onChange={(chosen) => {
            setFile(chosen);
            unpackIt.reset();
          }}
          error={(judged && fileProblem(file)) || refused}
        />
      )}
    </FormDialog>
  );
}
