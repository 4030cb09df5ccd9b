INSERT INTO bench_jobs (payload) VALUES ('{"n": 1}');
