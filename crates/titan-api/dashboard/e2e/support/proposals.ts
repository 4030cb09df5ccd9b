// Changes to Titan's own code, for browser tests: proposed with the token over HTTP. Where no worker of the stack has a repository a
// proposal stays queued, and what its stages would write is put into the database.
import { randomUUID } from 'node:crypto';
import type { Proposal } from '../../src/api/types';
import { settings } from './settings';
import { sql } from './sql';

const TIMEOUT_MS = 20_000;
export const COMMIT = '0123abcd4567'.padEnd(40, '0');
export const LAST_GOOD = '89ab89ab89ab'.padEnd(40, '0');

/** The user's own call. */
const README = {
  description: 'Says **how** it is deployed.',
  patches: [{ path: 'README.md', content: '# My Project\n\n## Deployment\n\n...\n' }],
};

export async function propose(title: string, more: object = {}): Promise<Proposal> {
  const response = await fetch(`${settings.baseUrl}/api/ops/propose`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'X-OPS-TOKEN': settings.opsToken,
      'Idempotency-Key': randomUUID(),
    },
    body: JSON.stringify({ title, ...README, ...more }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the proposal was answered with ${response.status}: ${text}`);
  return JSON.parse(text) as Proposal;
}

interface Seed {
  state: string;
  analysis?: object;
  reason?: string;
}

const OVER = ['promoted', 'rolled_back', 'rollback_failed'];

/** The rollout of a proposal as its run would write it down; there is one for each. */
export async function seedRollout(proposal: Proposal, { state, analysis, reason }: Seed): Promise<void> {
  if (proposal.run_id === null) throw new Error('the proposal has no run');
  await sql(
    `DELETE FROM ops_rollouts WHERE task_id = :'task'::uuid;
     INSERT INTO ops_rollouts (id, task_id, run_id, target, state, reason, commit_id, last_good, pull_number, analysis, ended_at)
     VALUES (:'id'::uuid, :'task'::uuid, :'run'::uuid, 'local', :'state', :'reason', :'commit', :'good', 12,
       NULLIF(:'analysis', '')::jsonb, CASE WHEN :'over' = 'yes' THEN now() END);`,
    {
      id: randomUUID(),
      task: proposal.id,
      run: proposal.run_id,
      state,
      reason: reason ?? `it is ${state}`,
      commit: COMMIT,
      good: LAST_GOOD,
      analysis: analysis === undefined ? '' : JSON.stringify(analysis),
      over: OVER.includes(state) ? 'yes' : 'no',
    },
  );
}

/** A stage that has ended with what it found. */
export const seedStage = (proposal: Proposal, name: string, found: object) =>
  sql(
    `UPDATE steps SET status = 'completed', output = :'found'::jsonb, attempt = 1, waiting_on = NULL, waiting_since = NULL,
       waiting_reason = NULL, started_at = now() - interval '5 minutes', finished_at = now() - interval '1 minute'
     WHERE run_id = :'run'::uuid AND name = :'name';`,
    { run: proposal.run_id ?? '', name, found: JSON.stringify(found) },
  );

/** A stage that waits for a person's yes. */
export const seedQuestion = (proposal: Proposal, name: string, question: string) =>
  sql(
    `UPDATE steps SET status = 'running', attempt = 1, started_at = now() - interval '1 minute', waiting_on = 'approval',
       waiting_since = now(), waiting_reason = :'question' WHERE run_id = :'run'::uuid AND name = :'name';`,
    { run: proposal.run_id ?? '', name, question },
  );

/** The output "Changes" of its first stage. */
export const seedDiff = (proposal: Proposal, diff: string) =>
  sql(
    `INSERT INTO blobs (sha256, size, data)
       VALUES (sha256(convert_to(:'diff', 'UTF8')), octet_length(:'diff'), convert_to(:'diff', 'UTF8'))
       ON CONFLICT DO NOTHING;
     INSERT INTO outputs (id, project_id, task_id, run_id, name, kind, media_type, size, sha256, preview)
       VALUES (:'id'::uuid, :'project'::uuid, :'task'::uuid, :'run'::uuid, 'Changes', 'code', 'text/x-diff; charset=utf-8',
         octet_length(:'diff'), sha256(convert_to(:'diff', 'UTF8')), :'diff');`,
    { id: randomUUID(), project: proposal.project_id, task: proposal.id, run: proposal.run_id ?? '', diff },
  );

/** What production answered. */
export const seedTarget = () =>
  sql(
    `INSERT INTO ops_targets (name, commit_id, ready) VALUES ('local', :'good', true)
       ON CONFLICT (name) DO UPDATE SET seen_at = now();`,
    { good: LAST_GOOD },
  );

/** No page has a banner of ours any more, nor a line of production. */
export const forgetRollouts = () => sql('DELETE FROM ops_rollouts; DELETE FROM ops_targets;');

/** Whatever a test before has left behind: nothing was ever proposed. */
export const forgetProposals = () =>
  sql('DELETE FROM ops_rollouts; DELETE FROM ops_targets; DELETE FROM ops_proposals;');
