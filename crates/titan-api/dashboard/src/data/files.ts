// The files of a project: what is read of them, and what a person can do to them.
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import * as api from '../api/calls';
import { ApiError } from '../api/errors';
import { timedFetch } from '../api/http';
import { notifyDone } from '../lib/notify';
import { untilHealed } from './healing';
import { keys } from './keys';

export const filesQuery = (projectId: string) =>
  queryOptions({
    queryKey: [...keys.files(projectId), 'list'],
    queryFn: ({ signal }) => api.listFiles(projectId, signal),
    refetchInterval: (query) => untilHealed(query),
  });

/** The text of a file as it has this id; another id is another text, so it never gets old. */
export const fileTextQuery = (projectId: string, path: string, id: string) =>
  queryOptions({
    queryKey: ['file', projectId, path, id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }): Promise<string> => {
      const response = await timedFetch(api.fileUrl(projectId, path), { signal });
      if (!response.ok) throw await ApiError.fromResponse(response);
      return response.text();
    },
  });

export const commitsQuery = (projectId: string, path: string | null) =>
  infiniteQueryOptions({
    queryKey: [...keys.files(projectId), 'log', path ?? ''],
    queryFn: ({ pageParam, signal }) => api.listCommits(projectId, path, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  });

/** What a commit changed; it never changes any more. */
export const commitQuery = (projectId: string, commit: string) =>
  queryOptions({
    queryKey: ['commit', projectId, commit],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => api.getDiff(projectId, commit, signal),
  });

export function useSaveFile(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ path, content, tag }: { path: string; content: string; tag: string | null }) =>
      api.putFile(projectId, path, { content }, tag),
    onSuccess: () => {
      notifyDone('Saved');
      return client.invalidateQueries({ queryKey: keys.files(projectId) });
    },
  });
}

export function useDeleteFile(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ path, tag }: { path: string; tag: string }) => api.deleteFile(projectId, path, tag),
    onSuccess: () => {
      notifyDone('Deleted');
      return client.invalidateQueries({ queryKey: keys.files(projectId) });
    },
  });
}
