-- What a conversation needs beside its messages: summaries of older ones, files that are attached, and who may answer.

-- A summary stands in for all messages of its project up to a place in the conversation, and for the summary before it.
CREATE TABLE conversation_summaries (
    project_id    uuid NOT NULL,
    up_to_ordinal bigint NOT NULL,
    content       text NOT NULL CHECK (length(content) BETWEEN 1 AND 50000),
    -- About how many the summary is.
    tokens        bigint NOT NULL CHECK (tokens >= 0),
    model         text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project_id, up_to_ordinal)
);

-- Files that a message brings along; the task's payload names them. What no message names is forgotten, its bytes with it: they stand
-- here and not among the blobs, which nobody deletes.
CREATE TABLE attachments (
    id         uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    media_type text NOT NULL CHECK (length(media_type) BETWEEN 1 AND 100),
    size       bigint NOT NULL CHECK (size BETWEEN 1 AND 5242880),
    data       bytea NOT NULL CHECK (octet_length(data) = size),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When a message asked for it last, whether or not that was taken: it is not forgotten in between.
    asked_at   timestamptz NOT NULL DEFAULT now(),
    -- When a message that was taken named it first: it stays.
    used_at    timestamptz
);
CREATE INDEX attachments_unused ON attachments (project_id, asked_at) WHERE used_at IS NULL;

-- The agents that workers know, published when they start.
CREATE TABLE agents (
    name        text PRIMARY KEY,
    title       text NOT NULL,
    description text NOT NULL,
    model       text,
    is_default  boolean NOT NULL
);

-- For what keeps memories only so long. In the order of their age they stand in the table too, so this costs who writes them nothing.
CREATE INDEX memories_by_age ON memories USING brin (updated_at);
