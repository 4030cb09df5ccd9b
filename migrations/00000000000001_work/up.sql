-- Projects, their tasks, the runs that execute them, the steps of a run and what happened in it.
-- Each rule about states stands here a second time (the first is titan-core/src/state), so that no client gets round it.

CREATE TABLE projects (
    id           uuid PRIMARY KEY,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    type         text NOT NULL CHECK (length(type) BETWEEN 1 AND 100),
    template_ref text,
    spec         jsonb NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    deleted_at   timestamptz
);

CREATE TABLE tasks (
    id               uuid PRIMARY KEY,
    project_id       uuid NOT NULL REFERENCES projects (id),
    parent_task_id   uuid REFERENCES tasks (id),
    type             text NOT NULL,
    title            text NOT NULL,
    payload          jsonb NOT NULL DEFAULT '{}',
    execution_type   text NOT NULL CHECK (execution_type IN ('manual', 'semi_automated', 'fully_automated')),
    execution_status text NOT NULL CHECK (execution_status IN
                     ('pending', 'queued', 'in_progress', 'paused', 'blocked', 'completed', 'failed', 'canceled')),
    assigned_to_type text CHECK (assigned_to_type IN ('user', 'agent', 'workflow')),
    assigned_to_id   text,
    priority         smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
    ai_confidence    double precision CHECK (ai_confidence BETWEEN 0 AND 1),
    ai_context       jsonb,
    blocked_reason   text,
    failure_reason   text,
    retry_count      integer NOT NULL DEFAULT 0,
    max_retries      integer NOT NULL DEFAULT 3 CHECK (max_retries BETWEEN 0 AND 10),
    reopen_count     integer NOT NULL DEFAULT 0,
    latest_run_id    uuid,
    created_at       timestamptz NOT NULL DEFAULT now(),
    started_at       timestamptz,
    completed_at     timestamptz,
    CHECK ((completed_at IS NOT NULL) = (execution_status IN ('completed', 'failed', 'canceled')))
) WITH (fillfactor = 80);
CREATE INDEX tasks_of_project ON tasks (project_id, id DESC);
CREATE INDEX tasks_of_project_by_status ON tasks (project_id, execution_status, id DESC);
CREATE INDEX tasks_of_parent ON tasks (parent_task_id) WHERE parent_task_id IS NOT NULL;

CREATE TABLE runs (
    id                  uuid PRIMARY KEY,
    task_id             uuid NOT NULL REFERENCES tasks (id),
    project_id          uuid NOT NULL,
    parent_run_id       uuid REFERENCES runs (id),
    retry_of            uuid REFERENCES runs (id),
    workflow            text NOT NULL,
    workflow_hash       text NOT NULL,
    status              text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'completed', 'failed', 'canceled')),
    stage               text NOT NULL DEFAULT 'intake' CHECK (stage IN ('intake', 'processing', 'review', 'done')),
    paused_at           timestamptz,
    cancel_requested_at timestamptz,
    last_seq            bigint NOT NULL DEFAULT 0,
    input_tokens        bigint NOT NULL DEFAULT 0,
    output_tokens       bigint NOT NULL DEFAULT 0,
    cost_micros         bigint,
    trace_id            text NOT NULL,
    error               text,
    created_at          timestamptz NOT NULL DEFAULT now(),
    started_at          timestamptz,
    finished_at         timestamptz,
    CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'canceled')))
) WITH (fillfactor = 60);
CREATE INDEX runs_of_project ON runs (project_id, id DESC);
CREATE INDEX runs_of_task ON runs (task_id, id DESC);
CREATE INDEX runs_to_cancel ON runs (cancel_requested_at)
    WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL;

CREATE TABLE steps (
    run_id         uuid NOT NULL REFERENCES runs (id),
    seq            smallint NOT NULL,
    name           text NOT NULL,
    iteration      integer NOT NULL DEFAULT 0,
    kind           text NOT NULL,
    status         text NOT NULL CHECK (status IN
                   ('pending', 'ready', 'running', 'completed', 'failed', 'skipped', 'canceled')),
    needs          smallint[] NOT NULL DEFAULT '{}',
    -- How many of `needs` are not finished yet; the step becomes ready when the last one is.
    waits_for      smallint NOT NULL DEFAULT 0 CHECK (waits_for >= 0),
    waiting_on     text CHECK (waiting_on IN ('approval', 'input', 'timer', 'child', 'event')),
    waiting_since  timestamptz,
    waiting_until  timestamptz,
    waiting_reason text,
    -- How often a worker began it, rescues included: what streamed deltas carry.
    attempt        integer NOT NULL DEFAULT 0,
    max_attempts   smallint NOT NULL,
    timeout_ms     bigint NOT NULL,
    worker         text,
    output         jsonb,
    error          text,
    started_at     timestamptz,
    heartbeat_at   timestamptz,
    finished_at    timestamptz,
    PRIMARY KEY (run_id, seq),
    CONSTRAINT steps_memo_key UNIQUE (run_id, name, iteration),
    CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'skipped', 'canceled'))),
    CHECK ((waiting_on IS NULL) = (waiting_since IS NULL))
) WITH (fillfactor = 60);

