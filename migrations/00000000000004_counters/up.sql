-- Counters per project: appended deltas, folded later, never one row that all runs of a project update.
-- The deltas come from statement triggers: one aggregated insert per statement, and no code path can forget them.

CREATE TABLE counters (
    project_id uuid NOT NULL,
    subject    text NOT NULL,
    state      text NOT NULL,
    value      bigint NOT NULL,
    PRIMARY KEY (project_id, subject, state)
);
CREATE TABLE counter_deltas (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id uuid NOT NULL,
    subject    text NOT NULL,
    state      text NOT NULL,
    delta      bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX counter_deltas_of_project ON counter_deltas (project_id);

DO $$
DECLARE
    what record;
BEGIN
    FOR what IN SELECT * FROM (VALUES ('tasks', 'execution_status'), ('runs', 'status'), ('outputs', 'review'), ('memories', 'scope'))
                AS t (subject, state_column) LOOP
        EXECUTE format($f$
            CREATE FUNCTION titan_count_%1$s_added() RETURNS trigger LANGUAGE plpgsql AS $b$
            BEGIN
                INSERT INTO counter_deltas (project_id, subject, state, delta)
                SELECT project_id, %1$L, %2$I, count(*) FROM added GROUP BY project_id, %2$I;
                RETURN NULL;
            END $b$;
            CREATE FUNCTION titan_count_%1$s_changed() RETURNS trigger LANGUAGE plpgsql AS $b$
            BEGIN
                INSERT INTO counter_deltas (project_id, subject, state, delta)
                SELECT project_id, %1$L, state, sum(d) FROM (
                    SELECT project_id, %2$I AS state, 1 AS d FROM added
                    UNION ALL SELECT project_id, %2$I, -1 FROM gone) AS moves
                GROUP BY project_id, state HAVING sum(d) <> 0;
                RETURN NULL;
            END $b$;
            CREATE FUNCTION titan_count_%1$s_gone() RETURNS trigger LANGUAGE plpgsql AS $b$
            BEGIN
                INSERT INTO counter_deltas (project_id, subject, state, delta)
                SELECT project_id, %1$L, %2$I, -count(*) FROM gone GROUP BY project_id, %2$I;
                RETURN NULL;
            END $b$;
            CREATE TRIGGER %1$s_count_added AFTER INSERT ON %1$I REFERENCING NEW TABLE AS added
                FOR EACH STATEMENT EXECUTE FUNCTION titan_count_%1$s_added();
            CREATE TRIGGER %1$s_count_changed AFTER UPDATE ON %1$I REFERENCING NEW TABLE AS added OLD TABLE AS gone
                FOR EACH STATEMENT EXECUTE FUNCTION titan_count_%1$s_changed();
            CREATE TRIGGER %1$s_count_gone AFTER DELETE ON %1$I REFERENCING OLD TABLE AS gone
                FOR EACH STATEMENT EXECUTE FUNCTION titan_count_%1$s_gone();
        $f$, what.subject, what.state_column);
    END LOOP;
END $$;
