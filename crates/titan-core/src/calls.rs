//! Calls of models, read. They are written by the engine only.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Double, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::engine::{CallState, Purpose};
use crate::page::Page;
use crate::{Result, runs};

/// One call of a model: a turn of the conversation with it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Call {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    /// The number of the step.
    #[diesel(sql_type = SmallInt)]
    pub step: i16,
    #[diesel(sql_type = Integer)]
    pub attempt: i32,
    #[diesel(sql_type = Text)]
    pub purpose: Purpose,
    #[diesel(sql_type = Text)]
    pub provider: String,
    #[diesel(sql_type = Text)]
    pub model: String,
    /// 0 for the model that was wanted, more for those that were asked in its place.
    #[diesel(sql_type = SmallInt)]
    pub fallback: i16,
    #[diesel(sql_type = Text)]
    pub state: CallState,
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
    /// Of a call under way: a guess.
    #[diesel(sql_type = BigInt)]
    pub input_tokens: i64,
    /// Of the input, what the provider still had from an earlier call.
    #[diesel(sql_type = BigInt)]
    pub cached_tokens: i64,
    #[diesel(sql_type = BigInt)]
    pub output_tokens: i64,
    /// The provider did not tell, and the tokens are guessed.
    #[diesel(sql_type = Bool)]
    pub estimated: bool,
    /// US dollars; null when the price of the model is not known, or the call is under way.
    #[diesel(sql_type = Nullable<Double>)]
    pub cost: Option<f64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub finish_reason: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub first_token_ms: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub duration_ms: Option<i32>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// The calls of a run, the oldest first.
///
/// # Errors
/// [`crate::Error::NotFound`] for the run; a cursor or limit that is wrong.
pub fn of_run(
    connection: &mut PgConnection,
    run_id: Uuid,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Call>> {
    let limit = crate::page::limit(limit)?;
    runs::position(connection, run_id)?;
    let rows = sql_query(
        "SELECT id, run_id, step, attempt, purpose, provider, model, fallback, state, error, input_tokens, cached_tokens, \
         output_tokens, estimated, cost_micros / 1000000.0::double precision AS cost, finish_reason, first_token_ms, duration_ms, \
         created_at FROM model_calls WHERE run_id = $1 AND ($2 IS NULL OR id > $2) ORDER BY id LIMIT $3",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |call: &Call| call.id.to_string()))
}
