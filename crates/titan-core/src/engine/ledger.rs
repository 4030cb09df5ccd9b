//! The calls and budgets of a batch: loaded with a lock, and written as the story leaves them. Only calls under way and budgets that
//! there are: a batch that has neither pays for two empty looks at most.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::load::Run;
use super::story::{CallRow, Story};
use crate::Result;
use crate::budgets::{self, Amounts, Scope, Standing};
use crate::db::Prepare as _;

/// A call that is under way, or was when its worker was lost.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct OpenCall {
    #[diesel(sql_type = SqlUuid)]
    pub(super) id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub(super) run_id: Uuid,
    #[diesel(sql_type = SmallInt)]
    pub(super) step: i16,
    #[diesel(sql_type = Text)]
    pub(super) provider: String,
    #[diesel(sql_type = Text)]
    pub(super) model: String,
    #[diesel(sql_type = BigInt)]
    pub(super) input_tokens: i64,
    #[diesel(sql_type = BigInt)]
    reserved_tokens: i64,
    #[diesel(sql_type = BigInt)]
    reserved_cost_micros: i64,
    #[diesel(sql_type = Array<SqlUuid>)]
    pub(super) budget_ids: Vec<Uuid>,
}

impl OpenCall {
    pub(super) fn reserved(&self) -> Amounts {
        Amounts { cost_micros: self.reserved_cost_micros, tokens: self.reserved_tokens, calls: 1 }
    }

    /// One that is reserved in this batch.
    pub(super) fn of(row: &CallRow) -> Self {
        OpenCall {
            id: row.call.id,
            run_id: row.run_id,
            step: row.step,
            provider: row.call.provider.clone(),
            model: row.call.model.clone(),
            input_tokens: row.input_tokens,
            reserved_tokens: row.reserved.tokens,
            reserved_cost_micros: row.reserved.cost_micros,
            budget_ids: row.budget_ids.clone(),
        }
    }
}

/// A budget, and whom it is for.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    pub(super) standing: Standing,
    pub(super) scope_id: Uuid,
    pub(super) period_start: DateTime<Utc>,
}

impl Budget {
    fn of(row: &budgets::Row, now: DateTime<Utc>) -> Self {
        let budgets::At { standing, period_start } = row.at(now);
        Budget { standing, scope_id: row.scope_id, period_start }
    }
}

/// The calls under way of these runs, as far as they have any.
pub(super) fn load_calls(
    connection: &mut PgConnection,
    settling: &BTreeSet<Uuid>,
    runs: &BTreeMap<Uuid, Run>,
) -> Result<BTreeMap<Uuid, OpenCall>> {
    let with_calls = settling.iter().filter(|id| runs.get(id).is_some_and(|run| run.open_calls > 0));
    let ids: Vec<Uuid> = with_calls.copied().collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    // Locked, because who sets a budget adds it to the calls under way.
    let rows: Vec<OpenCall> = sql_query(
        "SELECT id, run_id, step, provider, model, input_tokens, reserved_tokens, reserved_cost_micros, budget_ids \
         FROM model_calls WHERE run_id = ANY($1) AND state = 'open' ORDER BY run_id, id FOR UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|call| (call.id, call)).collect())
}

/// A constant, so that it is planned once.
static BUDGETS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} WHERE id = ANY(ARRAY(SELECT unnest($1) UNION SELECT b.id FROM unnest($2, $3) AS s (scope, scope_id) \
           JOIN budgets b ON b.scope = s.scope AND b.scope_id = s.scope_id)) ORDER BY id FOR UPDATE",
        budgets::SELECT
    )
});

