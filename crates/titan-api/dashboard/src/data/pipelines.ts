// Templates, the pipelines that make projects of them, and what a pipeline brings about: the preview and the publications.
import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import * as api from '../api/calls';
import type { Preview } from '../api/types';
import { notifyError } from '../lib/notify';
import { untilHealed } from './healing';
import { keys } from './keys';

const MOVING_REFRESH_MS = 3000;

/** What was found before stays while something else is looked for. */
export const templatesQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.templates, 'list', q],
    queryFn: ({ pageParam, signal }) => api.listTemplates(q, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
  });

export const templateQuery = (reference: string) =>
  queryOptions({
    queryKey: [...keys.templates, 'one', reference],
    queryFn: ({ signal }) => api.getTemplate(reference, signal),
  });

/** So many installs from git are looked at, the newest first. */
const INSTALLS = 20;

export const templateInstallsQuery = () =>
  queryOptions({
    queryKey: [...keys.templates, 'installs'],
    queryFn: async ({ signal }) => (await api.listTemplateInstalls(INSTALLS, signal)).items,
    refetchInterval: untilHealed,
  });

export const previewQuery = (projectId: string) =>
  queryOptions({
    queryKey: keys.preview(projectId),
    queryFn: ({ signal }) => api.getPreview(projectId, signal),
    refetchInterval: (query) => (query.state.data?.state === 'starting' ? MOVING_REFRESH_MS : untilHealed(query)),
  });

/** The newest version that was published, or null. */
export const newestPublicationQuery = (projectId: string) =>
  queryOptions({
    queryKey: keys.publications(projectId),
    queryFn: async ({ signal }) => (await api.listPublications(projectId, 1, signal)).items[0] ?? null,
  });

/**
 * Makes the project once more of its template and of the files as they are now. It is under way until the page knows of
 * what it has begun, so that a second press cannot begin another one.
 */
export function useStartPipeline(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ input, key }: { input: api.PipelineInput; key: string }) => api.startPipeline(projectId, input, key),
    onError: (error) => notifyError('Start over', error),
    onSettled: () =>
      Promise.all(
        [keys.tasks(projectId), keys.runs(projectId), keys.stats(projectId)].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  });
}

export function useServePreview(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (serve: boolean): Promise<Preview> =>
      serve ? api.startPreview(projectId) : api.stopPreview(projectId),
    onSuccess: (preview) => client.setQueryData(keys.preview(projectId), preview),
    onError: (error, serve) => notifyError(serve ? 'Start the preview' : 'Stop the preview', error),
    onSettled: () => client.invalidateQueries({ queryKey: keys.preview(projectId) }),
  });
}
