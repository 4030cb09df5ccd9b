WITH claimed AS (UPDATE bench_jobs SET state = 1 WHERE id = ANY (ARRAY(
    SELECT id FROM bench_jobs WHERE state = 0 ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED)) RETURNING id)
SELECT coalesce(array_agg(id), '{}') AS ids FROM claimed \gset
DELETE FROM bench_jobs WHERE id = ANY (:ids::bigint[]);
