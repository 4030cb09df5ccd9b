-- A foreign key locks the row that it points to. When two transactions at once add tasks to one project, Postgres writes down who
-- they are, again and again. Projects are hidden and never removed, and the engine looks whether a project is there.
ALTER TABLE tasks DROP CONSTRAINT tasks_project_id_fkey;
