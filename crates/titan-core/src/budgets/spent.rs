//! What the calls of a scope have come to, summed up from the calls themselves.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::amounts::Amounts;
use super::grant::Scope;
use crate::Result;

/// Of calls that have ended, and of those under way.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) settled: Amounts,
    pub(super) open: Amounts,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    cost_micros: i64,
    #[diesel(sql_type = BigInt)]
    tokens: i64,
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(sql_type = BigInt)]
    reserved_cost_micros: i64,
    #[diesel(sql_type = BigInt)]
    reserved_tokens: i64,
    #[diesel(sql_type = BigInt)]
    open: i64,
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

pub(super) fn since(
    connection: &mut PgConnection,
    scope: Scope,
    id: Uuid,
    start: Option<DateTime<Utc>>,
) -> Result<Sum> {
    let row: Row = sql_query(format!(
        "SELECT coalesce(sum(cost_micros) FILTER (WHERE state <> 'open'), 0)::bigint AS cost_micros, \
           coalesce(sum(input_tokens + output_tokens) FILTER (WHERE state <> 'open'), 0)::bigint AS tokens, \
           count(*) FILTER (WHERE state <> 'open') AS calls, \
           coalesce(sum(reserved_cost_micros) FILTER (WHERE state = 'open'), 0)::bigint AS reserved_cost_micros, \
           coalesce(sum(reserved_tokens) FILTER (WHERE state = 'open'), 0)::bigint AS reserved_tokens, \
           count(*) FILTER (WHERE state = 'open') AS open \
         FROM model_calls WHERE {} AND ($2 IS NULL OR created_at >= $2)",
        of(scope)
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<Timestamptz>, _>(start)
    .get_result(connection)?;
    Ok(Sum {
        settled: Amounts { cost_micros: row.cost_micros, tokens: row.tokens, calls: row.calls },
        open: Amounts { cost_micros: row.reserved_cost_micros, tokens: row.reserved_tokens, calls: row.open },
    })
}

/// The calls under way count in this budget too, when they end.
pub(super) fn join_open(connection: &mut PgConnection, scope: Scope, id: Uuid, budget_id: Uuid) -> Result<()> {
    sql_query(format!(
        "UPDATE model_calls SET budget_ids = budget_ids || $2 WHERE state = 'open' AND {} AND (run_id, id) IN \
         (SELECT run_id, id FROM model_calls WHERE state = 'open' AND {} ORDER BY run_id, id FOR UPDATE)",
        of(scope),
        of(scope)
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(budget_id)
    .execute(connection)?;
    Ok(())
}
