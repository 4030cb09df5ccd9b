//! What is about to be done outside, written down before it is done, and what came of it. Who finds an intent without a receipt looks
//! at the outside before anything is repeated.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection as _, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::engine::Fence;
use crate::{Result, queue};

/// How an intent was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Intended {
    /// Nobody meant to do it before.
    First,
    /// Somebody meant to, and did not live to tell whether it was done.
    Again,
    /// It was done, and this came of it.
    Done(Value),
}

/// An effect outside, for people.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Intent {
    #[diesel(sql_type = Text)]
    pub key: String,
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    #[diesel(sql_type = Jsonb)]
    pub what: Value,
    /// Null: it is not known whether it was done.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub receipt: Option<Value>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub done_at: Option<DateTime<Utc>>,
}

/// Writes an intent down, under the claim of the job that means to carry it out.
///
/// # Errors
/// [`crate::Error::Fenced`] when the claim was lost.
pub fn intend(
    connection: &mut PgConnection,
    fence: Fence,
    proposal_id: Uuid,
    key: &str,
    what: &Value,
) -> Result<Intended> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        is_new: bool,
        #[diesel(sql_type = Nullable<Jsonb>)]
        receipt: Option<Value>,
    }
    connection.transaction(|connection| {
        queue::hold(connection, fence.job_id, fence.epoch)?;
        let row: Row = sql_query(
            "WITH new AS (INSERT INTO ops_intents (task_id, run_id, key, what) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (task_id, key) DO NOTHING RETURNING receipt) \
             SELECT true AS is_new, receipt FROM new \
             UNION ALL SELECT false, receipt FROM ops_intents WHERE task_id = $1 AND key = $3 LIMIT 1",
        )
        .bind::<SqlUuid, _>(proposal_id)
        .bind::<SqlUuid, _>(fence.run_id)
        .bind::<Text, _>(key)
        .bind::<Jsonb, _>(what)
        .get_result(connection)?;
        Ok(match (row.is_new, row.receipt) {
            (true, _) => Intended::First,
            (false, None) => Intended::Again,
            (false, Some(receipt)) => Intended::Done(receipt),
        })
    })
}

/// Writes down what came of it. The first word counts: what was found later cannot be another truth.
///
/// # Errors
/// [`crate::Error::Fenced`] when the claim was lost.
pub fn done(connection: &mut PgConnection, fence: Fence, proposal_id: Uuid, key: &str, receipt: &Value) -> Result<()> {
    connection.transaction(|connection| {
        queue::hold(connection, fence.job_id, fence.epoch)?;
        sql_query(
            "UPDATE ops_intents SET receipt = $3, done_at = now() WHERE task_id = $1 AND key = $2 AND receipt IS NULL",
        )
        .bind::<SqlUuid, _>(proposal_id)
        .bind::<Text, _>(key)
        .bind::<Jsonb, _>(receipt)
        .execute(connection)?;
        Ok(())
    })
}

/// One of them, by its key.
///
/// # Errors
/// When the database does not answer.
pub fn one(connection: &mut PgConnection, proposal_id: Uuid, key: &str) -> Result<Option<Intent>> {
    Ok(sql_query(
        "SELECT key, run_id, what, receipt, created_at, done_at FROM ops_intents WHERE task_id = $1 AND key = $2",
    )
    .bind::<SqlUuid, _>(proposal_id)
    .bind::<Text, _>(key)
    .get_result(connection)
    .optional()?)
}

/// The newest whose key begins so.
///
/// # Errors
/// When the database does not answer.
pub fn newest(connection: &mut PgConnection, proposal_id: Uuid, prefix: &str) -> Result<Option<Intent>> {
    Ok(sql_query(
        "SELECT key, run_id, what, receipt, created_at, done_at FROM ops_intents \
         WHERE task_id = $1 AND starts_with(key, $2) ORDER BY id DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(proposal_id)
    .bind::<Text, _>(prefix)
    .get_result(connection)
    .optional()?)
}

/// The effects of a proposal, in the order in which they were meant; at most 200.
///
/// # Errors
/// When the database does not answer.
pub fn of(connection: &mut PgConnection, proposal_id: Uuid) -> Result<Vec<Intent>> {
    const MOST: i64 = 200;
    Ok(sql_query(
        "SELECT key, run_id, what, receipt, created_at, done_at FROM ops_intents WHERE task_id = $1 ORDER BY id LIMIT $2",
    )
    .bind::<SqlUuid, _>(proposal_id)
    .bind::<BigInt, _>(MOST)
    .load(connection)?)
}
