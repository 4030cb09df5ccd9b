-- Bringing a change of Titan's own code to where it runs: a canary, an approval, the merge, production; or all of it back.

CREATE TABLE ops_rollouts (
    id           uuid PRIMARY KEY,
    task_id      uuid NOT NULL REFERENCES ops_proposals (task_id) ON DELETE CASCADE,
    -- The run that moves it now: the proposal's, or that of its rollback. Nobody else writes here.
    run_id       uuid NOT NULL REFERENCES runs (id),
    target       text NOT NULL CHECK (length(target) BETWEEN 1 AND 100),
    state        text NOT NULL CHECK (state IN
                     ('canary', 'paused', 'approval', 'promoting', 'promoted', 'rolling_back', 'rolled_back', 'rollback_failed')),
    -- Why it is in this state, for people.
    reason       text CHECK (length(reason) <= 4000),
    -- The commit that is tried out, and the one that production ran when it began.
    commit_id    text NOT NULL,
    last_good    text NOT NULL,
    -- The commit that it became on the base branch; null until it was merged.
    merged_as    text,
    pull_number  bigint NOT NULL,
    -- The state of the analysis after its last sample.
    analysis     jsonb,
    -- A person wants it to stand still.
    paused_by    text CHECK (length(paused_by) <= 200),
    began_at     timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    -- Whatever a person has ordered last; a step that has waited since before looks again.
    ordered_at   timestamptz,
    ended_at     timestamptz,
    CHECK ((ended_at IS NOT NULL) = (state IN ('promoted', 'rolled_back', 'rollback_failed')))
);
-- One at a time for each target.
CREATE UNIQUE INDEX ops_rollouts_active ON ops_rollouts (target) WHERE ended_at IS NULL;
CREATE INDEX ops_rollouts_of_task ON ops_rollouts (task_id, began_at DESC);
CREATE INDEX ops_rollouts_of_run ON ops_rollouts (run_id);

-- What production answered when it was last asked.
CREATE TABLE ops_targets (
    name      text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
    commit_id text CHECK (length(commit_id) <= 100),
    ready     boolean NOT NULL,
    reason    text CHECK (length(reason) <= 1000),
    seen_at   timestamptz NOT NULL DEFAULT now()
);
