//! What the calls of a scope have come to, summed up from the calls themselves.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::amounts::Amounts;
use super::grant::Scope;
use crate::Result;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    cost_micros: i64,
    #[diesel(sql_type = BigInt)]
    tokens: i64,
    #[diesel(sql_type = BigInt)]
    calls: i64,
}

impl From<Row> for Amounts {
    fn from(row: Row) -> Self {
        Amounts { cost_micros: row.cost_micros, tokens: row.tokens, calls: row.calls }
    }
}

/// Which calls are of a scope. Written out for each, so that each has a plan that uses its own index.
fn of(scope: Scope) -> &'static str {
    match scope {
        Scope::Installation => "provider <> 'offline' AND $1 = '00000000-0000-0000-0000-000000000000'",
        Scope::Project => "provider <> 'offline' AND project_id = $1",
        Scope::Task => "provider <> 'offline' AND run_id IN (SELECT id FROM runs WHERE task_id = $1)",
        Scope::Run => "provider <> 'offline' AND run_id = $1",
    }
}

/// Of the calls that have ended.
pub(super) fn since(
    connection: &mut PgConnection,
    scope: Scope,
    id: Uuid,
    start: Option<DateTime<Utc>>,
) -> Result<Amounts> {
    let row: Row = sql_query(format!(
        "SELECT coalesce(sum(cost_micros), 0)::bigint AS cost_micros, \
           coalesce(sum(input_tokens + output_tokens), 0)::bigint AS tokens, count(*) AS calls \
         FROM model_calls WHERE {} AND state <> 'open' AND ($2 IS NULL OR created_at >= $2)",
        of(scope)
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<Timestamptz>, _>(start)
    .get_result(connection)?;
    Ok(row.into())
}

/// The calls under way count in this budget too, when they end. Returns what is reserved for them.
pub(super) fn join_open(connection: &mut PgConnection, scope: Scope, id: Uuid, budget_id: Uuid) -> Result<Amounts> {
    let row: Row = sql_query(format!(
        "WITH open AS (SELECT run_id, id FROM model_calls WHERE state = 'open' AND {} ORDER BY run_id, id FOR UPDATE), \
         joined AS (UPDATE model_calls c SET budget_ids = c.budget_ids || $2 FROM open \
           WHERE c.run_id = open.run_id AND c.id = open.id RETURNING c.reserved_cost_micros, c.reserved_tokens) \
         SELECT coalesce(sum(reserved_cost_micros), 0)::bigint AS cost_micros, \
           coalesce(sum(reserved_tokens), 0)::bigint AS tokens, count(*) AS calls FROM joined",
        of(scope)
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(budget_id)
    .get_result(connection)?;
    Ok(row.into())
}
