DO $$
DECLARE
    what record;
BEGIN
    FOR what IN SELECT * FROM (VALUES ('tasks', 'execution_status'), ('runs', 'status')) AS t (subject, state_column) LOOP
        EXECUTE format($f$
            CREATE FUNCTION titan_count_%1$s_changed() RETURNS trigger LANGUAGE plpgsql AS $b$
            BEGIN
                INSERT INTO counter_deltas (project_id, subject, state, delta)
                SELECT project_id, %1$L, state, sum(d) FROM (
                    SELECT project_id, %2$I AS state, 1 AS d FROM added
                    UNION ALL SELECT project_id, %2$I, -1 FROM gone) AS moves
                GROUP BY project_id, state HAVING sum(d) <> 0;
                RETURN NULL;
            END $b$;
            CREATE TRIGGER %1$s_count_changed AFTER UPDATE ON %1$I REFERENCING NEW TABLE AS added OLD TABLE AS gone
                FOR EACH STATEMENT EXECUTE FUNCTION titan_count_%1$s_changed();
        $f$, what.subject, what.state_column);
    END LOOP;
END $$;
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
