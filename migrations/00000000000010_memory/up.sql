-- Memories with whose word they are, whom they are about, until when they are kept, and what they are found by.

ALTER TABLE memories
    ADD COLUMN agent          text CHECK (length(agent) BETWEEN 1 AND 200),
    ADD COLUMN trust          text NOT NULL DEFAULT 'agent' CHECK (trust IN ('person', 'agent', 'outside')),
    ADD COLUMN person         text CHECK (length(person) BETWEEN 1 AND 200),
    ADD COLUMN pinned         boolean NOT NULL DEFAULT false,
    ADD COLUMN expires_at     timestamptz,
    ADD COLUMN use_count      bigint NOT NULL DEFAULT 0 CHECK (use_count >= 0),
    ADD COLUMN used_at        timestamptz,
    ADD COLUMN updated_at     timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN source_task_id uuid,
    -- Of the normalised content, for facts: the same fact is kept once. A plain record of an exchange has none.
    ADD COLUMN fingerprint    bytea CHECK (length(fingerprint) = 16),
    -- None for the records that the offline model leaves, so that they cost the queue nothing: few, and searched one by one.
    ADD COLUMN words          tsvector,
    -- A direction: one signed byte for each dimension.
    ADD COLUMN embedding      bytea CHECK (length(embedding) BETWEEN 1 AND 16384),
    ADD COLUMN embedding_model text CHECK (length(embedding_model) BETWEEN 1 AND 300),
    ADD CONSTRAINT memories_embedding_of_a_model CHECK ((embedding IS NULL) = (embedding_model IS NULL));

UPDATE memories SET trust = CASE WHEN source_run_id IS NULL THEN 'person' ELSE 'agent' END, updated_at = created_at,
    agent = CASE scope WHEN 'agent' THEN 'jason' END, words = to_tsvector('simple', content);

ALTER TABLE memories ADD CONSTRAINT memories_agent_of_the_scope CHECK ((scope = 'agent') = (agent IS NOT NULL));

CREATE UNIQUE INDEX memories_fingerprint ON memories (project_id, scope, coalesce(agent, ''), fingerprint)
    WHERE fingerprint IS NOT NULL;
CREATE INDEX memories_words ON memories USING gin (words) WHERE words IS NOT NULL;
CREATE INDEX memories_embedded ON memories (project_id, id DESC) WHERE embedding IS NOT NULL;
-- For the job that embeds what is not embedded, or by another model than the one in use.
CREATE INDEX memories_unembedded ON memories (id DESC) WHERE words IS NOT NULL AND embedding IS NULL;
CREATE INDEX memories_of_model ON memories (embedding_model, id DESC) WHERE embedding IS NOT NULL;
CREATE INDEX memories_global ON memories (id DESC) WHERE scope = 'global';
CREATE INDEX memories_pinned ON memories (project_id, id DESC) WHERE pinned;
CREATE INDEX memories_by_expiry ON memories (expires_at) WHERE expires_at IS NOT NULL;

-- What was searched for, as embeddings: made by a worker, read by whoever searches. The words themselves are not kept.
CREATE TABLE query_embeddings (
    query           bytea PRIMARY KEY CHECK (length(query) = 32),
    embedding       bytea NOT NULL CHECK (length(embedding) BETWEEN 1 AND 16384),
    embedding_model text NOT NULL CHECK (length(embedding_model) BETWEEN 1 AND 300),
    made_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX query_embeddings_by_age ON query_embeddings (made_at);
