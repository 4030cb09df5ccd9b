-- Every call of a model, and what may be spent on them.

-- A call that costs is written down before it is made (`open`, with what it may cost at most) and settled with what it came to.
CREATE TABLE model_calls (
    id                   uuid NOT NULL,
    run_id               uuid NOT NULL,
    step                 smallint NOT NULL,
    attempt              integer NOT NULL,
    project_id           uuid NOT NULL,
    task_id              uuid NOT NULL,
    purpose              text NOT NULL,
    provider             text NOT NULL,
    model                text NOT NULL,
    -- 0 for the model that was wanted, more for those that were asked in its place.
    fallback             smallint NOT NULL DEFAULT 0,
    state                text NOT NULL CHECK (state IN ('open', 'answered', 'failed', 'canceled', 'lost')),
    error                text,
    input_tokens         bigint NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),
    cached_tokens        bigint NOT NULL DEFAULT 0 CHECK (cached_tokens >= 0),
    output_tokens        bigint NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
    estimated            boolean NOT NULL DEFAULT false,
    -- Millionths of a US dollar; null when the price of the model is not known.
    cost_micros          bigint CHECK (cost_micros >= 0),
    finish_reason        text,
    first_token_ms       integer,
    duration_ms          integer,
    reserved_tokens      bigint NOT NULL DEFAULT 0,
    reserved_cost_micros bigint NOT NULL DEFAULT 0,
    budget_ids           uuid[] NOT NULL DEFAULT '{}',
    created_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, id)
);
CREATE INDEX model_calls_open ON model_calls (run_id) WHERE state = 'open';
-- The offline model costs nothing and asks nobody: it is in no sum.
CREATE INDEX model_calls_of_project ON model_calls (project_id, created_at) WHERE provider <> 'offline';
-- Nearly free to keep, and enough to find what is old.
CREATE INDEX model_calls_by_age ON model_calls USING brin (created_at);
CREATE INDEX model_calls_of_provider ON model_calls (provider, created_at) WHERE provider <> 'offline';

ALTER TABLE runs ADD COLUMN open_calls smallint NOT NULL DEFAULT 0;

-- Only what has a limit has a row, so that nobody waits for a lock of something that is not limited.
CREATE TABLE budgets (
    id                   uuid PRIMARY KEY,
    scope                text NOT NULL CHECK (scope IN ('installation', 'project', 'task', 'run')),
    scope_id             uuid NOT NULL,
    period               text NOT NULL DEFAULT 'total' CHECK (period IN ('total', 'day', 'month')),
    period_start         timestamptz NOT NULL,
    limit_cost_micros    bigint CHECK (limit_cost_micros >= 0),
    limit_tokens         bigint CHECK (limit_tokens >= 0),
    limit_calls          bigint CHECK (limit_calls >= 0),
    spent_cost_micros    bigint NOT NULL DEFAULT 0 CHECK (spent_cost_micros >= 0),
    spent_tokens         bigint NOT NULL DEFAULT 0 CHECK (spent_tokens >= 0),
    spent_calls          bigint NOT NULL DEFAULT 0 CHECK (spent_calls >= 0),
    reserved_cost_micros bigint NOT NULL DEFAULT 0 CHECK (reserved_cost_micros >= 0),
    reserved_tokens      bigint NOT NULL DEFAULT 0 CHECK (reserved_tokens >= 0),
    reserved_calls       bigint NOT NULL DEFAULT 0 CHECK (reserved_calls >= 0),
    -- When a person set it last: who waits since before then is to look again.
    changed_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (scope, scope_id),
    -- The installation is one, and has no id.
    CHECK ((scope = 'installation') = (scope_id = '00000000-0000-0000-0000-000000000000'))
) WITH (fillfactor = 50);

ALTER TABLE steps DROP CONSTRAINT steps_waiting_on_check;
ALTER TABLE steps ADD CONSTRAINT steps_waiting_on_check
    CHECK (waiting_on IN ('approval', 'input', 'timer', 'child', 'event', 'budget'));
CREATE INDEX steps_waiting_for_budget ON steps (waiting_since) WHERE waiting_on = 'budget';
