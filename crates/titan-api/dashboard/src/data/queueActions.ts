// What a person can do to queues, jobs and limits. Each action waits for the server; the numbers are fetched again whatever
// it said.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import * as api from '../api/calls';
import type { BulkAction, Job, LimitInput } from '../api/types';
import { notifyDone, notifyError } from '../lib/notify';
import { keys } from './keys';

/** An action on a queue may also be the reason why a task moves, or does not. */
function useRefresh(): () => void {
  const client = useQueryClient();
  return () => {
    void client.invalidateQueries({ queryKey: keys.queue });
    void client.invalidateQueries({ queryKey: ['tasks'] });
    void client.invalidateQueries({ queryKey: ['run'] });
  };
}

export function usePauseQueue() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ name, reason }: { name: string; reason: string }) => api.pauseQueue(name, reason),
    onSuccess: (queue) => notifyDone(`Paused: ${queue.name}`),
    onSettled: refresh,
  });
}

export function useResumeQueue() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (name: string) => api.resumeQueue(name),
    onSuccess: (queue) => notifyDone(`Resumed: ${queue.name}`),
    onError: (error) => notifyError('Resume', error),
    onSettled: refresh,
  });
}

export const ACTION_WORDS: Record<BulkAction, string> = { cancel: 'Cancel', retry: 'Run now', redrive: 'Redrive' };

/** The same action as for many jobs, on one of them. */
export function useJobAction() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ job, action }: { job: Job; action: BulkAction }) => api.bulkJobs(action, { ids: [job.id] }),
    onSuccess: ({ action, changed }) => {
      if (changed === 0) notifyDone('Nothing was changed: the job has moved on meanwhile');
      else if (action === 'cancel') notifyDone('Cancel requested');
      else notifyDone(action === 'retry' ? 'It runs as soon as a worker is free' : 'It is tried again');
    },
    onError: (error, { action }) => notifyError(ACTION_WORDS[action], error),
    onSettled: refresh,
  });
}

export interface BulkOrder {
  action: BulkAction;
  filter: Parameters<typeof api.bulkJobs>[1];
}

export function useBulk() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ action, filter }: BulkOrder) => api.bulkJobs(action, filter),
    onSettled: refresh,
  });
}

export function useSaveLimit() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ key, input }: { key: string; input: LimitInput }) => api.saveLimit(key, input),
    onSuccess: (limit) => notifyDone(`Saved: ${limit.key}`),
    onSettled: refresh,
  });
}

export function useDeleteLimit() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (key: string) => api.deleteLimit(key),
    onSuccess: (_data, key) => notifyDone(`Deleted: ${key}`),
    onSettled: refresh,
  });
}
