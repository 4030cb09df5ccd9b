DROP TABLE query_embeddings;
DROP INDEX memories_fingerprint, memories_words, memories_embedded, memories_unembedded, memories_of_model, memories_global,
    memories_pinned, memories_by_expiry;
ALTER TABLE memories
    DROP CONSTRAINT memories_agent_of_the_scope, DROP CONSTRAINT memories_embedding_of_a_model,
    DROP COLUMN agent, DROP COLUMN trust, DROP COLUMN person, DROP COLUMN pinned, DROP COLUMN expires_at, DROP COLUMN use_count,
    DROP COLUMN used_at, DROP COLUMN updated_at, DROP COLUMN source_task_id, DROP COLUMN fingerprint, DROP COLUMN words,
    DROP COLUMN embedding, DROP COLUMN embedding_model;
