//! The bytes behind outputs: content-addressed by SHA-256, in Postgres. Small ones stand in one row, large ones in chunks of at
//! most 1 MiB.

use std::collections::BTreeMap;

use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::db::Prepare as _;
use crate::{Error, Result};

const CHUNK: usize = 1 << 20;
const SMALL: usize = 8 << 10;

/// Stores blobs by their checksum; what is there already stays. The map's order is the lock order.
pub(crate) fn store(connection: &mut PgConnection, blobs: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<()> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        sha256: Vec<u8>,
    }
    let sizes = blobs.values().map(|bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    let fresh: Vec<Row> = sql_query(
        "INSERT INTO blobs (sha256, size, data) SELECT * FROM unnest($1, $2, $3) ON CONFLICT DO NOTHING RETURNING sha256",
    )
    .bind::<Array<Binary>, _>(blobs.keys().map(Vec::as_slice).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(sizes.collect::<Vec<_>>())
    .bind::<Array<Nullable<Binary>>, _>(blobs.values().map(|bytes| is_small(bytes).then_some(bytes)).collect::<Vec<_>>())
    .prepared()
    .load(connection)?;
    let mut chunks: Vec<(&[u8], i32, &[u8])> = Vec::new();
    for row in &fresh {
        let Some((sha256, bytes)) = blobs.get_key_value(&row.sha256).filter(|(_, bytes)| !is_small(bytes)) else {
            continue;
        };
        for (number, data) in bytes.chunks(CHUNK).enumerate() {
            chunks.push((sha256, i32::try_from(number).unwrap_or(i32::MAX), data));
        }
    }
    if chunks.is_empty() {
        return Ok(());
    }
    sql_query("INSERT INTO blob_chunks (sha256, chunk, data) SELECT * FROM unnest($1, $2, $3)")
        .bind::<Array<Binary>, _>(chunks.iter().map(|chunk| chunk.0).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(chunks.iter().map(|chunk| chunk.1).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(chunks.iter().map(|chunk| chunk.2).collect::<Vec<_>>())
        .prepared()
        .run(connection)?;
    Ok(())
}

fn is_small(bytes: &[u8]) -> bool {
    bytes.len() <= SMALL
}

/// Reads a whole blob and checks that it is whole.
pub(crate) fn read(connection: &mut PgConnection, hex: &str, size: i64) -> Result<Vec<u8>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        data: Vec<u8>,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT data FROM (SELECT 0 AS chunk, data FROM blobs WHERE sha256 = decode($1, 'hex') AND data IS NOT NULL \
           UNION ALL SELECT chunk, data FROM blob_chunks WHERE sha256 = decode($1, 'hex')) AS parts ORDER BY chunk",
    )
    .bind::<Text, _>(hex)
    .prepared()
    .load(connection)?;
    let bytes: Vec<u8> = rows.into_iter().flat_map(|row| row.data).collect();
    if i64::try_from(bytes.len()) == Ok(size) {
        Ok(bytes)
    } else {
        Err(Error::Internal(format!("blob {hex} should have {size} bytes and has {}", bytes.len())))
    }
}
