-- What pipelines bring about outside of their runs: the preview of a project, and its published versions.

CREATE TABLE previews (
    project_id  uuid PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    -- The run whose build it shows, and the commit that was built.
    run_id      uuid NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    commit_id   text NOT NULL,
    -- Counts what it was told to show; who serves an older one has to begin again.
    generation  bigint NOT NULL DEFAULT 1,
    -- False: it is to stop.
    wanted      boolean NOT NULL DEFAULT true,
    state       text NOT NULL CHECK (state IN ('starting', 'running', 'stopped', 'failed')),
    address     text,
    -- Taken again when it is free, so that links live on.
    port        integer,
    error       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX previews_run ON previews (run_id);

CREATE TABLE publications (
    id          uuid PRIMARY KEY,
    project_id  uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    -- A run publishes once.
    run_id      uuid NOT NULL UNIQUE REFERENCES runs (id) ON DELETE CASCADE,
    -- v1, v2, ...: the tag of the commit.
    number      integer NOT NULL,
    commit_id   text NOT NULL,
    address     text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, number)
);

-- What runs commands on this worker: 'bubblewrap', 'landlock', or why nothing does.
ALTER TABLE workers ADD COLUMN sandbox text;
