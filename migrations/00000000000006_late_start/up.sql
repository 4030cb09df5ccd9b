-- A step that ends as fast as it began is written once: its start is written down with the first word that its worker says.
-- So a row may move on by several edges of the state machine in one update, and never by none, or back.

-- The claim under which the step was begun last. Another claim's first word begins it anew.
ALTER TABLE steps ADD COLUMN epoch bigint;
-- What is under way was begun by the claim that holds it.
UPDATE steps s SET epoch = j.epoch FROM jobs j
    WHERE j.run_id = s.run_id AND j.step = s.seq AND j.state = 'running' AND s.status = 'running';

-- A small blob stands in its own row, a large one in chunks. An API of an older version does not find the small ones: it is replaced
-- before the workers are.
ALTER TABLE blobs ADD COLUMN data bytea CHECK (length(data) <= 8192);

CREATE OR REPLACE FUNCTION titan_run_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE was WHEN 'queued' THEN becomes IN ('running', 'completed', 'failed', 'canceled')
                    WHEN 'running' THEN becomes IN ('completed', 'failed', 'canceled')
                    ELSE false END
$$;
CREATE OR REPLACE FUNCTION titan_step_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE was WHEN 'pending' THEN becomes IN ('ready', 'running', 'completed', 'failed', 'skipped', 'canceled')
                    WHEN 'ready' THEN becomes IN ('running', 'completed', 'failed', 'skipped', 'canceled')
                    WHEN 'running' THEN becomes IN ('completed', 'failed', 'canceled')
                    ELSE false END
$$;
CREATE OR REPLACE FUNCTION titan_task_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN was = becomes OR was IN ('completed', 'failed', 'canceled') THEN false
                ELSE becomes IN ('queued', 'in_progress', 'paused', 'blocked', 'completed', 'failed', 'canceled') END
$$;

-- The check is a condition of the trigger, which is planned once per statement; a function per row would be called for each.
DROP TRIGGER runs_guard ON runs;
DROP TRIGGER steps_guard ON steps;
DROP TRIGGER tasks_guard ON tasks;
DROP FUNCTION titan_guard_run(), titan_guard_step(), titan_guard_task();

CREATE FUNCTION titan_refuse_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last_seq < OLD.last_seq THEN
        RAISE EXCEPTION 'run %: the event sequence cannot go back', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = OLD.status OR titan_run_edge(OLD.status, NEW.status) THEN
        RAISE EXCEPTION 'run %: stage % -> % is not allowed', OLD.id, OLD.stage, NEW.stage USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'run %: % -> % is not allowed', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER runs_guard BEFORE UPDATE ON runs FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND NOT titan_run_edge(OLD.status, NEW.status)
          OR OLD.stage <> NEW.stage AND NOT titan_stage_edge(OLD.stage, NEW.stage)
          OR NEW.last_seq < OLD.last_seq)
    EXECUTE FUNCTION titan_refuse_run();

CREATE FUNCTION titan_refuse_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'step % of run %: % -> % is not allowed', OLD.seq, OLD.run_id, OLD.status, NEW.status
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER steps_guard BEFORE UPDATE ON steps FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND NOT titan_step_edge(OLD.status, NEW.status))
    EXECUTE FUNCTION titan_refuse_step();

-- A final task leaves its state only by the one explicit, counted command: reopen.
CREATE FUNCTION titan_refuse_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'task %: % -> % is not allowed', OLD.id, OLD.execution_status, NEW.execution_status
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER tasks_guard BEFORE UPDATE ON tasks FOR EACH ROW
    WHEN (OLD.execution_status <> NEW.execution_status
          AND NOT titan_task_edge(OLD.execution_status, NEW.execution_status)
          AND NOT (OLD.execution_status IN ('completed', 'failed') AND NEW.execution_status = 'queued'
                   AND NEW.reopen_count = OLD.reopen_count + 1))
    EXECUTE FUNCTION titan_refuse_task();
