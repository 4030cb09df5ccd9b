// What was said to a lead, the newest first, with a line for the next note.
import { ActionIcon, Button, Textarea } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import * as api from '../../api/calls';
import type { Lead } from '../../api/types';
import { Age } from '../../components/Age';
import { ErrorPanel } from '../../components/ErrorPanel';
import form from '../../components/Form.module.css';
import classes from '../../components/List.module.css';
import { LoadMore } from '../../components/LoadMore';
import { QueryView } from '../../components/QueryView';
import { useChange } from '../../data/change';
import { keys } from '../../data/keys';
import { notesQuery } from '../../data/queries';
import { notifyError } from '../../lib/notify';
import { useRequestKey } from '../../lib/requestKey';
import { useOffline } from '../../live/hooks';

export function Notes({ lead }: { lead: Lead }) {
  const [text, setText] = useState('');
  // The same words may be said twice; only a repetition of what did not arrive is the same note.
  const [said, setSaid] = useState(0);
  const key = useRequestKey();
  const offline = useOffline();
  const query = useInfiniteQuery(notesQuery(lead.id));
  const stale = [keys.notes(lead.id), keys.leads(lead.project_id)];
  const add = useChange((content: string) => api.addNote(lead.id, content, key([content, said])), stale);
  const remove = useChange(api.deleteNote, stale);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '' || add.isPending) return;
    add.mutate(text.trim(), {
      onSuccess: () => {
        setText('');
        setSaid((count) => count + 1);
      },
    });
  };
  return (
    <section aria-label="Notes" data-testid="notes" className={form.apart}>
      <form onSubmit={submit} className={form.fields}>
        <Textarea
          label="Note"
          placeholder="What was said, and what comes next"
          autosize
          minRows={1}
          maxRows={6}
          maxLength={4000}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {add.error && <ErrorPanel error={add.error} compact />}
        <div>
          <Button type="submit" variant="default" disabled={offline || text.trim() === ''} loading={add.isPending}>
            Add note
          </Button>
        </div>
      </form>
      <QueryView query={query} what="the notes">
        {(data) => (
          <>
            <ul className={classes.rows} aria-label="Notes on this lead">
              {data.pages
                .flatMap((page) => page.items)
                .map((note) => (
                  <li key={note.id} className={classes.row} data-testid="note">
                    <div className={classes.text}>
                      <p className={classes.excerpt}>{note.content}</p>
                      <p className={classes.facts}>
                        <Age at={note.created_at} />
                      </p>
                    </div>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      size={32}
                      disabled={offline}
                      onClick={() => remove.mutate(note.id, { onError: (error) => notifyError('Delete', error) })}
                      aria-label={`Delete the note: ${note.content.slice(0, 60)}`}
                    >
                      <IconTrash size={17} />
                    </ActionIcon>
                  </li>
                ))}
            </ul>
            <LoadMore query={query} />
          </>
        )}
      </QueryView>
    </section>
  );
}
