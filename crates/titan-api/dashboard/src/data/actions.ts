// What a person can do to tasks, runs and outputs. Each action waits for the server, then the affected data is fetched.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import * as api from '../api/calls';
import { asApiError } from '../api/errors';
import type { Decision, Output } from '../api/types';
import { notifyDone, notifyError } from '../lib/notify';
import { keys } from './keys';

export function useCancelTask(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (taskId: string) => api.cancelTask(taskId),
    onSuccess: () => notifyDone('Cancel requested'),
    onError: (error) => notifyError('Cancel', error),
    onSettled: (_data, _error, taskId) => {
      void client.invalidateQueries({ queryKey: keys.tasks(projectId) });
      void client.invalidateQueries({ queryKey: keys.task(taskId) });
      void client.invalidateQueries({ queryKey: ['run'] });
    },
  });
}

export function useExecuteTask(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (taskId: string) => api.executeTask(taskId),
    onError: (error) => notifyError('Run', error),
    onSettled: (_data, _error, taskId) => {
      void client.invalidateQueries({ queryKey: keys.tasks(projectId) });
      void client.invalidateQueries({ queryKey: keys.task(taskId) });
      void client.invalidateQueries({ queryKey: keys.runs(projectId) });
    },
  });
}

/** A person has done what nobody else was to do. */
export function useCompleteTask(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (taskId: string) => api.completeTask(taskId),
    onError: (error) => notifyError('Done', error),
    onSettled: (_data, _error, taskId) => {
      for (const key of [keys.plans(projectId), keys.tasks(projectId), keys.task(taskId), keys.stats(projectId)]) {
        void client.invalidateQueries({ queryKey: key });
      }
    },
  });
}

export function useCancelRun() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (runId: string) => api.cancelRun(runId),
    onSuccess: (run) => {
      client.setQueryData(keys.run(run.id), run);
      void client.invalidateQueries({ queryKey: keys.runs(run.project_id) });
    },
    onError: (error) => notifyError('Cancel', error),
  });
}

export interface Decided {
  output: Output;
  decision: Decision;
  comment: string;
}

const DONE: Record<Decision, string> = { approve: 'Approved', reject: 'Rejected', again: 'Rejected, and begun again' };

export function useDecideOutput() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ output, decision, comment }: Decided) => api.decideOutput(output.id, decision, comment),
    onSuccess: ({ next_run_id: _, ...output }, { decision }) => {
      client.setQueryData<Output>(keys.output(output.id), output);
      notifyDone(`${DONE[decision]}: ${output.name}`);
    },
    // Decided meanwhile by somebody else is no failure: the refreshed output says what was decided.
    onError: (error) => {
      if (asApiError(error).code === 'already_decided') notifyDone('It was decided meanwhile');
      else notifyError('Decision', error);
    },
    onSettled: (_data, _error, { output, decision }) => {
      if (decision === 'again') {
        void client.invalidateQueries({ queryKey: keys.runs(output.project_id) });
        void client.invalidateQueries({ queryKey: keys.tasks(output.project_id) });
      }
      void client.invalidateQueries({ queryKey: keys.outputs(output.project_id) });
      void client.invalidateQueries({ queryKey: keys.output(output.id) });
      void client.invalidateQueries({ queryKey: keys.stats(output.project_id) });
      if (output.run_id) void client.invalidateQueries({ queryKey: keys.artifacts(output.run_id) });
    },
  });
}
