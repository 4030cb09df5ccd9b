DROP FUNCTION titan_drop_history_partitions(integer);
DROP INDEX job_history_by_end, runs_active;
CREATE INDEX workers_by_heartbeat ON workers (heartbeat_at);
DROP TABLE job_tallies, dead_letters, leaders;
ALTER TABLE workers DROP COLUMN queues, DROP COLUMN lock_key, DROP COLUMN stats;
DROP INDEX jobs_ready, jobs_suspect, jobs_waiting, jobs_admitted;
ALTER TABLE jobs
    DROP CONSTRAINT jobs_payload_without_run, DROP CONSTRAINT jobs_waiting_for_a_limit,
    DROP COLUMN start_tag, DROP COLUMN limit_key, DROP COLUMN payload, DROP COLUMN suspect, DROP COLUMN lone_losses;
CREATE INDEX jobs_ready ON jobs (priority DESC, id) WHERE state = 'ready';
ALTER TABLE tasks DROP COLUMN queue, DROP COLUMN limit_key, DROP COLUMN run_at;
DROP TABLE limits, queues;
