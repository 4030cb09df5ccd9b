// The files of a project: what is read of them, and what a person can do to them.
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import * as api from '../api/calls';
import { ApiError, asApiError } from '../api/errors';
import { timedFetch } from '../api/http';
import { notifyDone } from '../lib/notify';
import { keys } from './keys';

export const filesQuery = (projectId: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.files(projectId), 'list'],
    queryFn: ({ pageParam, signal }) => api.listFiles(projectId, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  });

/** The text of a file as it has this id, with its byte order mark; another id is another text, so it never gets old. */
export const fileTextQuery = (projectId: string, path: string, id: string) =>
  queryOptions({
    queryKey: ['file', projectId, path, id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal, client }): Promise<string> => {
      const response = await timedFetch(api.fileUrl(projectId, path), { signal });
      if (!response.ok) throw await ApiError.fromResponse(response);
      if (response.headers.get('etag') !== `"${id}"`) {
        void client.invalidateQueries({ queryKey: keys.files(projectId) });
        throw new ApiError('problem', {
          title: 'The file has just been changed',
          code: 'file_changed',
          detail: 'The list of files is being fetched again.',
        });
      }
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await response.arrayBuffer());
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
    // Somebody else was faster: what the file is now must be known before it can be written over.
    onError: (error) =>
      asApiError(error).code === 'precondition_failed'
        ? client.invalidateQueries({ queryKey: keys.files(projectId) })
        : undefined,
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
