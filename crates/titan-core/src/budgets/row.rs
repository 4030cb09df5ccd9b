//! A row of `budgets`, as the engine and those who look at it read it.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::amounts::Amounts;
use super::grant::{Limits, Period, Scope, Standing};

/// All of a [`Row`].
pub(crate) const SELECT: &str = "SELECT id, scope, scope_id, period, period_start, limit_cost_micros, limit_tokens, limit_calls, \
     spent_cost_micros, spent_tokens, spent_calls, reserved_cost_micros, reserved_tokens, reserved_calls, changed_at, now() AS now \
     FROM budgets";

#[derive(QueryableByName)]
pub(crate) struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) id: Uuid,
    #[diesel(sql_type = Text)]
    pub(crate) scope: Scope,
    #[diesel(sql_type = SqlUuid)]
    pub(crate) scope_id: Uuid,
    #[diesel(sql_type = Text)]
    pub(super) period: Period,
    #[diesel(sql_type = Timestamptz)]
    period_start: DateTime<Utc>,
    #[diesel(sql_type = Nullable<BigInt>)]
    limit_cost_micros: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    limit_tokens: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    limit_calls: Option<i64>,
    #[diesel(sql_type = BigInt)]
    spent_cost_micros: i64,
    #[diesel(sql_type = BigInt)]
    spent_tokens: i64,
    #[diesel(sql_type = BigInt)]
    spent_calls: i64,
    #[diesel(sql_type = BigInt)]
    reserved_cost_micros: i64,
    #[diesel(sql_type = BigInt)]
    reserved_tokens: i64,
    #[diesel(sql_type = BigInt)]
    reserved_calls: i64,
    #[diesel(sql_type = Timestamptz)]
    pub(super) changed_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub(super) now: DateTime<Utc>,
}

/// A budget at a moment.
pub(crate) struct At {
    pub(crate) standing: Standing,
    pub(crate) period_start: DateTime<Utc>,
}

impl Row {
    /// As it stands then: a period that has ended takes what was spent in it along, and leaves what is reserved.
    pub(crate) fn at(&self, now: DateTime<Utc>) -> At {
        let begun = self.period.start(now).filter(|start| *start > self.period_start);
        let spent = Amounts { cost_micros: self.spent_cost_micros, tokens: self.spent_tokens, calls: self.spent_calls };
        let standing = Standing {
            id: self.id,
            scope: self.scope,
            limits: Limits { cost_micros: self.limit_cost_micros, tokens: self.limit_tokens, calls: self.limit_calls },
            spent: if begun.is_some() { Amounts::default() } else { spent },
            reserved: Amounts {
                cost_micros: self.reserved_cost_micros,
                tokens: self.reserved_tokens,
                calls: self.reserved_calls,
            },
            renews_at: self.period.end(now),
        };
        At { standing, period_start: begun.unwrap_or(self.period_start) }
    }
}
