// What was found, the best first, and why each was.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Memory } from '../../api/types';
import { Empty } from '../../components/Empty';
import { QueryView } from '../../components/QueryView';
import { memorySearchQuery } from '../../data/queries';
import { plural } from '../../lib/format';
import classes from './Memory.module.css';
import { MemoryRow } from './MemoryRow';
import { whyFound } from './words';

interface MemoryHitsProps {
  projectId: string;
  q: string;
  onClear: () => void;
  onEdit: (memory: Memory) => void;
  onForget: (memory: Memory) => void;
}

export function MemoryHits({ q, onClear, ...row }: MemoryHitsProps) {
  const query = useQuery(memorySearchQuery(row.projectId, q));
  return (
    <QueryView query={query} what="what matches">
      {({ items, by }) => (
        <>
          <p className={classes.seen} role="status" data-testid="memory-found">
            {plural(items.length, 'memory', 'memories')} found {by === 'text' ? 'by words' : 'by words and by meaning'}
          </p>
          {items.length === 0 ? (
            <Empty
              title="Nothing remembered has these words"
              action={
                <Button variant="default" onClick={onClear}>
                  Show everything
                </Button>
              }
            />
          ) : (
            <ul className={classes.rows} aria-label="Memories found">
              {items.map((hit) => (
                <MemoryRow key={hit.memory.id} memory={hit.memory} why={whyFound(hit)} {...row} />
              ))}
            </ul>
          )}
        </>
      )}
    </QueryView>
  );
}
