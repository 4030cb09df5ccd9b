//! Budgets as people set and see them: read, set, taken away, and the runs that wait for one.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::amounts::{Amounts, MICROS, dollars};
use super::forecast::{self, Forecast};
use super::grant::{Limits, Period, Scope, Standing};
use super::row::{Row, SELECT};
use super::spent;
use crate::{Error, Result, ids, projects, runs, tasks};

/// Held by who sets a budget, and shared by who reserves under any: see [`lock_shared`].
const LOCK: &str = "hashtext('titan budgets')";

/// To be taken by who reserves a call, before calls and budgets are locked.
///
/// # Errors
/// When the database does not answer.
pub(crate) fn lock_shared(connection: &mut PgConnection) -> Result<()> {
    sql_query(format!("SELECT pg_advisory_xact_lock_shared({LOCK})")).execute(connection)?;
    Ok(())
}

/// Dollars, tokens and calls that nobody means by more.
const MOST_DOLLARS: f64 = 1e9;
const MOST: i64 = 1_000_000_000_000_000;

/// Amounts as people read them. Cost is in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Spent {
    pub cost: f64,
    pub tokens: i64,
    pub calls: i64,
}

/// The most of each, or what is left of it; null for what is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Most {
    pub cost: Option<f64>,
    pub tokens: Option<i64>,
    pub calls: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Budget {
    pub scope: Scope,
    pub period: Period,
    /// When its period began (for `total`: when it was set), and when it begins anew; null for one that never does.
    pub period_start: DateTime<Utc>,
    pub period_end: Option<DateTime<Utc>>,
    pub limit: Most,
    pub spent: Spent,
    /// For calls that are under way.
    pub reserved: Spent,
    pub left: Most,
    pub changed_at: DateTime<Utc>,
}

/// What calls of models have cost, and what they may.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Spending {
    /// Since the beginning, whatever is limited. Calls of the offline model are not in it.
    pub spent: Spent,
    /// Null when nothing is limited.
    pub budget: Option<Budget>,
    /// What the open tasks will cost, where there is history enough to tell.
    pub forecast: Option<Forecast>,
    /// Runs that wait until a budget that they fall under is raised.
    pub waiting_runs: i64,
}

/// What a budget is to be, as a whole. Cost is in US dollars.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub cost: Option<f64>,
    pub tokens: Option<i64>,
    pub calls: Option<i64>,
    pub period: Period,
}

impl Rule {
    fn limits(&self) -> Result<Limits> {
        if self.cost.is_none() && self.tokens.is_none() && self.calls.is_none() {
            return Err(Error::invalid(
                "cost",
                "is required, unless tokens or calls are given; DELETE takes the limit away",
            ));
        }
        let whole = |field, value: Option<i64>| match value {
            Some(value) if !(0..=MOST).contains(&value) => {
                Err(Error::invalid(field, format!("must be between 0 and {MOST}, and is {value}")))
            }
            _ => Ok(value),
        };
        let cost_micros = match self.cost {
            Some(cost) if !(0.0..=MOST_DOLLARS).contains(&cost) => {
                let message = format!("must be US dollars between 0 and {MOST_DOLLARS}, and is {cost}");
                return Err(Error::invalid("cost", message));
            }
            #[allow(clippy::cast_possible_truncation)]
            cost => cost.map(|cost| (cost * MICROS).round() as i64),
        };
        Ok(Limits { cost_micros, tokens: whole("tokens", self.tokens)?, calls: whole("calls", self.calls)? })
    }
}

impl From<Row> for Budget {
    fn from(row: Row) -> Self {
        let stands = row.at(row.now);
        let Standing { limits, spent, reserved, renews_at, .. } = stands.standing;
        let taken = spent.plus(reserved);
        let left = |limit: Option<i64>, taken: i64| limit.map(|limit| (limit - taken).max(0));
        Budget {
            scope: row.scope,
            period: row.period,
            period_start: stands.period_start,
            period_end: renews_at,
            limit: Most { cost: limits.cost_micros.map(dollars), tokens: limits.tokens, calls: limits.calls },
            spent: spent.into(),
            reserved: reserved.into(),
            left: Most {
                cost: left(limits.cost_micros, taken.cost_micros).map(dollars),
                tokens: left(limits.tokens, taken.tokens),
                calls: left(limits.calls, taken.calls),
            },
            changed_at: row.changed_at,
        }
    }
}

impl From<Amounts> for Spent {
    fn from(amounts: Amounts) -> Self {
        Spent { cost: dollars(amounts.cost_micros), tokens: amounts.tokens, calls: amounts.calls }
    }
}

