-- The files of a project: a git repository. Its commits travel as bundles in the blob store, and only its branches stand here.

-- One row for each project that has files. Locked by whoever publishes, so that bundles have one order.
CREATE TABLE workspaces (
    project_id uuid PRIMARY KEY,
    -- The number of the newest bundle.
    bundle     bigint NOT NULL DEFAULT 0
);

-- `main` is what the project has; `run/<id>` is what a run works on until it is merged.
CREATE TABLE workspace_branches (
    project_id uuid NOT NULL REFERENCES workspaces (project_id) ON DELETE CASCADE,
    name       text NOT NULL CHECK (name = 'main' OR name ~ '^run/[0-9a-f-]{36}$'),
    head       text NOT NULL CHECK (head ~ '^[0-9a-f]{40}$'),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, name)
);

-- What a bundle needs that it does not hold is in those before it. When there are many, one that holds all takes their place.
CREATE TABLE workspace_bundles (
    project_id uuid NOT NULL REFERENCES workspaces (project_id) ON DELETE CASCADE,
    number     bigint NOT NULL,
    sha256     bytea NOT NULL REFERENCES blobs (sha256),
    size       bigint NOT NULL CHECK (size >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, number)
);
CREATE INDEX workspace_bundles_of_blob ON workspace_bundles (sha256);
