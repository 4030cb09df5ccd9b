DROP TABLE run_events, steps, runs, tasks, projects;
DROP FUNCTION titan_refuse, titan_guard_run, titan_guard_step, titan_guard_task,
    titan_run_edge, titan_stage_edge, titan_step_edge, titan_task_edge;
