//! Outputs of the same name that runs of one task made: versions of one thing. How two of them differ, and what was said of
//! those that were rejected.

use std::time::Duration;

use diesel::sql_types::{BigInt, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use similar::TextDiff;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Output, Row, SELECT, get};
use crate::text::head;
use crate::{Error, Result};

/// Versions that are listed at most: the newest.
const MOST: i64 = 100;
/// Bytes of a text that is compared, and characters of what comes of it.
pub const MOST_COMPARED: i64 = 1 << 20;
const MOST_PATCH: usize = 1 << 20;
/// After this time a comparison becomes coarser instead of slower.
const PATIENCE: Duration = Duration::from_secs(2);
/// Rejections that a run is told of, and characters of what was rejected.
const TOLD_OF: i64 = 3;
const TOLD_CHARS: i32 = 1000;

/// How a text became another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Comparison {
    /// A unified diff; empty when they are the same.
    pub patch: String,
    /// Whether the diff goes on.
    pub truncated: bool,
}

/// All versions of an output, itself among them, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
pub fn versions(connection: &mut PgConnection, id: Uuid) -> Result<Vec<Output>> {
    let output = get(connection, id)?;
    let rows: Vec<Row> = sql_query(format!(
        "SELECT * FROM ({SELECT} WHERE o.run_id IN (SELECT id FROM runs WHERE task_id = $1) AND o.name = $2 \
         ORDER BY o.id DESC LIMIT $3) AS newest ORDER BY id"
    ))
    .bind::<SqlUuid, _>(output.task_id)
    .bind::<Text, _>(&output.name)
    .bind::<BigInt, _>(MOST)
    .load(connection)?;
    Ok(rows.into_iter().map(Output::from).collect())
}

/// Compares two texts line by line.
///
/// # Errors
/// [`Error::Conflict`] when one of them is no text.
pub fn compare(from: &[u8], to: &[u8]) -> Result<Comparison> {
    let no_text = |_| Error::Conflict("only texts can be compared, and this is none".to_owned());
    let (from, to) = (std::str::from_utf8(from).map_err(no_text)?, std::str::from_utf8(to).map_err(no_text)?);
    let patch =
        TextDiff::configure().timeout(PATIENCE).diff_lines(from, to).unified_diff().context_radius(3).to_string();
    let short = head(&patch, MOST_PATCH);
    Ok(Comparison { truncated: short.len() < patch.len(), patch: short.to_owned() })
}

/// What a person said of an output that they rejected.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Rejection {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub comment: Option<String>,
    /// How it began; none when it was no text.
    #[diesel(sql_type = Nullable<Text>)]
    pub preview: Option<String>,
}

/// The last rejections of what a task made, oldest first.
///
/// # Errors
/// When the database does not answer.
pub fn rejections(connection: &mut PgConnection, task_id: Uuid) -> Result<Vec<Rejection>> {
    let rows = sql_query(
        "SELECT name, comment, left(preview, $3) AS preview FROM (SELECT * FROM outputs \
           WHERE run_id IN (SELECT id FROM runs WHERE task_id = $1) AND review = 'rejected' ORDER BY id DESC LIMIT $2) AS o \
         ORDER BY id",
    );
    Ok(rows.bind::<SqlUuid, _>(task_id).bind::<BigInt, _>(TOLD_OF).bind::<Integer, _>(TOLD_CHARS).load(connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_are_compared_by_their_lines() {
        let compared = compare(b"one\ntwo\nthree\n", b"one\n2\nthree\n").unwrap();
        assert_eq!(compared.patch, "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n");
        assert!(!compared.truncated);
        assert_eq!(compare(b"same", b"same").unwrap().patch, "");
        assert!(compare(b"\xff", b"text").unwrap_err().to_string().contains("only texts"));
    }
}
