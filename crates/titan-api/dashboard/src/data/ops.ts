// Changes to Titan's own code: how they stand, and what a person can do about them.
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { artifactUrl } from '../api/calls';
import { ApiError } from '../api/errors';
import { timedFetch } from '../api/http';
import * as api from '../api/opsCalls';
import type { Output, Page, Proposal } from '../api/types';
import { notifyDone } from '../lib/notify';
import { steadily, untilHealed } from './healing';
import { keys } from './keys';

/** While samples are taken nothing else tells of them. */
const LIVE_REFRESH_MS = 3000;
/** What a worker has last seen of production changes without a hint. */
const TARGETS_REFRESH_MS = 10_000;
/** Enough to find the newest rollout of each target among them. */
const NEWEST_ROLLOUTS = 20;

const paging = {
  initialPageParam: null as string | null,
  getNextPageParam: (last: Page<unknown>) => last.next_cursor,
};

export const proposalsQuery = () =>
  infiniteQueryOptions({
    queryKey: keys.proposals,
    queryFn: ({ pageParam, signal }) => api.listProposals(pageParam, signal),
    ...paging,
  });

/** It is being tried out, brought to production, or taken back. */
const isRollingOut = (proposal: Proposal | undefined) =>
  ['canary', 'promoting', 'rolling_back'].includes(proposal?.rollout?.state ?? '');

export const proposalQuery = (id: string) =>
  queryOptions({
    queryKey: keys.proposal(id),
    queryFn: ({ signal }) => api.getProposal(id, signal),
    refetchInterval: (query) =>
      isRollingOut(query.state.data) ? steadily(query, LIVE_REFRESH_MS) : untilHealed(query),
  });

/** What was proposed never changes. */
export const patchesQuery = (id: string) =>
  queryOptions({
    queryKey: ['proposed', id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => api.getPatches(id, signal),
  });

/** With the proposal, since each stage may have done something outside. */
export const effectsQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.proposal(id), 'effects'],
    queryFn: ({ signal }) => api.listEffects(id, signal),
  });

export const rolloutsQuery = () =>
  queryOptions({
    queryKey: keys.rollouts,
    queryFn: async ({ signal }) => (await api.listRollouts(NEWEST_ROLLOUTS, signal)).items,
  });

export const targetsQuery = () =>
  queryOptions({
    queryKey: keys.targets,
    queryFn: ({ signal }) => api.listTargets(signal),
    refetchInterval: (query) => steadily(query, TARGETS_REFRESH_MS),
  });

export const opsCallsQuery = () =>
  infiniteQueryOptions({
    queryKey: [...keys.ops, 'calls'],
    queryFn: ({ pageParam, signal }) => api.listOpsCalls(pageParam, signal),
    ...paging,
  });

/** The text of an output, which never changes any more. */
export const outputTextQuery = (output: Output) =>
  queryOptions({
    queryKey: ['output-text', output.id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }): Promise<string> => {
      const response = await timedFetch(artifactUrl(output.id), { signal });
      if (!response.ok) throw await ApiError.fromResponse(response);
      return response.text();
    },
  });

/** Whatever the server says, what is shown may be out of date by now. */
function useChange<In, Out>(act: (input: In) => Promise<Out>, done: (out: Out, input: In) => string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (out, input) => notifyDone(done(out, input)),
    onSettled: () => client.invalidateQueries({ queryKey: keys.ops }),
  });
}

export const useDecideProposal = (id: string) =>
  useChange(
    (decision: api.OpsDecision) => api.decideProposal(id, decision),
    (_, { verdict }) => (verdict === 'approve' ? 'Approved' : 'Rejected'),
  );

export const usePauseProposal = (id: string) =>
  useChange(
    (pause: boolean) => (pause ? api.pauseProposal(id) : api.resumeProposal(id)),
    (_, pause) => (pause ? 'Paused' : 'Resumed'),
  );

export const useRollBackProposal = (id: string) =>
  useChange(
    (reason: string) => api.rollBackProposal(id, reason),
    (ordered) => (ordered.replayed ? 'The rollback is under way already' : 'The rollback was ordered'),
  );
