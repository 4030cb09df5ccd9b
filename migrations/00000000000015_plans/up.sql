-- What a wish becomes: plans in versions, the charter that a person made of one of them, and which tasks wait for which.

CREATE TABLE plans (
    id         uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    number     integer NOT NULL CHECK (number >= 1),
    -- Who wrote it: `provider:model`.
    author     text NOT NULL CHECK (length(author) BETWEEN 1 AND 500),
    wish       text NOT NULL CHECK (length(wish) BETWEEN 1 AND 20000),
    -- Checked by titan-core/src/plans before it is written.
    content    jsonb NOT NULL CHECK (jsonb_typeof(content) = 'object'),
    state      text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'refused', 'approved')),
    -- Why it was refused.
    reason     text CHECK (length(reason) BETWEEN 1 AND 2000),
    run_id     uuid NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz,
    UNIQUE (project_id, number),
    CHECK ((decided_at IS NULL) = (state = 'draft')),
    CHECK (reason IS NULL OR state = 'refused')
);

CREATE TABLE plan_answers (
    plan_id     uuid NOT NULL REFERENCES plans (id),
    question    text NOT NULL CHECK (length(question) BETWEEN 1 AND 40),
    kind        text NOT NULL CHECK (kind IN ('text', 'choice', 'decide')),
    answer      text CHECK (length(answer) BETWEEN 1 AND 4000),
    answered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (plan_id, question),
    CHECK ((answer IS NULL) = (kind = 'decide'))
);

CREATE TABLE charters (
    id         uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    number     integer NOT NULL CHECK (number >= 1),
    -- Its words are those of the plan, which do not change.
    plan_id    uuid NOT NULL UNIQUE REFERENCES plans (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, number)
);

-- What became of each task of the plan: a new one, or one that an earlier charter had made.
CREATE TABLE charter_tasks (
    charter_id uuid NOT NULL REFERENCES charters (id),
    item       text NOT NULL CHECK (length(item) BETWEEN 1 AND 40),
    task_id    uuid NOT NULL REFERENCES tasks (id),
    PRIMARY KEY (charter_id, item)
);
CREATE INDEX charter_tasks_of_task ON charter_tasks (task_id);

-- Written with the tasks and never changed: who wants to lock what hangs on a task may look it up before.
CREATE TABLE task_needs (
    task_id  uuid NOT NULL REFERENCES tasks (id),
    needs_id uuid NOT NULL REFERENCES tasks (id),
    PRIMARY KEY (task_id, needs_id),
    CHECK (task_id <> needs_id)
);
CREATE INDEX task_needs_of_needed ON task_needs (needs_id);

-- Others may hang on it: a group that it belongs to, or tasks that wait for it. The engine looks for these only then.
ALTER TABLE tasks ADD COLUMN linked boolean NOT NULL DEFAULT false;
ALTER TABLE runs ADD COLUMN linked boolean NOT NULL DEFAULT false;

-- What somebody has read and approved stays what it was.
CREATE FUNCTION titan_refuse_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'version % of the plan: its words stay what they are, and a decision is for good', OLD.number
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER plans_guard BEFORE UPDATE ON plans FOR EACH ROW
    WHEN (OLD.state <> 'draft' OR (OLD.id, OLD.project_id, OLD.number, OLD.author, OLD.wish, OLD.content, OLD.run_id)
          IS DISTINCT FROM (NEW.id, NEW.project_id, NEW.number, NEW.author, NEW.wish, NEW.content, NEW.run_id))
    EXECUTE FUNCTION titan_refuse_plan();

CREATE FUNCTION titan_refuse_charter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a charter does not change: % is refused', TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER charters_guard BEFORE UPDATE OR DELETE ON charters
    FOR EACH STATEMENT EXECUTE FUNCTION titan_refuse_charter();
