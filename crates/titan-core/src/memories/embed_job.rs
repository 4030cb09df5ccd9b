//! The jobs by which those who know no models have embeddings made, and whether anybody would do them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Bool, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::json;

use crate::Result;
use crate::queue::NewJob;

/// Their kind.
pub const EMBED: &str = "embed";
/// Characters of a question that is embedded; a longer one is searched by its words.
pub const MAX_QUERY: usize = 400;
/// Memories that are written within so many seconds are embedded by one job.
const GATHERED_SECONDS: i64 = 2;

/// Somebody waits for the embedding of this question.
#[must_use]
pub fn embed_query(query: &str) -> NewJob {
    let timeout = Duration::from_secs(5);
    NewJob { payload: Some(json!({"query": query})), priority: 100, max_attempts: 1, timeout, ..NewJob::new(EMBED) }
}

/// Memories were written that have no embedding yet, or will be `within` this time. It begins when its seconds are over, so that
/// it misses none of them.
#[must_use]
pub fn embed_missing(within: TimeDelta) -> NewJob {
    let next = (Utc::now() + within).timestamp() / GATHERED_SECONDS + 1;
    let run_at = DateTime::from_timestamp(next * GATHERED_SECONDS, 0);
    NewJob { key: Some(format!("memories-{next}")), run_at, timeout: Duration::from_secs(600), ..NewJob::new(EMBED) }
}

/// Whether a worker does such jobs just now.
///
/// # Errors
/// When the database does not answer.
pub fn embedder_is_there(connection: &mut PgConnection) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        there: bool,
    }
    let row: Row = sql_query(
        "SELECT EXISTS (SELECT FROM workers WHERE $1 = ANY (kinds) AND NOT stopping \
         AND heartbeat_at > clock_timestamp() - interval '5 seconds') AS there",
    )
    .bind::<Text, _>(EMBED)
    .get_result(connection)?;
    Ok(row.there)
}
