// What a person can do to memories. Each action waits for the server, then what shows memories is fetched again.
import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query';
import * as api from '../api/calls';
import type { Memory, MemoryInput, MemoryPatch } from '../api/types';
import { plural } from '../lib/format';
import { notifyDone, notifyError } from '../lib/notify';
import { keys } from './keys';

/** One that every project sees is on the pages of all of them. */
function stale(client: QueryClient, projectId: string): void {
  void client.invalidateQueries({ queryKey: keys.memories(projectId) });
  void client.invalidateQueries({ queryKey: keys.stats(projectId) });
}

export function useAddMemory(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ input, key }: { input: MemoryInput; key: string }) => api.createMemory(projectId, input, key),
    onSuccess: () => stale(client, projectId),
  });
}

export function useEditMemory(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, patch }: { id: string; patch: MemoryPatch }) => api.updateMemory(id, patch),
    onSuccess: () => stale(client, projectId),
  });
}

export function usePinMemory(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (memory: Memory) => api.updateMemory(memory.id, { pinned: !memory.pinned }),
    onSuccess: () => stale(client, projectId),
    onError: (error) => notifyError('Pin', error),
  });
}

export function useForgetMemory(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (memory: Memory) => api.deleteMemory(memory.id),
    onSuccess: () => {
      stale(client, projectId);
      notifyDone('Forgotten');
    },
  });
}

export function useEraseMemories(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (erasure: api.Erasure) => api.eraseMemories(projectId, erasure),
    onSuccess: ({ erased }) => {
      void client.invalidateQueries({ queryKey: ['memories'] });
      void client.invalidateQueries({ queryKey: ['stats'] });
      void client.invalidateQueries({ queryKey: keys.projects });
      notifyDone(erased === 0 ? 'There was nothing to erase' : `Erased ${plural(erased, 'memory', 'memories')}`);
    },
  });
}
