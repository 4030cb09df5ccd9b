-- A task that failed may be given up: what waits for it can then be done without it, and its group can end.
CREATE OR REPLACE FUNCTION titan_task_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN was = becomes OR was IN ('completed', 'canceled') THEN false
                WHEN was = 'failed' THEN becomes = 'canceled'
                ELSE becomes IN ('queued', 'in_progress', 'paused', 'blocked', 'completed', 'failed', 'canceled') END
$$;

-- What somebody has read and approved stays what it was: migration 15 guards the words of a version and the charter, and this
-- what belongs to them. What a task waits for (`task_needs`) is no part of it: that is how things stand, and a later charter
-- may say it anew for a task that nobody has begun with. So who looks it up before it is locked looks once more afterwards.
CREATE FUNCTION titan_refuse_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: what was planned and decided does not change: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER charter_tasks_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON charter_tasks
    FOR EACH STATEMENT EXECUTE FUNCTION titan_refuse_decided();
CREATE TRIGGER charters_kept BEFORE TRUNCATE ON charters
    FOR EACH STATEMENT EXECUTE FUNCTION titan_refuse_decided();
CREATE TRIGGER plans_kept BEFORE DELETE OR TRUNCATE ON plans
    FOR EACH STATEMENT EXECUTE FUNCTION titan_refuse_decided();
CREATE TRIGGER plan_answers_kept BEFORE DELETE OR TRUNCATE ON plan_answers
    FOR EACH STATEMENT EXECUTE FUNCTION titan_refuse_decided();

CREATE FUNCTION titan_guard_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM plans p WHERE p.id = NEW.plan_id AND p.state <> 'draft')
       OR TG_OP = 'UPDATE' AND (OLD.plan_id, OLD.question) IS DISTINCT FROM (NEW.plan_id, NEW.question) THEN
        RAISE EXCEPTION 'plan_answers: a version that was decided takes no more answers, and an answer keeps its question'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER plan_answers_guard BEFORE INSERT OR UPDATE ON plan_answers
    FOR EACH ROW EXECUTE FUNCTION titan_guard_answer();
