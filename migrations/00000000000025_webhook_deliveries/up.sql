-- Deliveries of webhooks that were about a proposal under way. Each has one effect, however often it comes; they are forgotten after some
-- days.
CREATE TABLE webhook_deliveries (
    source      text NOT NULL CHECK (length(source) BETWEEN 1 AND 50),
    -- As the sender numbers them.
    delivery_id text NOT NULL CHECK (length(delivery_id) BETWEEN 1 AND 200),
    -- The SHA-256 of the body, which is all that is signed: who sends one again may give it another number.
    digest      bytea NOT NULL CHECK (length(digest) = 32),
    event       text NOT NULL CHECK (length(event) BETWEEN 1 AND 100),
    -- What may be otherwise than before: the branch with its pull request, or the checks of its commit.
    topic       text NOT NULL CHECK (topic IN ('branch', 'checks')),
    -- The proposals that it was about. One that is deleted may be named here for some days.
    task_ids    uuid[] NOT NULL CHECK (cardinality(task_ids) BETWEEN 1 AND 20),
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, delivery_id),
    UNIQUE (source, digest)
);
CREATE INDEX webhook_deliveries_of_task ON webhook_deliveries USING gin (task_ids);
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (received_at);
