-- Changes to Titan's own code.

-- A proposal is a task of the type 'ops', and its state is that of the task's latest run; here is what was proposed, which never changes.
CREATE TABLE ops_proposals (
    task_id     uuid PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    -- 'token', 'local', 'agent:...': who proposed it and so does not approve it.
    author      text NOT NULL CHECK (length(author) BETWEEN 1 AND 200),
    description text NOT NULL CHECK (length(description) <= 20000),
    -- The heading under "Now" in TASKS.md that it belongs to.
    now_item    text CHECK (length(now_item) BETWEEN 1 AND 300),
    -- The commit that its patches are for; null for whatever the branch stands at when they are applied.
    base_commit text CHECK (base_commit ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    -- The patches as JSON.
    patches     bytea NOT NULL REFERENCES blobs (sha256),
    paths       text[] NOT NULL CHECK (cardinality(paths) BETWEEN 1 AND 200),
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ops_proposals_patches ON ops_proposals (patches);

-- What a person decided about a proposal, once for each commit that it came to.
CREATE TABLE ops_decisions (
    task_id     uuid NOT NULL REFERENCES ops_proposals (task_id) ON DELETE CASCADE,
    -- The commit that they were shown.
    commit_id   text NOT NULL CHECK (commit_id ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'),
    decision    text NOT NULL CHECK (decision IN ('approved', 'rejected')),
    decided_by  text NOT NULL CHECK (length(decided_by) BETWEEN 1 AND 200),
    comment     text CHECK (length(comment) <= 4000),
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (task_id, commit_id)
);

-- What is about to be done outside, written down before it is done; and what came of it. One that has no receipt may or may not have
-- been done: the outside is looked at before it is repeated.
CREATE TABLE ops_intents (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id    uuid NOT NULL REFERENCES ops_proposals (task_id) ON DELETE CASCADE,
    run_id     uuid NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    -- Tells the effects of a proposal apart: 'commit:<tree>', 'pull', 'merge:<head>', ...
    key        text NOT NULL CHECK (length(key) BETWEEN 1 AND 300),
    what       jsonb NOT NULL,
    receipt    jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz,
    UNIQUE (task_id, key),
    CHECK ((receipt IS NULL) = (done_at IS NULL))
);
CREATE INDEX ops_intents_of_run ON ops_intents (run_id);

-- Every call of /api/ops: a row when it comes, before anything is done, and one with the answer.
CREATE TABLE ops_audit (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The row of the call, in that of its answer.
    call_id     bigint REFERENCES ops_audit (id),
    request_id  uuid NOT NULL,
    -- Null: nobody who is known.
    actor       text CHECK (length(actor) BETWEEN 1 AND 200),
    method      text NOT NULL CHECK (length(method) BETWEEN 1 AND 20),
    path        text NOT NULL CHECK (length(path) BETWEEN 1 AND 500),
    peer        text CHECK (length(peer) <= 100),
    status      smallint,
    code        text CHECK (length(code) <= 100),
    at          timestamptz NOT NULL DEFAULT now(),
    CHECK ((call_id IS NULL) = (status IS NULL))
);
CREATE UNIQUE INDEX ops_audit_answers ON ops_audit (call_id) WHERE call_id IS NOT NULL;

CREATE FUNCTION refuse_change_of_ops_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ops_audit is only ever added to' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER ops_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ops_audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_ops_audit();
