//! What Postgres knows of blobs: a row for each, and the bytes of those that it holds itself. Small ones stand in the row,
//! large ones in chunks of at most 1 MiB.

use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text};
use diesel::{OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::Blob;
use crate::db::Prepare as _;
use crate::{Error, Result};

pub(super) const CHUNK: u64 = 1 << 20;
/// Chunks that are written at once.
const TOGETHER: usize = 16;
/// A blob that is stored again need not say so more often: far less than anything is kept that nothing names.
const FRESH: &str = "interval '10 minutes'";

/// Stores blobs within the transaction that writes the rows which name them. What is there already stays, and stays longer.
///
/// Nobody removes a blob that was stored while this transaction is open. One that is known to be fresh is only locked, as
/// the foreign key of what names it would do anyway, so that those who store the same at the same time wait for nobody. Any
/// other is touched, which is what makes a collector that has seen it old look again.
///
/// They are looked up by an array: a join with a table that was nearly empty when it was last looked at would read all of it.
pub(crate) fn store(connection: &mut PgConnection, blobs: &[&Blob]) -> Result<()> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        sha256: Vec<u8>,
    }
    let mut blobs = blobs.to_vec();
    // One order everywhere, and equal ones once.
    blobs.sort_by(|a, b| a.sha256.cmp(&b.sha256));
    blobs.dedup_by(|a, b| a.sha256 == b.sha256);
    let fresh: Vec<Row> = sql_query(format!(
        "WITH given AS (SELECT * FROM unnest($1, $2, $3, $4) AS g (sha256, size, data, place)), \
           held AS (SELECT sha256 FROM blobs WHERE sha256 = ANY($1) AND stored_at > now() - {FRESH} FOR KEY SHARE), \
           new AS (INSERT INTO blobs AS b (sha256, size, data, place) \
             SELECT sha256, size, data, place FROM given WHERE sha256 NOT IN (SELECT sha256 FROM held) \
             ON CONFLICT (sha256) DO UPDATE SET stored_at = now() WHERE b.stored_at <= now() - {FRESH} \
             RETURNING b.sha256, b.xmax = 0 AS inserted) \
         SELECT sha256 FROM new WHERE inserted"
    ))
    .bind::<Array<Binary>, _>(blobs.iter().map(|blob| blob.sha256()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(blobs.iter().map(|blob| blob.size()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Binary>>, _>(
        blobs.iter().map(|blob| blob.is_small().then_some(blob.bytes())).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Text>>, _>(blobs.iter().map(|blob| blob.place.as_deref()).collect::<Vec<_>>())
    .prepared()
    .load(connection)?;
    let in_chunks = |blob: &&&Blob| !blob.is_small() && blob.place.is_none();
    for blob in blobs.iter().filter(in_chunks).filter(|blob| fresh.iter().any(|row| row.sha256 == blob.sha256)) {
        store_chunks(connection, blob)?;
    }
    Ok(())
}

fn store_chunks(connection: &mut PgConnection, blob: &Blob) -> Result<()> {
    let chunks: Vec<(i32, &[u8])> =
        (0..).zip(blob.bytes().chunks(usize::try_from(CHUNK).unwrap_or(usize::MAX))).collect();
    for chunks in chunks.chunks(TOGETHER) {
        sql_query("INSERT INTO blob_chunks (sha256, chunk, data) SELECT $1, * FROM unnest($2, $3)")
            .bind::<Binary, _>(blob.sha256())
            .bind::<Array<Integer>, _>(chunks.iter().map(|(number, _)| *number).collect::<Vec<_>>())
            .bind::<Array<Binary>, _>(chunks.iter().map(|(_, data)| *data).collect::<Vec<_>>())
            .prepared()
            .run(connection)?;
    }
    Ok(())
}

/// Says that a blob is about to be stored again. False when it is not there.
pub(super) fn touch(connection: &mut PgConnection, sha256: &[u8]) -> Result<bool> {
    let touched = sql_query("UPDATE blobs SET stored_at = now() WHERE sha256 = $1").bind::<Binary, _>(sha256);
    Ok(touched.execute(connection)? == 1)
}

/// What is known of a blob.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Known {
    #[diesel(sql_type = BigInt)]
    pub(super) size: i64,
    /// None when Postgres has it.
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) place: Option<String>,
}

/// Which one is told by its checksum in hexadecimal digits.
pub(super) fn known(connection: &mut PgConnection, digits: &str) -> Result<Known> {
    let row: Option<Known> = sql_query("SELECT size, place FROM blobs WHERE sha256 = decode($1, 'hex')")
        .bind::<Text, _>(digits)
        .prepared()
        .get_result(connection)
        .optional()?;
    row.ok_or_else(|| Error::Internal(format!("blob {digits} is not there")))
}

#[derive(QueryableByName)]
struct Data {
    #[diesel(sql_type = Binary)]
    data: Vec<u8>,
}

/// All bytes of a blob that Postgres has.
pub(super) fn whole(connection: &mut PgConnection, digits: &str) -> Result<Vec<u8>> {
    let rows: Vec<Data> = sql_query(
        "SELECT data FROM (SELECT 0 AS chunk, data FROM blobs WHERE sha256 = decode($1, 'hex') AND data IS NOT NULL \
           UNION ALL SELECT chunk, data FROM blob_chunks WHERE sha256 = decode($1, 'hex')) AS parts ORDER BY chunk",
    )
    .bind::<Text, _>(digits)
    .prepared()
    .load(connection)?;
    let mut rows = rows.into_iter().map(|row| row.data);
    let mut bytes = rows.next().unwrap_or_default();
    rows.for_each(|data| bytes.extend(data));
    Ok(bytes)
}

/// A part of a blob that Postgres has, which must not reach over the border of a chunk.
pub(super) fn part(connection: &mut PgConnection, digits: &str, from: u64, length: u64) -> Result<Vec<u8>> {
    let number = |n: u64| i32::try_from(n).unwrap_or(i32::MAX);
    // From a chunk, counted from one.
    let rows: Vec<Data> = sql_query(
        "SELECT substring(data FROM $3 FOR $4) AS data FROM (SELECT 0 AS chunk, data FROM blobs \
             WHERE sha256 = decode($1, 'hex') AND data IS NOT NULL \
           UNION ALL SELECT chunk, data FROM blob_chunks WHERE sha256 = decode($1, 'hex')) AS parts WHERE chunk = $2",
    )
    .bind::<Text, _>(digits)
    .bind::<Integer, _>(number(from / CHUNK))
    .bind::<Integer, _>(number(from % CHUNK + 1))
    .bind::<Integer, _>(number(length))
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().next().map(|row| row.data).unwrap_or_default())
}

/// A row of the walk over all blobs.
#[derive(Debug, QueryableByName)]
pub(super) struct Seen {
    #[diesel(sql_type = Binary)]
    pub(super) sha256: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    pub(super) size: i64,
    /// Old, and nothing names it.
    #[diesel(sql_type = Bool)]
    pub(super) unused: bool,
}

/// Those after a checksum, in its order. `unnamed` is the condition that nothing names the blob `b`.
pub(super) fn walk(
    connection: &mut PgConnection,
    after: &[u8],
    grace_seconds: i64,
    unnamed: &str,
    limit: i64,
) -> Result<Vec<Seen>> {
    let rows = sql_query(format!(
        "SELECT b.sha256, b.size, b.stored_at < now() - $2 * interval '1 second' AND {unnamed} AS unused \
         FROM (SELECT sha256, size, stored_at FROM blobs WHERE sha256 > $1 ORDER BY sha256 LIMIT $3) AS b ORDER BY b.sha256"
    ))
    .bind::<Binary, _>(after)
    .bind::<BigInt, _>(grace_seconds)
    .bind::<BigInt, _>(limit)
    .load(connection)?;
    Ok(rows)
}

/// One that was removed.
#[derive(Debug, QueryableByName)]
pub(super) struct Removed {
    #[diesel(sql_type = BigInt)]
    pub(super) size: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) place: Option<String>,
}

/// Removes those of these that are still old and that still nothing names. One that somebody is about to name is locked, and
/// left alone.
pub(super) fn remove(
    connection: &mut PgConnection,
    sha256: &[&[u8]],
    grace_seconds: i64,
    unnamed: &str,
) -> Result<Vec<Removed>> {
    let rows = sql_query(format!(
        "DELETE FROM blobs WHERE sha256 IN (SELECT sha256 FROM blobs b WHERE sha256 = ANY($1) \
           AND stored_at < now() - $2 * interval '1 second' AND {unnamed} ORDER BY sha256 FOR UPDATE SKIP LOCKED) \
         RETURNING size, place"
    ))
    .bind::<Array<Binary>, _>(sha256)
    .bind::<BigInt, _>(grace_seconds)
    .load(connection)?;
    Ok(rows)
}

/// Those of these places that a blob is in.
pub(super) fn taken(connection: &mut PgConnection, places: &[String]) -> Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        place: String,
    }
    let rows: Vec<Row> =
        sql_query("SELECT place FROM blobs WHERE place = ANY($1)").bind::<Array<Text>, _>(places).load(connection)?;
    Ok(rows.into_iter().map(|row| row.place).collect())
}
