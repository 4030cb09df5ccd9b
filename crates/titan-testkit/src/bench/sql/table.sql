-- A narrow table of jobs, as small as one can be, for what Postgres itself can do.
DROP TABLE IF EXISTS bench_jobs;
CREATE TABLE bench_jobs (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payload jsonb NOT NULL,
    state   smallint NOT NULL DEFAULT 0,
    done_at timestamptz
);
CREATE INDEX bench_jobs_ready ON bench_jobs (id) WHERE state = 0;
