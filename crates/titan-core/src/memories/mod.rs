//! Memories: facts that outlive the run that found them. What each is, and how people read, write and change them; how they are
//! found is in `search`, what a model is shown in `recall`. What runs remember is written by the engine, with their outcome.
//!
//! An expired memory is gone for everybody but the export, which tells of all that is stored, and the retention, which deletes it.

mod create;
mod edit;
mod embed_job;
mod embedding;
mod erase;
mod export;
mod merge;
mod read;
mod recall;
mod remembered;
mod retention;
mod search;
mod wording;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::state::text_enum;

pub use create::{NewMemory, create};
pub use edit::{Edit, delete, update};
pub use embed_job::{EMBED, MAX_QUERY, embed_missing, embed_query, embedder_is_there};
pub use embedding::{
    Embedding, MAX_COMPARED, Unembedded, embed, embedding_of_query, forget_queries_of_others, keep_query, similar,
    unembedded,
};
pub(crate) use erase::as_words;
pub use erase::{Erased, erase};
pub use export::{EXPORT_BATCH, export};
pub(crate) use merge::MERGE;
pub use read::{Filter, get, list};
pub use recall::{Asked, recall, used};
pub use remembered::{Form, Remembered};
pub(crate) use retention::{forget_expired, forget_older, forget_queries};
pub use search::{Hit, MAX_HITS, check, search};
pub(crate) use wording::fingerprint;

/// Characters of a memory.
pub const MAX_CONTENT: usize = 8000;
/// Characters of the name of an agent or a person.
pub const MAX_NAME: usize = 200;
/// The agent that works for a project when a task names none.
pub const DEFAULT_AGENT: &str = "jason";

text_enum! {
    /// Who is shown a memory: the runs of its project, the runs of one agent in it, or those of every project of the installation.
    MemoryScope { Project = "project", Agent = "agent", Global = "global" }
}

text_enum! {
    /// Whose word it is: a person's, an agent's conclusion, or that of a text from outside.
    Trust { Person = "person", Agent = "agent", Outside = "outside" }
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Memory {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub project_id: Uuid,
    #[diesel(sql_type = Text)]
    pub scope: MemoryScope,
    /// Whose memory it is; set for the scope `agent` and no other.
    #[diesel(sql_type = Nullable<Text>)]
    pub agent: Option<String>,
    #[diesel(sql_type = Text)]
    pub content: String,
    #[diesel(sql_type = Text)]
    pub trust: Trust,
    /// From 0 to 1.
    #[diesel(sql_type = Double)]
    pub confidence: f64,
    /// Whom it is about.
    #[diesel(sql_type = Nullable<Text>)]
    pub person: Option<String>,
    /// Shown to a model before all others, and kept whatever its age.
    #[diesel(sql_type = Bool)]
    pub pinned: bool,
    /// From then on it is not shown to anybody; null for never.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub expires_at: Option<DateTime<Utc>>,
    /// How often a model was shown it.
    #[diesel(sql_type = BigInt)]
    pub use_count: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub used_at: Option<DateTime<Utc>>,
    /// The run that it came from; null when a person wrote it.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub source_run_id: Option<Uuid>,
    /// The task of that run.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub source_task_id: Option<Uuid>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it was last written: changed by a person, or remembered once more.
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

const COLUMNS: &str = "m.id, m.project_id, m.scope, m.agent, m.content, m.trust, m.confidence, m.person, m.pinned, m.expires_at, \
     m.use_count, m.used_at, m.source_run_id, m.source_task_id, m.created_at, m.updated_at";

/// What is found at all: not what has expired, and nothing of a deleted project.
const THERE: &str = "FROM memories m JOIN projects p ON p.id = m.project_id AND p.deleted_at IS NULL \
     WHERE (m.expires_at IS NULL OR m.expires_at > now())";
