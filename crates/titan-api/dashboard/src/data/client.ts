// The query client and the live client, joined: hints from the server decide what is fetched again.
import { QueryClient } from '@tanstack/react-query';
import { asApiError } from '../api/errors';
import { LiveClient } from '../live/client';
import { untilHealed } from './healing';
import { staleKeys } from './keys';
import { Refetcher } from './refetcher';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Titan often runs on this very machine: the browser's idea of being online says nothing about it.
      networkMode: 'always',
      staleTime: 5000,
      gcTime: 5 * 60_000,
      retry: (failures, error) => failures < 1 && asApiError(error).transient,
      retryDelay: 800,
      refetchInterval: untilHealed,
    },
    mutations: { networkMode: 'always', retry: false },
  },
});

const refetcher = new Refetcher(queryClient);

export const live = new LiveClient({
  change: (hint) => refetcher.mark(staleKeys(hint)),
  resync: () => refetcher.everything(),
});
