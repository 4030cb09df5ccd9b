// The log lines of a scope and a filter: the newest first, older ones on demand, new ones as hints announce them.
import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { type LogFilter, type LogScope, listLogs } from '../../api/calls';
import { keys } from '../../data/keys';
import { EMPTY_BUFFER, type LogBuffer, mergeNewest, mergeOlder } from './logBuffer';

const PAGE = 200;

export function useLogs(scope: LogScope, filter: LogFilter) {
  const scopeId = scope.runId ?? scope.projectId ?? '';
  const name = JSON.stringify([scopeId, filter]);
  const [held, setHeld] = useState<{ name: string; buffer: LogBuffer }>({ name, buffer: EMPTY_BUFFER });
  const [older, setOlder] = useState<{ busy: boolean; error: Error | null }>({ busy: false, error: null });

  const newest = useQuery({
    queryKey: [...keys.logs(scopeId), filter],
    queryFn: ({ signal }) => listLogs(scope, filter, null, PAGE, signal),
    // The buffer holds what was read; an old first page must not come back from the cache.
    gcTime: 0,
  });

  const page = newest.data;
  useEffect(() => {
    if (page === undefined) return;
    setHeld((current) => ({ name, buffer: mergeNewest(current.name === name ? current.buffer : EMPTY_BUFFER, page) }));
  }, [page, name]);

  const buffer = held.name === name ? held.buffer : EMPTY_BUFFER;
  const cursor = buffer.olderCursor;
  const loadOlder = useCallback(async () => {
    if (cursor === null || older.busy) return;
    setOlder({ busy: true, error: null });
    try {
      const more = await listLogs(scope, filter, cursor, PAGE);
      setHeld((current) =>
        current.name === name && current.buffer.olderCursor === cursor
          ? { name, buffer: mergeOlder(current.buffer, more) }
          : current,
      );
      setOlder({ busy: false, error: null });
    } catch (error) {
      setOlder({ busy: false, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }, [cursor, older.busy, scope, filter, name]);

  return { newest, buffer, loadOlder, older };
}