/// The budgets that these runs fall under, and those in which these calls are reserved.
pub(super) fn load_budgets(
    connection: &mut PgConnection,
    reserving: &BTreeSet<Uuid>,
    runs: &BTreeMap<Uuid, Run>,
    calls: &BTreeMap<Uuid, OpenCall>,
    now: DateTime<Utc>,
) -> Result<BTreeMap<Uuid, Budget>> {
    let mut scopes: BTreeSet<(Scope, Uuid)> = BTreeSet::new();
    for run in reserving.iter().filter_map(|id| runs.get(id)) {
        scopes.extend(scopes_of(run));
    }
    let named: BTreeSet<Uuid> = calls.values().flat_map(|call| call.budget_ids.iter().copied()).collect();
    if scopes.is_empty() && named.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<budgets::Row> = sql_query(BUDGETS.as_str())
        .bind::<Array<SqlUuid>, _>(named.into_iter().collect::<Vec<_>>())
        .bind::<Array<Text>, _>(scopes.iter().map(|(scope, _)| scope.as_str()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(scopes.iter().map(|(_, id)| *id).collect::<Vec<_>>())
        .prepared()
        .load(connection)?;
    Ok(rows.iter().map(|row| (row.id, Budget::of(row, now))).collect())
}

/// What a run falls under.
pub(super) fn scopes_of(run: &Run) -> [(Scope, Uuid); 4] {
    [
        (Scope::Installation, Uuid::nil()),
        (Scope::Project, run.project_id),
        (Scope::Task, run.task_id),
        (Scope::Run, run.id),
    ]
}

pub(super) fn save(connection: &mut PgConnection, story: &Story) -> Result<()> {
    insert_calls(connection, story)?;
    update_calls(connection, story)?;
    update_budgets(connection, story)
}

fn col<T>(rows: &[&CallRow], of: impl FnMut(&&CallRow) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

fn insert_calls(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let rows: Vec<&CallRow> = story.changes.calls.values().filter(|row| row.is_new).collect();
    if rows.is_empty() {
        return Ok(());
    }
    // An array of arrays would be flattened: the budgets travel as text.
    let budgets = |row: &&CallRow| {
        let ids: Vec<String> = row.budget_ids.iter().map(Uuid::to_string).collect();
        format!("{{{}}}", ids.join(","))
    };
    sql_query(
        "INSERT INTO model_calls (id, run_id, step, attempt, project_id, task_id, purpose, provider, model, fallback, state, error, \
         input_tokens, cached_tokens, output_tokens, estimated, cost_micros, finish_reason, first_token_ms, duration_ms, \
         reserved_tokens, reserved_cost_micros, budget_ids, created_at) \
         SELECT id, run_id, step, attempt, project_id, task_id, purpose, provider, model, fallback, state, error, input_tokens, \
         cached_tokens, output_tokens, estimated, cost_micros, finish_reason, first_token_ms, duration_ms, reserved_tokens, \
         reserved_cost_micros, budget_ids::uuid[], $24 - coalesce(duration_ms, 0) * interval '1 millisecond' \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23) \
         AS c (id, run_id, step, attempt, project_id, task_id, purpose, provider, model, fallback, state, error, input_tokens, \
         cached_tokens, output_tokens, estimated, cost_micros, finish_reason, first_token_ms, duration_ms, reserved_tokens, \
         reserved_cost_micros, budget_ids)",
    )
    .bind::<Array<SqlUuid>, _>(col(&rows, |c| c.call.id))
    .bind::<Array<SqlUuid>, _>(col(&rows, |c| c.run_id))
    .bind::<Array<SmallInt>, _>(col(&rows, |c| c.step))
    .bind::<Array<Integer>, _>(col(&rows, |c| c.attempt))
    .bind::<Array<SqlUuid>, _>(col(&rows, |c| c.project_id))
    .bind::<Array<SqlUuid>, _>(col(&rows, |c| c.task_id))
    .bind::<Array<Text>, _>(col(&rows, |c| c.call.purpose.as_str()))
    .bind::<Array<Text>, _>(col(&rows, |c| c.call.provider.clone()))
    .bind::<Array<Text>, _>(col(&rows, |c| c.call.model.clone()))
    .bind::<Array<SmallInt>, _>(col(&rows, |c| c.call.fallback))
    .bind::<Array<Text>, _>(col(&rows, |c| c.state.as_str()))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |c| c.error.clone()))
    .bind::<Array<BigInt>, _>(col(&rows, |c| c.input_tokens))
    .bind::<Array<BigInt>, _>(col(&rows, |c| c.cached_tokens))
    .bind::<Array<BigInt>, _>(col(&rows, |c| c.output_tokens))
    .bind::<Array<Bool>, _>(col(&rows, |c| c.estimated))
    .bind::<Array<Nullable<BigInt>>, _>(col(&rows, |c| c.cost_micros))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |c| c.finish_reason.clone()))
    .bind::<Array<Nullable<Integer>>, _>(col(&rows, |c| c.first_token_ms))
    .bind::<Array<Nullable<Integer>>, _>(col(&rows, |c| c.duration_ms))
    .bind::<Array<BigInt>, _>(col(&rows, |c| c.reserved.tokens))
    .bind::<Array<BigInt>, _>(col(&rows, |c| c.reserved.cost_micros))
    .bind::<Array<Text>, _>(col(&rows, budgets))
    .bind::<Timestamptz, _>(story.world.now)
    .prepared()
    .run(connection)?;
    Ok(())
}