/// # Errors
/// [`Error::NotFound`] when there is no such project, task or run.
pub fn get(connection: &mut PgConnection, scope: Scope, id: Uuid) -> Result<Spending> {
    exists(connection, scope, id)?;
    let rows: Vec<Row> = sql_query(format!("{SELECT} WHERE scope = $1 AND scope_id = $2"))
        .bind::<Text, _>(scope)
        .bind::<SqlUuid, _>(id)
        .load(connection)?;
    Ok(Spending {
        spent: spent::since(connection, scope, id, None)?.into(),
        budget: rows.into_iter().next().map(Budget::from),
        forecast: match scope {
            Scope::Project => forecast::of_project(connection, id)?,
            _ => None,
        },
        waiting_runs: count_waiting(connection, scope, id)?,
    })
}

/// Sets a budget, or replaces its limits. One that is new counts what was spent in its period before, and the calls under way.
///
/// # Errors
/// [`Error::NotFound`] when there is no such project, task or run; a limit that is wrong.
pub fn set(connection: &mut PgConnection, scope: Scope, id: Uuid, rule: &Rule) -> Result<()> {
    let limits = rule.limits()?;
    connection.transaction(|connection| {
        exists(connection, scope, id)?;
        // No call is reserved meanwhile: each is either counted here or sees the budget.
        sql_query(format!("SELECT pg_advisory_xact_lock({LOCK})")).execute(connection)?;
        match change(connection, scope, id, rule.period, &limits)? {
            None => begin(connection, scope, id, rule.period, &limits),
            Some(period) if period != rule.period => begin_anew(connection, scope, id, rule.period),
            Some(_) => Ok(()),
        }
    })
}

/// The period that it had before; none when there was no budget.
fn change(
    connection: &mut PgConnection,
    scope: Scope,
    id: Uuid,
    period: Period,
    limits: &Limits,
) -> Result<Option<Period>> {
    #[derive(QueryableByName)]
    struct Before {
        #[diesel(sql_type = Text)]
        period: Period,
    }
    let before: Vec<Before> = sql_query(
        "WITH before AS (SELECT id, period FROM budgets WHERE scope = $1 AND scope_id = $2 FOR UPDATE), \
         changed AS (UPDATE budgets b SET period = $3, limit_cost_micros = $4, limit_tokens = $5, limit_calls = $6, \
           changed_at = clock_timestamp() FROM before WHERE b.id = before.id) SELECT period FROM before",
    )
    .bind::<Text, _>(scope)
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(period)
    .bind::<Nullable<BigInt>, _>(limits.cost_micros)
    .bind::<Nullable<BigInt>, _>(limits.tokens)
    .bind::<Nullable<BigInt>, _>(limits.calls)
    .load(connection)?;
    Ok(before.into_iter().next().map(|before| before.period))
}

/// Another period: what was spent in it. Its row is locked, so no call is settled in it meanwhile.
fn begin_anew(connection: &mut PgConnection, scope: Scope, id: Uuid, period: Period) -> Result<()> {
    let start = period.start(Utc::now());
    let spent = spent::since(connection, scope, id, start)?;
    sql_query(
        "UPDATE budgets SET period_start = coalesce($3, now()), spent_cost_micros = $4, spent_tokens = $5, spent_calls = $6 \
         WHERE scope = $1 AND scope_id = $2",
    )
    .bind::<Text, _>(scope)
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<Timestamptz>, _>(start)
    .bind::<BigInt, _>(spent.cost_micros)
    .bind::<BigInt, _>(spent.tokens)
    .bind::<BigInt, _>(spent.calls)
    .execute(connection)?;
    Ok(())
}

