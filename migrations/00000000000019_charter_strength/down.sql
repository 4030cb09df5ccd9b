CREATE OR REPLACE FUNCTION titan_task_edge(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN was = becomes OR was IN ('completed', 'failed', 'canceled') THEN false
                ELSE becomes IN ('queued', 'in_progress', 'paused', 'blocked', 'completed', 'failed', 'canceled') END
$$;
