// The calls about changes to Titan's own code, one function each.
import { http, unwrap, unwrapPage } from './http';
import { abortable, page, type Signal } from './options';
import type { AuditEntry, DeployTarget, Proposal, Rollout } from './types';

export const listProposals = (cursor: string | null, signal?: Signal) =>
  unwrapPage<Proposal>(http.GET('/api/ops/proposals', { params: { query: page(cursor) }, ...abortable(signal) }));
export const getProposal = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/ops/proposals/{id}', { params: { path: { id } }, ...abortable(signal) }));
/** As they were proposed, word for word. */
export const getPatches = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/ops/proposals/{id}/patches', { params: { path: { id } }, ...abortable(signal) }));
export const listEffects = (id: string, signal?: Signal) =>
  unwrap(http.GET('/api/ops/proposals/{id}/effects', { params: { path: { id } }, ...abortable(signal) }));
/** The newest first, without their analyses. */
export const listRollouts = (limit: number, signal?: Signal) =>
  unwrapPage<Rollout>(http.GET('/api/ops/rollouts', { params: { query: { limit } }, ...abortable(signal) }));

export interface Targets {
  items: DeployTarget[];
  /** When that was so, by the server's clock, which its times are by: the one in front of the screen may be wrong. */
  at: number;
}

export async function listTargets(signal?: Signal): Promise<Targets> {
  const answer = await http.GET('/api/ops/targets', abortable(signal));
  const { items } = await unwrap(Promise.resolve(answer));
  const at = Date.parse(answer.response.headers.get('date') ?? '');
  return { items, at: Number.isNaN(at) ? Date.now() : at };
}

export const listOpsCalls = (cursor: string | null, signal?: Signal) =>
  unwrapPage<AuditEntry>(http.GET('/api/ops/audit', { params: { query: page(cursor) }, ...abortable(signal) }));

export interface OpsDecision {
  verdict: 'approve' | 'reject';
  /** What was shown: the server refuses a decision about anything else. */
  subject: string;
  comment: string;
}

const said = (name: string, text: string) => (text.trim() === '' ? {} : { [name]: text.trim() });

export function decideProposal(id: string, { verdict, subject, comment }: OpsDecision): Promise<Proposal> {
  const options = { params: { path: { id } }, body: { subject, ...said('comment', comment) } };
  if (verdict === 'approve') return unwrap(http.POST('/api/ops/proposals/{id}/approve', options));
  return unwrap(http.POST('/api/ops/proposals/{id}/reject', options));
}
export const pauseProposal = (id: string) =>
  unwrap(http.POST('/api/ops/proposals/{id}/pause', { params: { path: { id } } }));
export const resumeProposal = (id: string) =>
  unwrap(http.POST('/api/ops/proposals/{id}/resume', { params: { path: { id } } }));
export const rollBackProposal = (id: string, reason: string) =>
  unwrap(http.POST('/api/ops/proposals/{id}/rollback', { params: { path: { id } }, body: said('reason', reason) }));
