// What calls of models have cost, what they may, and the ways to change that. A limit that is raised lets runs go on, so
// whatever shows them is fetched again too.
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import * as api from '../api/calls';
import type { BudgetInput, Page } from '../api/types';
import { notifyDone } from '../lib/notify';
import { steadily } from './healing';
import { keys } from './keys';

/** A period ends without a hint, and so does a reservation. */
const REFRESH_MS = 15_000;

export const spendingQuery = (place: api.BudgetPlace) =>
  queryOptions({
    queryKey: keys.budget(place.scope, place.id),
    queryFn: ({ signal }) => api.getSpending(place, signal),
    refetchInterval: (query) => steadily(query, REFRESH_MS),
  });

export const callsQuery = (runId: string) =>
  infiniteQueryOptions({
    queryKey: keys.calls(runId),
    queryFn: ({ pageParam, signal }) => api.listRunCalls(runId, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last: Page<unknown>) => last.next_cursor,
  });

function useRefresh(): () => void {
  const client = useQueryClient();
  return () => {
    for (const key of [keys.budgets, ['run'], ['runs'], ['task'], ['tasks']]) {
      void client.invalidateQueries({ queryKey: key });
    }
  };
}

export function useSaveBudget(place: api.BudgetPlace) {
  const client = useQueryClient();
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (input: BudgetInput) => api.saveBudget(place, input),
    onSuccess: (spending) => {
      client.setQueryData(keys.budget(place.scope, place.id), spending);
      notifyDone('Budget saved');
    },
    onSettled: refresh,
  });
}

export function useRemoveBudget(place: api.BudgetPlace) {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: () => api.removeBudget(place),
    onSuccess: () => notifyDone('Nothing is limited any more'),
    onSettled: refresh,
  });
}
