// Erases what is remembered. It cannot be undone, so the word has to be typed.
import { Button, Radio, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { Erasure } from '../../api/calls';
import { Dialog } from '../../components/Dialog';
import { ErrorPanel } from '../../components/ErrorPanel';
import { useEraseMemories } from '../../data/memoryActions';
import { useOffline } from '../../live/hooks';
import classes from './Memory.module.css';

const WORD = 'erase';

export function EraseDialog({ projectId, onClose }: { projectId: string; onClose: () => void }) {
  const [what, setWhat] = useState<Erasure['what']>('person');
  const [person, setPerson] = useState('');
  const [typed, setTyped] = useState('');
  const erase = useEraseMemories(projectId);
  const offline = useOffline();
  const ready = typed.trim().toLowerCase() === WORD && (what === 'project' || person.trim() !== '');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready || erase.isPending) return;
    erase.mutate(what === 'project' ? { what } : { what, person }, { onSuccess: onClose });
  };
  return (
    <Dialog onClose={onClose} title="Erase memories">
      <form onSubmit={submit} className={classes.fields}>
        <Radio.Group label="What to erase" value={what} onChange={(value) => setWhat(value as Erasure['what'])}>
          <div className={classes.choices}>
            <Radio value="person" label="What this project remembers about a person" />
            <Radio value="everywhere" label="What any project remembers about a person" />
            <Radio value="project" label="Everything that this project remembers" />
          </div>
        </Radio.Group>
        {what !== 'project' && (
          <TextInput
            label="Name of the person"
            description="As it is written in the memories. All that name it as a word of its own are erased."
            maxLength={200}
            value={person}
            onChange={(event) => setPerson(event.currentTarget.value)}
            autoComplete="off"
          />
        )}
        <p className={classes.note}>
          It cannot be undone. Pinned memories go too. Messages, logs, outputs, backups and what a model provider keeps
          are not reached.
        </p>
        <TextInput
          label={`Type ${WORD} to confirm`}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
        />
        {erase.error && <ErrorPanel error={erase.error} compact />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose} data-autofocus>
            Keep them
          </Button>
          <Button type="submit" color="bad" disabled={!ready || offline} loading={erase.isPending}>
            Erase
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
