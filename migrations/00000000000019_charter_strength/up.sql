-- A task that failed may be given up: what waits for it can then be done without it, and its group can end.
CREATE OR REPLACE FUNCTION titan_task_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN was = becomes OR was IN ('completed', 'canceled') THEN false
                WHEN was = 'failed' THEN becomes = 'canceled'
                ELSE becomes IN ('queued', 'in_progress', 'paused', 'blocked', 'completed', 'failed', 'canceled') END
$$;
