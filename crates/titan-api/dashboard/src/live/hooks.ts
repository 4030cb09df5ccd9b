// React's view of the live layer.
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react';
import type { LiveClient } from './client';
import type { Connection } from './protocol';
import { EMPTY_SNAPSHOT, type RunSnapshot } from './runFeed';

export const LiveContext = createContext<LiveClient | null>(null);

export function useLive(): LiveClient {
  const client = useContext(LiveContext);
  if (client === null) throw new Error('LiveContext is missing');
  return client;
}

export function useConnection(): Connection {
  const client = useLive();
  return useSyncExternalStore(client.onConnection, client.getConnection);
}

/** The server does not answer now, so an action would only fail. */
export function useOffline(): boolean {
  return useConnection().kind === 'offline';
}

/** Follows a run while `runId` is set; null rests. */
export function useRunFeed(runId: string | null): RunSnapshot {
  const client = useLive();
  const subscribe = useCallback(
    (listener: () => void) => (runId === null ? () => undefined : client.watchRun(runId, listener)),
    [client, runId],
  );
  const snapshot = useCallback(() => (runId === null ? EMPTY_SNAPSHOT : client.peek(runId)), [client, runId]);
  return useSyncExternalStore(subscribe, snapshot);
}
