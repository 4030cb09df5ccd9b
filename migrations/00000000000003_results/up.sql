-- What work leaves behind: outputs and their bytes, messages, memories; and which model providers a worker offers.

-- Content-addressed: the same bytes are stored once, in chunks of at most 1 MiB.
CREATE TABLE blobs (
    sha256     bytea PRIMARY KEY CHECK (length(sha256) = 32),
    size       bigint NOT NULL CHECK (size >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE blob_chunks (
    sha256 bytea NOT NULL REFERENCES blobs (sha256) ON DELETE CASCADE,
    chunk  integer NOT NULL,
    data   bytea NOT NULL CHECK (length(data) <= 1048576),
    PRIMARY KEY (sha256, chunk)
);

-- Outputs and artifacts are one thing: what a run made, with the bytes in a blob or behind a link.
CREATE TABLE outputs (
    id          uuid PRIMARY KEY,
    project_id  uuid NOT NULL,
    task_id     uuid NOT NULL,
    run_id      uuid NOT NULL,
    name        text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('text', 'file', 'code', 'image', 'link')),
    media_type  text NOT NULL,
    size        bigint NOT NULL,
    sha256      bytea REFERENCES blobs (sha256),
    uri         text,
    preview     text,
    review      text NOT NULL DEFAULT 'pending' CHECK (review IN ('pending', 'approved', 'rejected')),
    comment     text,
    reviewed_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((sha256 IS NULL) <> (uri IS NULL)),
    CHECK ((review = 'pending') = (reviewed_at IS NULL))
);
CREATE INDEX outputs_of_project ON outputs (project_id, id DESC);
CREATE INDEX outputs_of_run ON outputs (run_id, id);

CREATE TABLE messages (
    id         uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    task_id    uuid NOT NULL,
    run_id     uuid,
    role       text NOT NULL CHECK (role IN ('user', 'assistant')),
    content    text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Numbered by the one database, so that clocks of two machines cannot swap question and answer.
    ordinal    bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX messages_of_project ON messages (project_id, ordinal DESC);
-- One question and one answer per run at most: the second wall behind the fence.
CREATE UNIQUE INDEX messages_one_answer ON messages (run_id, role) WHERE run_id IS NOT NULL;

CREATE TABLE memories (
    id            uuid PRIMARY KEY,
    project_id    uuid NOT NULL,
    scope         text NOT NULL CHECK (scope IN ('project', 'agent', 'global')),
    content       text NOT NULL CHECK (length(content) BETWEEN 1 AND 8000),
    source_run_id uuid,
    confidence    double precision NOT NULL DEFAULT 1 CHECK (confidence BETWEEN 0 AND 1),
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX memories_of_project ON memories (project_id, id DESC);

-- What workers know and the API does not: published here.
CREATE TABLE providers (
    name       text PRIMARY KEY,
    kind       text NOT NULL,
    model      text NOT NULL,
    state      text NOT NULL CHECK (state IN ('ready', 'failing', 'unknown')),
    is_default boolean NOT NULL,
    detail     text NOT NULL,
    last_error text,
    checked_at timestamptz NOT NULL DEFAULT now()
);