fn update_calls(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let rows: Vec<&CallRow> = story.changes.calls.values().filter(|row| !row.is_new).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "UPDATE model_calls c SET state = n.state, error = n.error, input_tokens = n.input_tokens, \
         cached_tokens = n.cached_tokens, output_tokens = n.output_tokens, estimated = n.estimated, cost_micros = n.cost_micros, \
         finish_reason = n.finish_reason, first_token_ms = n.first_token_ms, duration_ms = n.duration_ms, reserved_tokens = 0, \
         reserved_cost_micros = 0 \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS n (run_id, id, state, error, input_tokens, \
         cached_tokens, output_tokens, estimated, cost_micros, finish_reason, first_token_ms, duration_ms) \
         WHERE c.run_id = n.run_id AND c.id = n.id",
    )
    .bind::<Array<SqlUuid>, _>(col(&rows, |c| c.run_id))
    .bind::<Array<SqlUuid>, _>(col(&rows, |c| c.call.id))
    .bind::<Array<Text>, _>(col(&rows, |c| c.state.as_str()))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |c| c.error.clone()))
    .bind::<Array<BigInt>, _>(col(&rows, |c| c.input_tokens))
    .bind::<Array<BigInt>, _>(col(&rows, |c| c.cached_tokens))
    .bind::<Array<BigInt>, _>(col(&rows, |c| c.output_tokens))
    .bind::<Array<Bool>, _>(col(&rows, |c| c.estimated))
    .bind::<Array<Nullable<BigInt>>, _>(col(&rows, |c| c.cost_micros))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |c| c.finish_reason.clone()))
    .bind::<Array<Nullable<Integer>>, _>(col(&rows, |c| c.first_token_ms))
    .bind::<Array<Nullable<Integer>>, _>(col(&rows, |c| c.duration_ms))
    .prepared()
    .run(connection)?;
    Ok(())
}

fn update_budgets(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let rows: Vec<&Budget> = story.changes.budgets.iter().filter_map(|id| story.world.budgets.get(id)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let amounts = |of: fn(&Standing) -> i64| rows.iter().map(|budget| of(&budget.standing)).collect::<Vec<_>>();
    sql_query(
        "UPDATE budgets b SET period_start = n.period_start, spent_cost_micros = n.spent_cost, spent_tokens = n.spent_tokens, \
         spent_calls = n.spent_calls, reserved_cost_micros = n.reserved_cost, reserved_tokens = n.reserved_tokens, \
         reserved_calls = n.reserved_calls \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS n (id, period_start, spent_cost, spent_tokens, spent_calls, \
         reserved_cost, reserved_tokens, reserved_calls) WHERE b.id = n.id",
    )
    .bind::<Array<SqlUuid>, _>(rows.iter().map(|budget| budget.standing.id).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(rows.iter().map(|budget| budget.period_start).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(amounts(|budget| budget.spent.cost_micros))
    .bind::<Array<BigInt>, _>(amounts(|budget| budget.spent.tokens))
    .bind::<Array<BigInt>, _>(amounts(|budget| budget.spent.calls))
    .bind::<Array<BigInt>, _>(amounts(|budget| budget.reserved.cost_micros))
    .bind::<Array<BigInt>, _>(amounts(|budget| budget.reserved.tokens))
    .bind::<Array<BigInt>, _>(amounts(|budget| budget.reserved.calls))
    .prepared()
    .run(connection)?;
    Ok(())
}
