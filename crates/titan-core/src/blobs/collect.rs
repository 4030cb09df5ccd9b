//! Garbage: blobs that nothing names any more, and objects outside that no blob is in.
//!
//! Several may collect at once, and others may store at the same time. A row is removed while it is locked, old and unnamed;
//! whoever stores the same blob meanwhile has locked or touched it (`rows::store`), and the foreign keys are the last wall.
//! An object is removed after its row, and its name is never given to another. What somebody was killed over is found by the
//! listing of the objects.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::Timestamptz;
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use futures_util::TryStreamExt as _;

use super::Blobs;
use super::outside::{self, Object, Outside};
use super::rows::{self, Removed, Seen};
use crate::Result;
use crate::db::set_local_timeouts;

/// Every column that names a blob. `tests/it/blobs.rs` compares it with the foreign keys of the database.
pub const NAMED_BY: [(&str, &str); 4] =
    [("documents", "sha256"), ("ops_proposals", "patches"), ("outputs", "sha256"), ("workspace_bundles", "sha256")];

/// Rows that are looked at together.
const PAGE: i64 = 2000;
/// What is removed in one transaction: so many blobs, and so many bytes unless a single one has more.
const MOST: usize = 200;
const MOST_BYTES: i64 = 256 << 20;
/// Objects that are asked about together.
const OBJECTS: usize = 1000;
/// Between two pages, so that others come between.
const PAUSE: Duration = Duration::from_millis(20);

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    pub blobs: usize,
    pub bytes: i64,
    /// Objects that no blob was in.
    pub strays: usize,
}

/// Removes what was stored longer ago than `grace` and is named by nothing.
///
/// # Errors
/// When the database or the store does not answer; what was removed until then stays removed.
pub async fn collect(blobs: &Blobs, grace: Duration) -> Result<Collected> {
    let mut collected = Collected::default();
    let seconds = i64::try_from(grace.as_secs()).unwrap_or(i64::MAX);
    let mut after = Vec::new();
    loop {
        let from = std::mem::take(&mut after);
        let page = blobs.db.run(move |connection| rows::walk(connection, &from, seconds, &unnamed(), PAGE)).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.sha256);
        for batch in batches(&page) {
            for removed in blobs.db.run(move |connection| remove(connection, &batch, seconds)).await? {
                collected.blobs += 1;
                collected.bytes += removed.size;
                blobs.remove_object(removed.place.as_deref()).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    if let Some(outside) = &blobs.outside {
        collected.strays = strays(blobs, outside.as_ref(), grace).await?;
    }
    Ok(collected)
}

/// The condition that nothing names the blob `b`.
fn unnamed() -> String {
    NAMED_BY.map(|(table, column)| format!("NOT EXISTS (SELECT FROM {table} WHERE {column} = b.sha256)")).join(" AND ")
}

/// Those that are unused, as many as one transaction removes.
fn batches(page: &[Seen]) -> Vec<Vec<Vec<u8>>> {
    let mut batches: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut bytes = 0;
    for seen in page.iter().filter(|seen| seen.unused) {
        bytes += seen.size;
        match batches.last_mut() {
            Some(batch) if batch.len() < MOST && bytes <= MOST_BYTES => batch.push(seen.sha256.clone()),
            _ => {
                bytes = seen.size;
                batches.push(vec![seen.sha256.clone()]);
            }
        }
    }
    batches
}

fn remove(connection: &mut PgConnection, batch: &[Vec<u8>], grace_seconds: i64) -> Result<Vec<Removed>> {
    use diesel::Connection as _;
    let batch: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
    connection.transaction(|connection| {
        set_local_timeouts(connection, 30_000, 2_000)?;
        rows::remove(connection, &batch, grace_seconds, &unnamed())
    })
}

impl Blobs {
    /// One that cannot be removed now is found by the listing later.
    async fn remove_object(&self, place: Option<&str>) {
        let ours = self
            .outside
            .as_ref()
            .zip(place)
            .and_then(|(outside, place)| Some((outside, place.strip_prefix(outside.scheme())?.strip_prefix(':')?)));
        if let Some((outside, key)) = ours
            && let Err(error) = outside.remove(key).await
        {
            tracing::debug!(%error, key, "an object without a blob stays for now");
        }
    }
}

async fn strays(blobs: &Blobs, outside: &dyn Outside, grace: Duration) -> Result<usize> {
    let oldest = blobs.db.run(now).await? - grace;
    let mut pages =
        outside.list().try_filter(|object| std::future::ready(object.written_at < oldest)).try_chunks(OBJECTS);
    let mut strays = 0;
    while let Some(page) = pages.try_next().await.map_err(|error| error.1)? {
        let places: Vec<String> = page.iter().map(|object| outside::place(outside, &object.key)).collect();
        let taken = blobs.db.run(move |connection| rows::taken(connection, &places)).await?;
        let taken: BTreeSet<String> = taken.into_iter().collect();
        let is_stray = |object: &&Object| !taken.contains(&outside::place(outside, &object.key));
        for object in page.iter().filter(is_stray) {
            outside.remove(&object.key).await?;
            strays += 1;
        }
    }
    Ok(strays)
}

/// The one clock that all machines share.
fn now(connection: &mut PgConnection) -> Result<DateTime<Utc>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Timestamptz)]
        now: DateTime<Utc>,
    }
    let row: Row = sql_query("SELECT now() AS now").get_result(connection)?;
    Ok(row.now)
}
