-- The queue at full strength: queues that can be paused, limits per key, fairness between projects, jobs without a run,
-- dead letters, liveness at two speeds, and one leader for maintenance.

CREATE TABLE queues (
    name          text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_.-]{0,62}$'),
    paused_at     timestamptz,
    paused_reason text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
INSERT INTO queues (name) VALUES ('default'), ('maintenance');

-- How many jobs with one key may be admitted (ready or running) at once, and how many per period. A job with a limit key
-- waits outside the ready index until it is admitted. There is no count to go wrong: the admitted rows are counted while
-- the limit's row is locked. The rate is a generic cell rate algorithm (GCRA): `next_at` is the theoretical arrival time.
CREATE TABLE limits (
    key            text PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 200),
    max_running    integer CHECK (max_running BETWEEN 1 AND 100000),
    rate_count     integer CHECK (rate_count BETWEEN 1 AND 1000000),
    rate_period_ms bigint CHECK (rate_period_ms BETWEEN 1 AND 86400000),
    next_at        timestamptz NOT NULL DEFAULT '-infinity',
    -- When the rate lets the next waiting job in; null while none waits for that.
    wake_at        timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CHECK ((rate_count IS NULL) = (rate_period_ms IS NULL)),
    CHECK (max_running IS NOT NULL OR rate_count IS NOT NULL)
) WITH (fillfactor = 50);
CREATE INDEX limits_to_wake ON limits (wake_at) WHERE wake_at IS NOT NULL;

ALTER TABLE tasks
    ADD COLUMN queue     text NOT NULL DEFAULT 'default',
    ADD COLUMN limit_key text,
    -- The first run does not begin before this.
    ADD COLUMN run_at    timestamptz;

ALTER TABLE jobs
    -- The virtual start time of start-time fair queueing: within a priority, the order in which projects take turns.
    ADD COLUMN start_tag   bigint NOT NULL DEFAULT 0,
    ADD COLUMN limit_key   text,
    -- The arguments of a job without a run; a step's are its task's.
    ADD COLUMN payload     jsonb,
    -- It was there when several workers died. It is claimed alone, so that the next death says whether it was the cause.
    ADD COLUMN suspect     boolean NOT NULL DEFAULT false,
    ADD COLUMN lone_losses smallint NOT NULL DEFAULT 0,
    ADD CONSTRAINT jobs_payload_without_run CHECK (payload IS NULL OR run_id IS NULL),
    ADD CONSTRAINT jobs_waiting_for_a_limit CHECK (state <> 'waiting' OR limit_key IS NOT NULL);

DROP INDEX jobs_ready;
-- The claim's own order. Whatever the claim filters on besides is rare.
CREATE INDEX jobs_ready ON jobs (queue, priority DESC, start_tag, id) WHERE state = 'ready' AND NOT suspect;
CREATE INDEX jobs_suspect ON jobs (queue, id) WHERE state = 'ready' AND suspect;
CREATE INDEX jobs_waiting ON jobs (limit_key, priority DESC, start_tag, id) WHERE state = 'waiting';
CREATE INDEX jobs_admitted ON jobs (limit_key) WHERE limit_key IS NOT NULL AND state IN ('ready', 'running');

ALTER TABLE workers
    ADD COLUMN queues   text[] NOT NULL DEFAULT '{}',
    -- The session advisory lock that it holds while it lives; null without a direct connection.
    ADD COLUMN lock_key bigint,
    -- What it counted since it started, for the metrics.
    ADD COLUMN stats    jsonb NOT NULL DEFAULT '{}';

-- Who does maintenance. Each of its transactions locks this row and checks the term, so that a leader that was replaced
-- without knowing writes nothing more.
CREATE TABLE leaders (
    role       text PRIMARY KEY,
    holder     uuid NOT NULL,
    term       bigint NOT NULL,
    taken_at   timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- What failed for good, with all that is needed to try it again.
CREATE TABLE dead_letters (
    job_id      bigint PRIMARY KEY,
    kind        text NOT NULL,
    queue       text NOT NULL,
    priority    smallint NOT NULL,
    limit_key   text,
    key         text,
    payload     jsonb,
    max_attempts smallint NOT NULL,
    timeout_ms  bigint NOT NULL,
    project_id  uuid,
    task_id     uuid,
    run_id      uuid,
    step        smallint,
    attempt     smallint NOT NULL,
    rescues     smallint NOT NULL,
    error       text NOT NULL,
    created_at  timestamptz NOT NULL,
    failed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Tried again: since when, and as which job or run.
    redriven_at timestamptz,
    redriven_as text
);
CREATE INDEX dead_letters_open ON dead_letters (job_id DESC) WHERE redriven_at IS NULL;
CREATE INDEX dead_letters_by_age ON dead_letters (failed_at);

-- How many jobs ended, by minute: appended once per flush, folded by maintenance.
CREATE TABLE job_tallies (
    minute  timestamptz NOT NULL,
    queue   text NOT NULL,
    outcome text NOT NULL,
    n       bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX job_tallies_by_minute ON job_tallies (minute);

-- Three beats a second per worker: without this index they stay on the row's page.
DROP INDEX workers_by_heartbeat;

-- What the reconciler walks: only what has not ended.
CREATE INDEX runs_active ON runs (id) WHERE finished_at IS NULL;

-- Nobody but the engine moves a run or a task, and it counts what it moves; a trigger would copy each changed row twice.
DROP TRIGGER tasks_count_changed ON tasks;
DROP TRIGGER runs_count_changed ON runs;
DROP FUNCTION titan_count_tasks_changed(), titan_count_runs_changed();

CREATE INDEX job_history_by_end ON job_history (finished_at, id);

-- Days that are over and older than `keep` days go as a whole. Returns how many partitions were dropped.
CREATE FUNCTION titan_drop_history_partitions(keep integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    part record;
    gone integer := 0;
BEGIN
    FOR part IN
        SELECT c.relname, substring(c.relname FROM 'job_history_(\d{8})$') AS day
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'job_history'::regclass
    LOOP
        IF part.day IS NOT NULL AND to_date(part.day, 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date - keep THEN
            EXECUTE format('DROP TABLE %I', part.relname);
            gone := gone + 1;
        END IF;
    END LOOP;
    RETURN gone;
END $$;
