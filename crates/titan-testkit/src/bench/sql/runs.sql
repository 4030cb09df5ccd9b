-- A past: $COUNT runs that were completed, in ten projects, half of them in the first. Every ninth has its steps, events,
-- output, messages and memory too. Ids sort by time, as real ones do.
CREATE FUNCTION pg_temp.id(what text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '7' || what || '8' || lpad(to_hex(n), 15, '0'))::uuid
$$;
CREATE TEMP TABLE past AS
    SELECT n, pg_temp.id('00a', n) AS task_id, pg_temp.id('00b', n) AS run_id,
        pg_temp.id('00c', CASE WHEN n % 2 = 0 THEN 0 ELSE n / 2 % 10 END) AS project_id,
        now() - interval '1 day' + n * interval '1 millisecond' AS at, n % 9 = 0 AS whole
    FROM generate_series(1, $COUNT) AS n;

INSERT INTO projects (id, name, type) SELECT pg_temp.id('00c', n), 'Project ' || n, 'web-app' FROM generate_series(0, 9) AS n;
INSERT INTO tasks (id, project_id, type, title, payload, execution_type, execution_status, latest_run_id, created_at, started_at, completed_at)
    SELECT task_id, project_id, 'chat', 'message ' || n, jsonb_build_object('content', 'message ' || n), 'fully_automated',
        'completed', run_id, at, at, at FROM past;
INSERT INTO runs (id, task_id, project_id, workflow, workflow_hash, status, stage, last_seq, trace_id, created_at, started_at, finished_at)
    SELECT run_id, task_id, project_id, 'chat', 'bench', 'completed', 'done', CASE WHEN whole THEN 10 ELSE 0 END,
        replace(run_id::text, '-', ''), at, at, at FROM past;
INSERT INTO steps (run_id, seq, name, kind, status, attempt, max_attempts, timeout_ms, started_at, finished_at)
    SELECT run_id, seq, name, name, 'completed', 1, 4, 60000, at, at
    FROM past, (VALUES (1, 'chat'), (2, 'remember')) AS s (seq, name) WHERE whole;
INSERT INTO run_events (run_id, seq, at, project_id, task_id, kind, level, message)
    SELECT run_id, seq, at, project_id, task_id, 'log', 'info', 'line ' || seq FROM past, generate_series(1, 10) AS seq WHERE whole;
INSERT INTO outputs (id, project_id, task_id, run_id, name, kind, media_type, size, uri, created_at)
    SELECT pg_temp.id('00d', n), project_id, task_id, run_id, 'answer', 'link', 'text/plain', 0, 'https://example.org', at FROM past WHERE whole;
INSERT INTO messages (id, project_id, task_id, run_id, role, content, created_at)
    SELECT pg_temp.id('00e', n), project_id, task_id, run_id, 'user', 'message ' || n, at FROM past WHERE whole;
INSERT INTO memories (id, project_id, scope, content, source_run_id, created_at)
    SELECT pg_temp.id('00f', n), project_id, 'project', 'memory ' || n, run_id, at FROM past WHERE whole;
