-- The queue: one narrow hot table, its history by day, the workers, and the keys that make a request idempotent.

-- Only ready, scheduled, waiting and running jobs live here; payloads, results and errors stand beside, in steps.
-- No foreign key and no UUID key: a claim touches this table and nothing else.
CREATE TABLE jobs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL,
    queue        text NOT NULL DEFAULT 'default',
    state        text NOT NULL CHECK (state IN ('ready', 'scheduled', 'waiting', 'running')),
    priority     smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
    run_at       timestamptz NOT NULL DEFAULT now(),
    -- Raised by each claim. Every write of a handler is fenced by it.
    epoch        bigint NOT NULL DEFAULT 0,
    attempt      smallint NOT NULL DEFAULT 0,
    max_attempts smallint NOT NULL CHECK (max_attempts >= 1),
    rescues      smallint NOT NULL DEFAULT 0,
    worker_id    uuid,
    timeout_ms   bigint NOT NULL,
    deadline_at  timestamptz,
    project_id   uuid,
    run_id       uuid,
    step         smallint,
    key          text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'running') = (worker_id IS NOT NULL)),
    CHECK ((run_id IS NULL) = (step IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.2, autovacuum_analyze_threshold = 2000);
CREATE INDEX jobs_ready ON jobs (priority DESC, id) WHERE state = 'ready';
CREATE INDEX jobs_scheduled ON jobs (run_at, id) WHERE state = 'scheduled';
CREATE INDEX jobs_running ON jobs (worker_id, id) WHERE state = 'running';
CREATE INDEX jobs_of_run ON jobs (run_id) WHERE run_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_unique_while_active ON jobs (kind, key) WHERE key IS NOT NULL;

CREATE TABLE job_history (
    id          bigint NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind        text NOT NULL,
    queue       text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('completed', 'failed', 'canceled')),
    attempt     smallint NOT NULL,
    rescues     smallint NOT NULL,
    epoch       bigint NOT NULL,
    worker_id   uuid,
    project_id  uuid,
    run_id      uuid,
    step        smallint,
    created_at  timestamptz NOT NULL
) PARTITION BY RANGE (finished_at);

-- A row is never refused because maintenance was late: what has no partition of its day lands here.
CREATE TABLE job_history_default PARTITION OF job_history DEFAULT;

CREATE FUNCTION titan_ensure_history_partitions(days integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    made  integer := 0;
    part  text;
BEGIN
    FOR n IN 0..days LOOP
        part := 'job_history_' || to_char(today + n, 'YYYYMMDD');
        IF to_regclass(format('%I.%I', current_schema(), part)) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF job_history FOR VALUES FROM (%L) TO (%L)', part,
                    to_char(today + n, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(today + n + 1, 'YYYY-MM-DD') || ' 00:00:00+00');
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                -- Rows of this day came before its partition: they stay in the default one.
                NULL;
            END;
        END IF;
    END LOOP;
    RETURN made;
END $$;
SELECT titan_ensure_history_partitions(7);

CREATE TABLE workers (
    id           uuid PRIMARY KEY,
    name         text NOT NULL,
    host         text NOT NULL,
    pid          integer NOT NULL,
    version      text NOT NULL,
    kinds        text[] NOT NULL,
    slots        integer NOT NULL,
    running      integer NOT NULL DEFAULT 0,
    current_tasks uuid[] NOT NULL DEFAULT '{}',
    lease_ms     bigint NOT NULL,
    stopping     boolean NOT NULL DEFAULT false,
    started_at   timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    stopped_at   timestamptz
) WITH (fillfactor = 50);
CREATE INDEX workers_by_heartbeat ON workers (heartbeat_at);

CREATE TABLE idempotency_keys (
    scope            text NOT NULL,
    key_hash         bytea NOT NULL,
    body_fingerprint bytea NOT NULL,
    result           jsonb NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz NOT NULL,
    PRIMARY KEY (scope, key_hash)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
