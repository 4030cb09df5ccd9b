//! What becomes of two that say the same: one, with the better of each. It is the end of an INSERT, for people and for runs alike.

/// The surer confidence, the later expiry (none is the latest), and the word of a person over all others; of the others' words the one
/// that is trusted less counts, so that a text from outside is not believed because an agent has read it.
pub(crate) const MERGE: &str = "ON CONFLICT (project_id, scope, coalesce(agent, ''), fingerprint) WHERE fingerprint IS NOT NULL \
     DO UPDATE SET confidence = greatest(memories.confidence, excluded.confidence), \
       expires_at = CASE WHEN memories.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL \
         ELSE greatest(memories.expires_at, excluded.expires_at) END, \
       trust = CASE WHEN 'person' IN (memories.trust, excluded.trust) THEN 'person' \
         WHEN 'outside' IN (memories.trust, excluded.trust) THEN 'outside' ELSE 'agent' END, \
       person = coalesce(memories.person, excluded.person), pinned = memories.pinned OR excluded.pinned, \
       embedding = coalesce(excluded.embedding, memories.embedding), \
       embedding_model = coalesce(excluded.embedding_model, memories.embedding_model), updated_at = excluded.updated_at";
