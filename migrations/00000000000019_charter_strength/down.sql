DROP TRIGGER plan_answers_guard ON plan_answers;
DROP TRIGGER plan_answers_kept ON plan_answers;
DROP TRIGGER plans_kept ON plans;
DROP TRIGGER charters_kept ON charters;
DROP TRIGGER charter_tasks_guard ON charter_tasks;
DROP FUNCTION titan_guard_answer(), titan_refuse_decided();

CREATE OR REPLACE FUNCTION titan_task_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN was = becomes OR was IN ('completed', 'failed', 'canceled') THEN false
                ELSE becomes IN ('queued', 'in_progress', 'paused', 'blocked', 'completed', 'failed', 'canceled') END
$$;