/// A budget that begins to count. The calls under way are locked first, as the engine does before it looks at budgets: one that ends
/// meanwhile is either among those that have ended, or gives back what it had reserved here.
fn begin(connection: &mut PgConnection, scope: Scope, id: Uuid, period: Period, limits: &Limits) -> Result<()> {
    let start = period.start(Utc::now());
    let budget_id = ids::new();
    let reserved = spent::join_open(connection, scope, id, budget_id)?;
    let spent = spent::since(connection, scope, id, start)?;
    sql_query(
        "INSERT INTO budgets (id, scope, scope_id, period, period_start, limit_cost_micros, limit_tokens, limit_calls, \
         spent_cost_micros, spent_tokens, spent_calls, reserved_cost_micros, reserved_tokens, reserved_calls) \
         VALUES ($1, $2, $3, $4, coalesce($5, now()), $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind::<SqlUuid, _>(budget_id)
    .bind::<Text, _>(scope)
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(period)
    .bind::<Nullable<Timestamptz>, _>(start)
    .bind::<Nullable<BigInt>, _>(limits.cost_micros)
    .bind::<Nullable<BigInt>, _>(limits.tokens)
    .bind::<Nullable<BigInt>, _>(limits.calls)
    .bind::<BigInt, _>(spent.cost_micros)
    .bind::<BigInt, _>(spent.tokens)
    .bind::<BigInt, _>(spent.calls)
    .bind::<BigInt, _>(reserved.cost_micros)
    .bind::<BigInt, _>(reserved.tokens)
    .bind::<BigInt, _>(reserved.calls)
    .execute(connection)?;
    Ok(())
}

/// Takes the limit away; false when there was none.
///
/// # Errors
/// [`Error::NotFound`] when there is no such project, task or run.
pub fn remove(connection: &mut PgConnection, scope: Scope, id: Uuid) -> Result<bool> {
    exists(connection, scope, id)?;
    connection.transaction(|connection| {
        // In the order in which the engine locks them. Whoever waits looks again: for the others something has changed too.
        sql_query("SELECT id FROM budgets ORDER BY id FOR UPDATE").execute(connection)?;
        let gone = sql_query("DELETE FROM budgets WHERE scope = $1 AND scope_id = $2")
            .bind::<Text, _>(scope)
            .bind::<SqlUuid, _>(id)
            .execute(connection)?;
        if gone > 0 {
            sql_query("UPDATE budgets SET changed_at = clock_timestamp()").execute(connection)?;
        }
        Ok(gone > 0)
    })
}

fn exists(connection: &mut PgConnection, scope: Scope, id: Uuid) -> Result<()> {
    match scope {
        Scope::Installation => Ok(()),
        Scope::Project => projects::exists(connection, id),
        Scope::Task => tasks::get(connection, id).map(|_| ()),
        Scope::Run => runs::position(connection, id).map(|_| ()),
    }
}

/// Which waiting steps are of a scope.
const WAITING: &str = "FROM steps s JOIN runs r ON r.id = s.run_id WHERE s.waiting_on = 'budget' AND \
     ($1 = 'installation' OR ($1 = 'project' AND r.project_id = $2) OR ($1 = 'task' AND r.task_id = $2) \
       OR ($1 = 'run' AND r.id = $2))";

fn count_waiting(connection: &mut PgConnection, scope: Scope, id: Uuid) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        runs: i64,
    }
    let count: Count = sql_query(format!("SELECT count(DISTINCT s.run_id) AS runs {WAITING}"))
        .bind::<Text, _>(scope)
        .bind::<SqlUuid, _>(id)
        .get_result(connection)?;
    Ok(count.runs)
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
}

/// More are woken by the look that the leading worker takes.
const MOST_WOKEN: i64 = 1000;

/// The runs of this scope that wait for a budget, at most 1,000.
///
/// # Errors
/// When the database does not answer.
pub fn waiting(connection: &mut PgConnection, scope: Scope, id: Uuid) -> Result<Vec<Uuid>> {
    let rows: Vec<Waiting> = sql_query(format!("SELECT DISTINCT s.run_id {WAITING} LIMIT $3"))
        .bind::<Text, _>(scope)
        .bind::<SqlUuid, _>(id)
        .bind::<BigInt, _>(MOST_WOKEN)
        .load(connection)?;
    Ok(rows.into_iter().map(|row| row.run_id).collect())
}

/// Why a run waits for a budget, if it does.
///
/// # Errors
/// When the database does not answer.
pub fn waits_because(connection: &mut PgConnection, run_id: Uuid) -> Result<Option<String>> {
    #[derive(QueryableByName)]
    struct Reason {
        #[diesel(sql_type = Nullable<Text>)]
        waiting_reason: Option<String>,
    }
    let rows: Vec<Reason> =
        sql_query("SELECT waiting_reason FROM steps WHERE run_id = $1 AND waiting_on = 'budget' ORDER BY seq LIMIT 1")
            .bind::<SqlUuid, _>(run_id)
            .load(connection)?;
    Ok(rows.into_iter().next().map(|row| row.waiting_reason.unwrap_or_default()))
}

/// Runs that wait although something has changed since: a budget was set, a period has begun, or no budget is left.
///
/// # Errors
/// When the database does not answer.
pub fn overslept(connection: &mut PgConnection) -> Result<Vec<Uuid>> {
    let rows: Vec<Waiting> = sql_query(
        "SELECT DISTINCT s.run_id FROM steps s JOIN runs r ON r.id = s.run_id \
         LEFT JOIN budgets b ON (b.scope, b.scope_id) IN (('installation', '00000000-0000-0000-0000-000000000000'::uuid), \
           ('project', r.project_id), ('task', r.task_id), ('run', r.id)) \
         WHERE s.waiting_on = 'budget' AND (b.id IS NULL OR b.changed_at > s.waiting_since \
           OR (b.period <> 'total' AND date_trunc(b.period, now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' > s.waiting_since)) \
         LIMIT $1",
    )
    .bind::<BigInt, _>(MOST_WOKEN)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| row.run_id).collect())
}
