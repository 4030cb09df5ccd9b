UPDATE bench_jobs SET state = 1
    WHERE id = (SELECT id FROM bench_jobs WHERE state = 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id \gset
UPDATE bench_jobs SET state = 2, done_at = now() WHERE id = :id;
