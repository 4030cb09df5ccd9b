UPDATE steps SET waiting_on = 'timer' WHERE waiting_on = 'budget';
DROP INDEX steps_waiting_for_budget;
ALTER TABLE steps DROP CONSTRAINT steps_waiting_on_check;
ALTER TABLE steps ADD CONSTRAINT steps_waiting_on_check
    CHECK (waiting_on IN ('approval', 'input', 'timer', 'child', 'event'));
DROP TABLE budgets;
ALTER TABLE runs DROP COLUMN open_calls;
DROP TABLE model_calls;
