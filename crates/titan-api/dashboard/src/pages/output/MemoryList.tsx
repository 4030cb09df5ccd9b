// What the project remembers: facts with their source, to read, add and delete.
import { ActionIcon, Button, Modal } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { deleteMemory } from '../../api/calls';
import type { Memory } from '../../api/types';
import { Age } from '../../components/Age';
import { Empty } from '../../components/Empty';
import { ErrorPanel } from '../../components/ErrorPanel';
import { QueryView } from '../../components/QueryView';
import { keys } from '../../data/keys';
import { memoriesQuery } from '../../data/queries';
import { shortId } from '../../lib/format';
import { notifyDone } from '../../lib/notify';
import { useOffline } from '../../live/hooks';
import { AddMemory } from './AddMemory';
import classes from './OutputPage.module.css';

export function MemoryList({ projectId }: { projectId: string }) {
  const query = useInfiniteQuery(memoriesQuery(projectId));
  const [doomed, setDoomed] = useState<Memory | null>(null);
  return (
    <div className={classes.memory}>
      <AddMemory projectId={projectId} />
      <QueryView query={query} what="memories">
        {(data) => {
          const memories = data.pages.flatMap((page) => page.items);
          if (memories.length === 0) {
            return (
              <Empty title="Nothing remembered yet">
                Finished answers leave facts here, and you can add your own. Titan reads them with every message.
              </Empty>
            );
          }
          return (
            <>
              <ul className={classes.memories} aria-label="Memories">
                {memories.map((memory) => (
                  <MemoryRow key={memory.id} memory={memory} onDelete={() => setDoomed(memory)} />
                ))}
              </ul>
              {query.hasNextPage && (
                <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Show more
                </Button>
              )}
            </>
          );
        }}
      </QueryView>
      {doomed && <DeleteMemory memory={doomed} onClose={() => setDoomed(null)} />}
    </div>
  );
}

function MemoryRow({ memory, onDelete }: { memory: Memory; onDelete: () => void }) {
  const offline = useOffline();
  return (
    <li className={classes.memoryRow} data-testid="memory-row">
      <div className={classes.memoryText}>
        <p className={classes.memoryContent}>{memory.content}</p>
        <p className={classes.facts}>
          <span>{memory.scope}</span>
          {memory.confidence !== null && (
            <span className="tnum">confidence {Math.round(memory.confidence * 100)} %</span>
          )}
          {memory.source_run_id ? (
            <Link to="/runs/$runId" params={{ runId: memory.source_run_id }}>
              Run {shortId(memory.source_run_id)}
            </Link>
          ) : (
            <span>added by hand</span>
          )}
          <Age at={memory.created_at} />
        </p>
      </div>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={32}
        disabled={offline}
        onClick={onDelete}
        aria-label={`Delete: ${memory.content.slice(0, 80)}`}
      >
        <IconTrash size={17} />
      </ActionIcon>
    </li>
  );
}

function DeleteMemory({ memory, onClose }: { memory: Memory; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteMemory(memory.id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.memories(memory.project_id) });
      void client.invalidateQueries({ queryKey: keys.stats(memory.project_id) });
      notifyDone('Memory deleted');
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title="Delete this memory?" closeButtonProps={{ 'aria-label': 'Close the dialog' }}>
      <blockquote className={classes.comment}>{memory.content.slice(0, 400)}</blockquote>
      <p>It cannot be undone. Answers given so far stay as they are.</p>
      {remove.error && <ErrorPanel error={remove.error} compact />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="bad" loading={remove.isPending} onClick={() => remove.mutate()}>
          Delete
        </Button>
      </div>
    </Modal>
  );
}