-- Append-only. A row with a level and a message is a log line too; deltas and the like have neither.
CREATE TABLE run_events (
    run_id     uuid NOT NULL,
    seq        bigint NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    project_id uuid NOT NULL,
    task_id    uuid NOT NULL,
    step       smallint,
    kind       text NOT NULL,
    level      text CHECK (level IN ('debug', 'info', 'warn', 'error')),
    message    text,
    data       jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (run_id, seq),
    CHECK ((level IS NULL) = (message IS NULL))
);
CREATE INDEX run_events_logs_of_project ON run_events (project_id, at, run_id, seq) WHERE level IS NOT NULL;

CREATE FUNCTION titan_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'run_events is append-only: % is refused', TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER run_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON run_events
    FOR EACH STATEMENT EXECUTE FUNCTION titan_refuse();

CREATE FUNCTION titan_run_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (was, becomes) IN (('queued', 'running'), ('queued', 'canceled'), ('queued', 'failed'),
                              ('running', 'completed'), ('running', 'failed'), ('running', 'canceled'))
$$;
CREATE FUNCTION titan_stage_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_position(ARRAY['intake', 'processing', 'review', 'done'], becomes)
         > array_position(ARRAY['intake', 'processing', 'review', 'done'], was)
$$;
CREATE FUNCTION titan_step_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (was, becomes) IN (('pending', 'ready'), ('pending', 'skipped'), ('pending', 'canceled'),
                              ('ready', 'running'), ('ready', 'skipped'), ('ready', 'canceled'), ('ready', 'failed'),
                              ('running', 'completed'), ('running', 'failed'), ('running', 'canceled'))
$$;
CREATE FUNCTION titan_task_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (was, becomes) IN (
        ('pending', 'queued'), ('pending', 'in_progress'), ('pending', 'blocked'), ('pending', 'canceled'),
        ('queued', 'in_progress'), ('queued', 'failed'), ('queued', 'canceled'),
        ('in_progress', 'completed'), ('in_progress', 'failed'), ('in_progress', 'paused'), ('in_progress', 'blocked'),
        ('in_progress', 'queued'), ('in_progress', 'canceled'),
        ('paused', 'queued'), ('paused', 'in_progress'), ('paused', 'completed'), ('paused', 'failed'), ('paused', 'canceled'),
        ('blocked', 'queued'), ('blocked', 'in_progress'), ('blocked', 'failed'), ('blocked', 'canceled'))
$$;

CREATE FUNCTION titan_guard_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND NOT titan_run_edge(OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'run %: % -> % is not allowed', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.stage <> OLD.stage AND NOT titan_stage_edge(OLD.stage, NEW.stage) THEN
        RAISE EXCEPTION 'run %: stage % -> % is not allowed', OLD.id, OLD.stage, NEW.stage USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.last_seq < OLD.last_seq THEN
        RAISE EXCEPTION 'run %: the event sequence cannot go back', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER runs_guard BEFORE UPDATE ON runs FOR EACH ROW
    WHEN (OLD.status <> NEW.status OR OLD.stage <> NEW.stage OR NEW.last_seq < OLD.last_seq)
    EXECUTE FUNCTION titan_guard_run();

CREATE FUNCTION titan_guard_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT titan_step_edge(OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'step % of run %: % -> % is not allowed', OLD.seq, OLD.run_id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER steps_guard BEFORE UPDATE ON steps FOR EACH ROW
    WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION titan_guard_step();

-- A final task leaves its state only by the one explicit, counted command: reopen.
CREATE FUNCTION titan_guard_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.execution_status IN ('completed', 'failed') AND NEW.execution_status = 'queued'
       AND NEW.reopen_count = OLD.reopen_count + 1 THEN
        RETURN NEW;
    END IF;
    IF NOT titan_task_edge(OLD.execution_status, NEW.execution_status) THEN
        RAISE EXCEPTION 'task %: % -> % is not allowed', OLD.id, OLD.execution_status, NEW.execution_status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tasks_guard BEFORE UPDATE ON tasks FOR EACH ROW
    WHEN (OLD.execution_status <> NEW.execution_status) EXECUTE FUNCTION titan_guard_task();
