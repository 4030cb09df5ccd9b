import { cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { type ReactNode, useState } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Intent, Proposal, Rollout } from '../../api/types';
import { anOutput } from '../../test/fixtures';
import {
  aFile,
  aMetric,
  anAnalysis,
  anAsk,
  aProposal,
  aRollout,
  aStage,
  COMMIT,
  later,
  stagesUpTo,
  TREE,
} from '../../test/proposals';
import { type Call, fakeServer, json, renderPage } from '../../test/render';
import { DiffView } from './diff/DiffView';
import { EffectsView } from './EffectsView';
import { GatesView } from './gates/GatesView';
import { ProposalHeader } from './ProposalHeader';
import { Question } from './Question';
import { RolloutView } from './rollout/RolloutView';

const README = `diff --git a/README.md b/README.md
--- a/README.md
+++ b/README.md
@@ -1 +1 @@
-old
+new
`;
const PAGE = `diff --git a/docs/a.md b/docs/a.md
new file mode 100644
--- /dev/null
+++ b/docs/a.md
@@ -0,0 +1,3 @@
+a page
+of three
+lines
`;

async function show(
  view: ReactNode,
  routes: Record<string, (call: Call) => Response | Promise<Response>> = {},
  { diff = README + PAGE, effects = [] as Intent[] } = {},
) {
  const server = fakeServer({
    ...routes,
    'GET /api/ops/proposals/p7/effects': () => json({ items: effects }),
    'GET /api/ops/proposals/p7/patches': () =>
      json({
        items: [
          { path: 'README.md', content: '# My Project\n' },
          { path: 'docs/old.md', delete: true },
        ],
      }),
    'GET /api/runs/r7/artifacts': () =>
      json({
        items: [anOutput({ id: 'u1', name: 'Changes', kind: 'code', media_type: 'text/x-diff; charset=utf-8' })],
      }),
    'GET /api/artifacts/u1/content': () => new Response(diff),
    'GET /api/setup': () => json({ items: [], worker_running: true, default_provider: 'openai' }),
  });
  vi.stubGlobal('fetch', server.fetch);
  const page = await renderPage(view);
  const sent = (route: string) =>
    server.calls.filter((call) => `${call.method} ${call.url}`.startsWith(route)).map((call) => call.body);
  return { ...page, sent };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

const asking = (over: Partial<Proposal> = {}) =>
  aProposal({
    state: 'waiting_for_approval',
    stages: stagesUpTo('canary', { status: 'running', waiting_on: 'approval' }),
    asks: anAsk(),
    rollout: aRollout({ state: 'approval' }),
    ...over,
  });

const refusal = (detail: string) =>
  json({ title: 'Its state does not allow this', detail, code: 'conflict', status: 409 }, 409);

describe('the question', () => {
  it('is answered about exactly what was shown, with a comment', async () => {
    const { sent } = await show(<Question proposal={asking()} />, {
      'POST /api/ops/proposals/p7/approve': () => json(asking({ asks: null })),
    });
    const panel = await screen.findByTestId('question');
    expect(panel.textContent).toContain('production (local) to run it');
    await userEvent.click(within(panel).getByRole('button', { name: 'Promote' }));
    const dialog = await screen.findByRole('dialog', { name: 'Promote “Update README”' });
    expect(dialog.textContent).toContain('Commit 0123abcd4567 is merged into main as pull request 12 and goes to');
    await userEvent.type(within(dialog).getByLabelText('Comment'), ' Looks good ');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Promote' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(sent('POST')).toEqual([{ subject: COMMIT, comment: 'Looks good' }]);
  });

  it('is rejected with what that does, and a refusal of the server is shown', async () => {
    const { sent } = await show(<Question proposal={asking()} />, {
      'POST /api/ops/proposals/p7/reject': () => refusal('It is feedfeed by now; read it again and decide about that.'),
    });
    await userEvent.click(await screen.findByRole('button', { name: 'Reject' }));
    const dialog = await screen.findByRole('dialog', { name: 'Reject “Update README”' });
    expect(dialog.textContent).toContain('Pull request 12 is closed');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Reject' }));
    await waitFor(() => expect(within(dialog).getByRole('alert').textContent).toContain('by now; read it again'));
    expect(sent('POST')).toEqual([{ subject: COMMIT }]);
  });

  it('is approved before there is a pull request, and promoted after it', async () => {
    const asks = anAsk({ gate: 'pull_request', subject: TREE, question: 'its risk is high' });
    await show(<Question proposal={asking({ stages: stagesUpTo('diff'), asks, rollout: null })} />);
    await screen.findByRole('button', { name: 'Approve' });
    expect(screen.queryByRole('button', { name: 'Promote' })).toBeNull();
  });

  it('is none any more once the proposal is taken back, nor once it was decided', async () => {
    await show(<Question proposal={asking({ state: 'rolling_back' })} />);
    expect(screen.queryByTestId('question')).toBeNull();
    cleanup();
    const decision = {
      subject: COMMIT,
      decision: 'approved',
      decided_by: 'local',
      comment: null,
      created_at: later(9),
    };
    await show(<Question proposal={asking({ decision: decision as Proposal['decision'] })} />);
    expect((await screen.findByTestId('question')).textContent).toContain('It was decided.');
    expect(screen.queryByRole('button', { name: 'Promote' })).toBeNull();
  });

  it('is not approved by who proposed it', async () => {
    await show(<Question proposal={asking({ author: 'local' })} />);
    expect((await screen.findByRole<HTMLButtonElement>('button', { name: 'Promote' })).disabled).toBe(true);
    expect(screen.getByTestId('question').textContent).toContain('You proposed this');
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Reject' }).disabled).toBe(false);
  });
});

describe('the differences', () => {
  const tested = aProposal({ stages: stagesUpTo('test') });
  const tick = (path: string) => screen.findByRole<HTMLInputElement>('checkbox', { name: `Viewed: ${path}` });

  it('stand file by file, with what the rules say about each', async () => {
    await show(<DiffView proposal={tested} />);
    const [readme, page] = await screen.findAllByTestId('diff-file');
    expect(readme?.textContent).toContain('Allowedby README.md');
    expect(readme?.textContent).toContain('may be changed: ALLOWED_PATHS has');
    expect(readme?.querySelector('[data-line="added"]')?.textContent).toBe('+new\n');
    expect(page?.querySelector('[data-line="added"]')?.textContent).toBe('+a page\n');
    expect(page?.textContent).toContain('3 lines added');
  });

  it('are ticked when viewed, and the tick of a file that changes is gone', async () => {
    await show(<DiffView proposal={tested} />);
    for (const path of ['README.md', 'docs/a.md']) await userEvent.click(await tick(path));
    expect(screen.getByTestId('diff-summary').textContent).toContain('2 of 2 viewed');
    // What was viewed is folded.
    expect(screen.queryByTestId('patch')).toBeNull();
    cleanup();
    await show(<DiffView proposal={tested} />, {}, { diff: README.replace('+new', '+newer') + PAGE });
    expect((await tick('README.md')).checked).toBe(false);
    expect((await tick('docs/a.md')).checked).toBe(true);
    expect(screen.getByTestId('diff-summary').textContent).toContain('1 of 2 viewed');
  });

  it('stand beside each other for who likes that better, the next time too', async () => {
    await show(<DiffView proposal={tested} />);
    await userEvent.click(await screen.findByRole('radio', { name: 'Split' }));
    const split = () => screen.findAllByTestId('split-patch');
    const [readme] = await split();
    const cells = [...(readme?.querySelectorAll('tbody td') ?? [])].map((cell) => cell.textContent);
    expect(cells).toEqual(['@@ -1 +1 @@', '1', '-old', '1', '+new']);
    expect(screen.queryByTestId('patch')).toBeNull();
    cleanup();
    await show(<DiffView proposal={tested} />);
    expect(await split()).toHaveLength(2);
    await userEvent.click(screen.getByRole('radio', { name: 'Unified' }));
    expect(screen.queryByTestId('split-patch')).toBeNull();
  });

  it('can leave out white space, but not for the next time', async () => {
    const diff = README.replace('-old', '-a b').replace('+new', '+a  b') + PAGE;
    await show(<DiffView proposal={tested} />, {}, { diff });
    const space = await screen.findByRole<HTMLInputElement>('switch', { name: 'Ignore white space' });
    const [readme] = screen.getAllByTestId('diff-file');
    expect(readme?.querySelector('[data-line="removed"]')?.textContent).toBe('-a b\n');
    await userEvent.click(space);
    expect(readme?.textContent).toContain('Nothing but white space differs');
    expect(screen.getAllByTestId('patch')).toHaveLength(1);
    // A tick is for all of the differences.
    await userEvent.click(await tick('README.md'));
    await userEvent.click(space);
    expect((await tick('README.md')).checked).toBe(true);
    cleanup();
    await show(<DiffView proposal={tested} />, {}, { diff });
    expect((await screen.findByRole<HTMLInputElement>('switch', { name: 'Ignore white space' })).checked).toBe(false);
  });

  it('are folded with their number of lines when they are large', async () => {
    const [diff, ...rest] = stagesUpTo('test');
    const files = [aFile('docs/a.md', { additions: 1234, deletions: 0 })];
    const stages = [{ ...diff, evidence: { ...(diff?.evidence as object), files } }, ...rest] as Proposal['stages'];
    const long = PAGE.replace('+a page\n', '+a page\n'.repeat(1232));
    await show(<DiffView proposal={aProposal({ stages })} />, {}, { diff: long });
    expect((await screen.findByTestId('large')).textContent).toContain('It is large: 1,234 changed lines.');
    expect(screen.queryByTestId('patch')).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Show them' }));
    expect(screen.getByTestId('patch').textContent).toContain('+a page');
    expect(screen.queryByTestId('large')).toBeNull();
    // Not lost with the button.
    expect(document.activeElement?.textContent).toBe('docs/a.md');
    await userEvent.click(await tick('docs/a.md'));
    expect(screen.queryByTestId('patch')).toBeNull();
    expect(screen.queryByTestId('large')).toBeNull();
  });

  it('are gone through by keys, and by an index that marks what is protected', async () => {
    const [diff, ...rest] = stagesUpTo('test');
    const fenced = { verdict: 'protected', pattern: 'migrations/**', reason: 'a migration changes data for good' };
    const files = [
      aFile('README.md'),
      aFile('migrations/1.sql', { ...fenced, additions: 0 }),
      aFile('docs/a.md', { additions: 3, deletions: 0 }),
    ];
    const stages = [{ ...diff, evidence: { ...(diff?.evidence as object), files } }, ...rest] as Proposal['stages'];
    const removed = README.replaceAll('README.md', 'migrations/1.sql').replace('+new\n', '');
    await show(<DiffView proposal={aProposal({ stages })} />, {}, { diff: README + removed + PAGE });
    await tick('README.md');
    const focused = () => document.activeElement?.textContent;
    for (const [key, file] of [
      ['j', 'README.md'],
      ['j', 'migrations/1.sql'],
      ['j', 'docs/a.md'],
      ['j', 'docs/a.md'],
      ['k', 'migrations/1.sql'],
    ] as const) {
      await userEvent.keyboard(key);
      expect(focused()).toBe(file);
    }
    await userEvent.keyboard('k{Enter}');
    expect(document.activeElement?.getAttribute('aria-expanded')).toBe('false');
    // The tick takes no letters.
    await userEvent.click(await tick('docs/a.md'));
    await userEvent.keyboard('k');
    expect(focused()).toBe('migrations/1.sql');

    const index = screen.getByTestId('file-index');
    const entry = (name: RegExp) => within(index).getByRole('button', { name });
    expect(entry(/^1\.sql/).dataset.verdict).toBe('protected');
    expect(entry(/^1\.sql/).textContent).toContain('Protected');
    expect(entry(/^a\.md/).textContent).toContain('viewed');
    await userEvent.click(entry(/^README\.md/));
    expect(focused()).toBe('README.md');
  });

  it('cannot be ticked where they are cut off', async () => {
    const [diff, ...rest] = stagesUpTo('test');
    const cut = { ...diff, evidence: { ...(diff?.evidence as object), truncated: true } };
    await show(
      <DiffView proposal={aProposal({ stages: [cut, ...rest] as Proposal['stages'] })} />,
      {},
      { diff: README },
    );
    const [readme, page] = await screen.findAllByTestId('diff-file');
    expect(readme?.textContent).toContain('It is not complete');
    expect(page?.textContent).toContain('It is not shown: the differences end before it.');
    expect(screen.queryByRole('checkbox')).toBeNull();
    expect(screen.queryByTestId('mismatch')).toBeNull();
    expect(screen.getByTestId('diff-truncated').textContent).toContain('titan/ops/p7');
  });

  it('say it loudly when they are not what was counted, and cannot be ticked then', async () => {
    const forged = README.replace('+new', '+new\n+evil') + PAGE;
    await show(<DiffView proposal={tested} />, {}, { diff: forged + README.replaceAll('README.md', 'src/evil.rs') });
    const alert = await screen.findByTestId('mismatch');
    for (const words of ['What is shown here is not the change', 'README.md', 'src/evil.rs'])
      expect(alert.textContent).toContain(words);
    expect(screen.getByTestId('fault').textContent).toContain('it has 2 added lines and 1 removed line, and');
    expect(screen.queryByRole('checkbox', { name: 'Viewed: README.md' })).toBeNull();
    await tick('docs/a.md');
  });

  it('stay as one reads them while a stage that was done again has new ones', async () => {
    const [diff, ...rest] = stagesUpTo('test');
    const files = [aFile('README.md', { additions: 2 }), aFile('docs/a.md', { additions: 3, deletions: 0 })];
    const evidence = { ...(diff?.evidence as object), run: 'r8', files };
    const again = aProposal({ stages: [{ ...diff, evidence }, ...rest] as Proposal['stages'] });
    function Twice() {
      const [proposal, setProposal] = useState(tested);
      return (
        <>
          <button type="button" onClick={() => setProposal(again)}>
            Again
          </button>
          <DiffView proposal={proposal} />
        </>
      );
    }
    let answer: (response: Response) => void = () => undefined;
    const output = anOutput({ id: 'u2', name: 'Changes', kind: 'code', media_type: 'text/x-diff; charset=utf-8' });
    await show(<Twice />, {
      'GET /api/runs/r8/artifacts': () => json({ items: [output] }),
      'GET /api/artifacts/u2/content': () => new Promise((resolve) => (answer = resolve)),
    });
    await userEvent.click(await tick('docs/a.md'));
    await userEvent.click(screen.getByRole('switch', { name: 'Ignore white space' }));
    const [readme] = screen.getAllByTestId('diff-file');
    await userEvent.click(screen.getByRole('button', { name: 'Again' }));
    expect(readme?.isConnected).toBe(true);
    expect(readme?.textContent).toContain('+new');
    expect(screen.queryByTestId('mismatch')).toBeNull();
    await waitFor(() => {
      answer(new Response(README.replace('+new', '+newer\n+newest') + PAGE));
      expect(readme?.textContent).toContain('+newest');
    });
    expect(readme?.isConnected).toBe(true);
    expect(screen.queryByTestId('mismatch')).toBeNull();
    expect(screen.getByRole<HTMLInputElement>('switch', { name: 'Ignore white space' }).checked).toBe(true);
    expect((await tick('docs/a.md')).checked).toBe(true);
  });

  it('are, before the first stage has ended, the patches as they came', async () => {
    await show(<DiffView proposal={aProposal()} />);
    const [whole, deleted] = await screen.findAllByTestId('proposed-patch');
    expect(whole?.textContent).toContain('# My Project');
    expect(deleted?.textContent).toContain('docs/old.md is deleted');
  });
});

describe('the gates', () => {
  it('show what each stage found', async () => {
    await show(<GatesView proposal={aProposal({ stages: stagesUpTo('promote') })} />);
    const gates = await screen.findAllByTestId('gate');
    const texts = Object.fromEntries(gates.map((gate) => [gate.dataset.gate, gate.textContent ?? '']));
    expect(texts.diff).toContain('medium; docs/a.md: documentation');
    expect(texts.patch).toContain('titan/ops/p7');
    expect(texts.test).toContain('cargo test --locked 1 min 1 s');
    expect(texts.test).toContain('12 passed');
    expect(texts.test).toContain('All is well');
    expect(texts.canary).toContain('2 of 2 metrics found');
    expect(texts.promote).toContain('local');
    expect(screen.getByRole('link', { name: '12' }).getAttribute('href')).toBe('https://forge.example/pulls/12');
  });

  it('say why one failed, or what it waits for, and follow no address but of the web', async () => {
    const evil = aStage('pull request', {
      status: 'completed',
      evidence: { number: 12, page: 'javascript:alert(1)', commit: COMMIT },
    });
    const stages = [
      aStage('test', { status: 'failed', error: 'the check "ci" failed', attempt: 2, started_at: later(1) }),
      aStage('promote', { status: 'running', waiting_on: 'approval', waiting_reason: 'it is to be merged' }),
      evil,
      aStage('something new', { status: 'completed', evidence: { answer: 42 } }),
    ];
    await show(<GatesView proposal={aProposal({ stages })} />);
    const gates = await screen.findAllByTestId('gate');
    expect(gates[0]?.textContent).toContain('The check "ci" failed');
    expect(gates[0]?.textContent).toContain('attempt 2');
    expect(gates[1]?.textContent).toContain('It is to be merged');
    expect(screen.queryByRole('link', { name: '12' })).toBeNull();
    expect(gates[3]?.textContent).toContain('answer42');
  });
});

describe('the rollout', () => {
  const measured = (phase: string, over: Partial<Rollout> = {}) =>
    aRollout({
      analysis: anAnalysis(
        phase,
        'error-rate: worse',
        aMetric('error-rate', { phase, reason: 'canary 0.5, threshold < 0.05', failed: 2, no_data: 1 }),
        aMetric('latency-p95', { required: false, measurements: [] }),
      ) as Rollout['analysis'],
      ...over,
    });
  const button = (name: string) => screen.getByRole<HTMLButtonElement>('button', { name });

  it('shows each metric with both sides, its samples, its trend and its verdict', async () => {
    await show(<RolloutView proposal={asking({ rollout: measured('failure', { state: 'rolling_back' }) })} />);
    const [row, other] = await screen.findAllByTestId('metric-row');
    for (const words of [
      'error-rate',
      '0.012',
      '0.5',
      '7 of 5',
      '1 without data',
      'Failure',
      'success <= 0.05',
      'threshold < 0.05',
    ])
      expect(row?.textContent).toContain(words);
    expect(
      within(row as HTMLElement)
        .getByRole('img')
        .getAttribute('aria-label'),
    ).toBe('2 samples: canary from 0.011 to 0.5, baseline from 0.01 to 0.012');
    expect(other?.textContent).toContain('not required');
    expect(screen.getByTestId('verdict').textContent).toMatch(/^Failure: .*Error-rate: worse\.$/);
  });

  it('waits, when the analysis found nothing out, with Promote and Roll back', async () => {
    const rollout = measured('inconclusive', { state: 'paused', reason: 'the analysis is inconclusive' });
    const { sent } = await show(<RolloutView proposal={asking({ rollout, asks: anAsk({ gate: 'canary' }) })} />, {
      'POST /api/ops/proposals/p7/resume': () => json(asking()),
      'POST /api/ops/proposals/p7/rollback': () => json({ task_id: 't9', run_id: null, replayed: false }),
    });
    await screen.findByTestId('verdict');
    expect([button('Promote').disabled, button('Roll back').disabled]).toEqual([false, false]);
    expect(button('Pause').disabled).toBe(true);
    await userEvent.click(button('Resume'));
    const resume = await screen.findByRole('dialog', { name: 'Resume “Update README”' });
    expect(resume.textContent).toContain('measured anew');
    await userEvent.click(within(resume).getByRole('button', { name: 'Resume' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await userEvent.click(button('Roll back'));
    const back = await screen.findByRole('dialog', { name: 'Roll back “Update README”' });
    await userEvent.type(within(back).getByLabelText('Reason'), 'too slow');
    await userEvent.click(within(back).getByRole('button', { name: 'Roll back' }));
    await waitFor(() => expect(sent('POST /api/ops/proposals/p7/rollback')).toEqual([{ reason: 'too slow' }]));
    expect(sent('POST /api/ops/proposals/p7/resume')).toHaveLength(1);
  });

  it('says that who proposed it does not promote it, and why a button rests', async () => {
    await show(<RolloutView proposal={asking({ author: 'local' })} />);
    await screen.findByText('You proposed this');
    expect(button('Promote').disabled).toBe(true);
    expect(button('Resume').title).toBe('It is not paused');
  });

  it('takes no orders while the server cannot be reached', async () => {
    const { hub } = await show(<RolloutView proposal={asking()} />);
    await screen.findByTestId('verdict');
    hub({ type: 'connection', connection: { kind: 'offline', since: 0, retryAt: 0 } });
    for (const name of ['Promote', 'Pause', 'Resume', 'Roll back'])
      await waitFor(() => expect(button(name).disabled, name).toBe(true));
  });
});

describe('what was done outside', () => {
  it('says of what has no receipt that nobody knows whether it was done', async () => {
    const effect = { run_id: 'r7', created_at: later(1) };
    const effects: Intent[] = [
      { ...effect, key: 'pull', what: { branch: 'titan/ops/p7' }, receipt: { number: 12 }, done_at: later(2) },
      { ...effect, key: `deploy:canary:${COMMIT}:r7`, what: { order: 'x' }, receipt: null, done_at: null },
    ];
    await show(<EffectsView proposal={aProposal()} />, {}, { effects });
    const rows = await screen.findAllByTestId('effect-row');
    expect(rows[0]?.textContent).toContain('Open the pull request');
    expect(rows[0]?.textContent).toContain('number12');
    expect(rows[1]?.textContent).toContain('Deploy 0123abcd4567 to canary');
    expect(rows[1]?.textContent).toContain('Not known whether it was done');
  });

  it('is nothing at first', async () => {
    await show(<EffectsView proposal={aProposal()} />);
    await screen.findByText('Nothing was done outside yet');
  });
});

describe('the head of a proposal', () => {
  it('leads to its run and its pull request, and says what was decided', async () => {
    const decision: Proposal['decision'] = {
      subject: COMMIT,
      decision: 'rejected',
      decided_by: 'local',
      comment: 'Not now',
      created_at: later(9),
    };
    await show(<ProposalHeader proposal={asking({ state: 'rejected', asks: null, decision })} />);
    const link = await screen.findByRole('link', { name: 'Pull request 12' });
    expect(link.getAttribute('href')).toBe('https://forge.example/pulls/12');
    expect(screen.getByRole('link', { name: /^Run / }).getAttribute('href')).toBe('/runs/r7');
    expect(screen.getByTestId('decision').textContent).toContain('Rejected by local');
    expect(screen.getByTestId('decision').textContent).toContain('Not now');
    expect(screen.getByText('for “Update README”')).toBeTruthy();
  });

  it('says why it was taken back, and leads to what is left to do', async () => {
    const reason = 'local ordered it: the wording; pull request 13 is to be merged: https://forge.example/pulls/13';
    const rollout = aRollout({ state: 'rolled_back', reason, ended_at: later(9) });
    await show(<ProposalHeader proposal={aProposal({ state: 'rolled_back', rollout })} />);
    const said = await screen.findByTestId('proposal-reason');
    expect(said.textContent).toBe(`${reason.replace('local', 'Local')}.`);
    expect(within(said).getByRole('link').getAttribute('href')).toBe('https://forge.example/pulls/13');
  });

  describe('of what failed', () => {
    const failed = (over: Partial<Rollout>, stages = stagesUpTo('canary')) =>
      aProposal({ state: 'failed', reason: 'The canary failed.', stages, rollout: aRollout(over) });

    it('says whether it was undone', async () => {
      for (const [state, words] of [
        ['canary', 'It is rolled back within some seconds.'],
        ['rolling_back', 'It is being rolled back.'],
        ['rolled_back', 'It was rolled back: production (local) is as it was.'],
      ] as const) {
        await show(<ProposalHeader proposal={failed({ state })} />);
        expect((await screen.findByTestId('after-failure')).textContent, state).toBe(words);
        cleanup();
      }
    });

    it('leads to what is left for a person to do', async () => {
      const page = 'https://forge.example/pulls/13';
      const left = `pull request 13 takes 0123abcd4567 back and is to be merged by a person: ${page}`;
      const rollout = { state: 'rolled_back', run_id: 'r8', reason: `The canary failed; ${left}` } as const;
      await show(<ProposalHeader proposal={failed(rollout)} />);
      const said = await screen.findByTestId('after-failure');
      expect(said.textContent).toBe(`It was rolled back: production (local) is as it was; ${left}.`);
      expect(within(said).getByRole('link').getAttribute('href')).toBe(page);
    });

    it('promises nothing about what was promoted, nor about what a run before has rolled out', async () => {
      const before = { run_id: 'r1', began_at: later(1) };
      for (const over of [
        { state: 'promoted', ended_at: later(30) },
        { ...before, state: 'promoted', ended_at: later(2) },
        { ...before, state: 'rolled_back', ended_at: later(2) },
      ] as Partial<Rollout>[]) {
        await show(<ProposalHeader proposal={failed(over)} />);
        expect((await screen.findByTestId('proposal-error')).textContent).toBe('It failed. The canary failed.');
        cleanup();
      }
      await show(<ProposalHeader proposal={failed({ ...before, state: 'rolled_back' }, stagesUpTo('patch'))} />);
      await screen.findByTestId('proposal-error');
      expect(screen.queryByTestId('after-failure')).toBeNull();
    });

    it('has its addresses as links', async () => {
      const reason = 'the forge refuses it, see https://forge.example/1 and https://forge.example/1';
      await show(<ProposalHeader proposal={aProposal({ state: 'failed', reason })} />);
      const alert = await screen.findByTestId('proposal-error');
      expect(within(alert).getAllByRole('link')).toHaveLength(2);
    });
  });

  it('names the reason and the runbook when a rollback has failed', async () => {
    const rollout = aRollout({ state: 'rollback_failed', reason: 'production does not answer', ended_at: later(9) });
    await show(<ProposalHeader proposal={aProposal({ state: 'rollback_failed', rollout })} />);
    const alert = await screen.findByTestId('proposal-error');
    expect(alert.textContent).toContain('Production does not answer');
    expect(alert.textContent).toContain('docs/OPS.md');
  });
});
