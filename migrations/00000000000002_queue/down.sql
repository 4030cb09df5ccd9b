DROP TABLE idempotency_keys, workers, job_history, jobs;
DROP FUNCTION titan_ensure_history_partitions;
