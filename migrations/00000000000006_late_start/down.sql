DROP TRIGGER runs_guard ON runs;
DROP TRIGGER steps_guard ON steps;
DROP TRIGGER tasks_guard ON tasks;
DROP FUNCTION titan_refuse_run(), titan_refuse_step(), titan_refuse_task();
ALTER TABLE steps DROP COLUMN epoch;
INSERT INTO blob_chunks (sha256, chunk, data) SELECT sha256, 0, data FROM blobs WHERE data IS NOT NULL;
ALTER TABLE blobs DROP COLUMN data;

CREATE OR REPLACE FUNCTION titan_run_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (was, becomes) IN (('queued', 'running'), ('queued', 'canceled'), ('queued', 'failed'),
                              ('running', 'completed'), ('running', 'failed'), ('running', 'canceled'))
$$;
CREATE OR REPLACE FUNCTION titan_step_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (was, becomes) IN (('pending', 'ready'), ('pending', 'skipped'), ('pending', 'canceled'),
                              ('ready', 'running'), ('ready', 'skipped'), ('ready', 'canceled'), ('ready', 'failed'),
                              ('running', 'completed'), ('running', 'failed'), ('running', 'canceled'))
$$;
CREATE OR REPLACE FUNCTION titan_task_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
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
