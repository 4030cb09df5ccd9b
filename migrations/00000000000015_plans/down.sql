DROP TABLE task_needs, charter_tasks, charters, plan_answers, plans;
DROP FUNCTION titan_refuse_plan(), titan_refuse_charter();
ALTER TABLE tasks DROP COLUMN linked;
ALTER TABLE runs DROP COLUMN linked;
