//! Whether a call may be made: a pure decision over the budgets that it falls under.

use chrono::{DateTime, Datelike, TimeDelta, TimeZone as _, Utc};
use uuid::Uuid;

use super::amounts::{Amounts, Price, dollars_text};
use crate::state::text_enum;

text_enum! {
    /// What a budget is about; a run falls under its own, its task's, its project's and the installation's.
    Scope { Installation = "installation", Project = "project", Task = "task", Run = "run" }
}

text_enum! {
    /// How long a budget lasts before it begins anew. Days and months are those of UTC.
    Period { Total = "total", Day = "day", Month = "month" }
}

impl Period {
    /// When the period began in which this moment lies; none for one without an end.
    #[must_use]
    pub fn start(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Period::Total => None,
            Period::Day => Utc.with_ymd_and_hms(now.year(), now.month(), now.day(), 0, 0, 0).single(),
            Period::Month => Utc.with_ymd_and_hms(now.year(), now.month(), 1, 0, 0, 0).single(),
        }
    }

    /// When the next one begins.
    #[must_use]
    pub fn end(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let start = self.start(now)?;
        match self {
            Period::Total => None,
            Period::Day => Some(start + TimeDelta::days(1)),
            Period::Month => Period::Month.start(start + TimeDelta::days(31)),
        }
    }
}

/// The most of each; what is none is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    pub cost_micros: Option<i64>,
    pub tokens: Option<i64>,
    pub calls: Option<i64>,
}

/// A budget as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub id: Uuid,
    pub scope: Scope,
    pub limits: Limits,
    pub spent: Amounts,
    pub reserved: Amounts,
    /// When it begins anew.
    pub renews_at: Option<DateTime<Utc>>,
}

/// What a call would take.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    pub input_tokens: i64,
    /// As much output as it would like, and as little as makes sense.
    pub output_tokens: i64,
    pub least_output_tokens: i64,
    /// None when nobody knows it.
    pub price: Option<Price>,
}

/// The call may be made, with so much output at most, and this is to be reserved for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    pub output_tokens: i64,
    /// Whether more output than that would break a budget.
    pub capped: bool,
    pub reserved: Amounts,
}

/// The call may not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub budget_id: Uuid,
    pub scope: Scope,
    /// Calls that are under way may leave enough: it is worth trying again soon. Otherwise a person has to raise the budget.
    pub soon: bool,
    pub reason: String,
    /// When it was refused: what changes after this may let it through.
    pub at: DateTime<Utc>,
}

/// Asks every budget. All of them grant, or nothing is reserved.
///
/// # Errors
/// The first one that refuses.
pub fn grant(budgets: &[Standing], need: &Need, now: DateTime<Utc>) -> Result<Grant, Refusal> {
    let mut output = need.output_tokens.max(0);
    let mut capped = false;
    for budget in budgets {
        let most = most_output(budget, need, now)?;
        capped |= budget.limits.tokens.is_some() || budget.limits.cost_micros.is_some();
        output = output.min(most);
    }
    let price = need.price.unwrap_or_default();
    let reserved = Amounts {
        cost_micros: price.cost(need.input_tokens, 0, output),
        tokens: need.input_tokens.saturating_add(output),
        calls: 1,
    };
    Ok(Grant { output_tokens: output, capped, reserved })
}

/// The most output that one budget allows.
fn most_output(budget: &Standing, need: &Need, now: DateTime<Utc>) -> Result<i64, Refusal> {
    let taken = budget.spent.plus(budget.reserved);
    let refuse = |soon: bool, what: String| {
        let reason = match soon {
            true => {
                format!("the budget of the {} has {what} left besides what calls under way have reserved", budget.scope)
            }
            false => format!("the budget of the {} is used up: {what}{}", budget.scope, renewal(budget)),
        };
        Err(Refusal { budget_id: budget.id, scope: budget.scope, soon, reason, at: now })
    };
    if let Some(limit) = budget.limits.calls
        && taken.calls >= limit
    {
        return match budget.spent.calls < limit {
            true => refuse(true, "no call".to_owned()),
            false => refuse(false, format!("{} of {limit} calls are made", budget.spent.calls)),
        };
    }
    let mut most = i64::MAX;
    if let Some(limit) = budget.limits.tokens {
        let least = need.input_tokens.saturating_add(need.least_output_tokens);
        let left = limit.saturating_sub(taken.tokens);
        if left < least {
            return match limit.saturating_sub(budget.spent.tokens) >= least {
                true => refuse(true, format!("{} tokens", left.max(0))),
                false => refuse(
                    false,
                    format!("{} of {limit} tokens are spent, and the call needs {least} at least", budget.spent.tokens),
                ),
            };
        }
        most = most.min(left.saturating_sub(need.input_tokens));
    }
    if let Some(limit) = budget.limits.cost_micros {
        let Some(price) = need.price else {
            let reason = format!(
                "the budget of the {} is in dollars, and the price of this model is not known; set it in TITAN_PRICES, or limit \
                 tokens or calls instead",
                budget.scope
            );
            return Err(Refusal { budget_id: budget.id, scope: budget.scope, soon: false, reason, at: now });
        };
        let least = price.cost(need.input_tokens, 0, need.least_output_tokens);
        let left = limit.saturating_sub(taken.cost_micros);
        if left < least {
            return match limit.saturating_sub(budget.spent.cost_micros) >= least {
                true => refuse(true, dollars_text(left.max(0))),
                false => refuse(
                    false,
                    format!(
                        "{} of {} is spent, and the call needs {} at least",
                        dollars_text(budget.spent.cost_micros),
                        dollars_text(limit),
                        dollars_text(least)
                    ),
                ),
            };
        }
        let input = price.cost(need.input_tokens, 0, 0);
        most = most.min(price.output_for(left.saturating_sub(input)).max(need.least_output_tokens));
    }
    Ok(most)
}

fn renewal(budget: &Standing) -> String {
    budget.renews_at.map(|at| format!("; it begins anew on {}", at.format("%Y-%m-%d %H:%M UTC"))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn budget(limits: Limits, spent: Amounts, reserved: Amounts) -> Standing {
        Standing { id: Uuid::nil(), scope: Scope::Project, limits, spent, reserved, renews_at: None }
    }

    fn need(input: i64, output: i64) -> Need {
        let price = Some(Price { input: 1_000_000, output: 4_000_000, cached_input: 0 });
        Need { input_tokens: input, output_tokens: output, least_output_tokens: output.min(100), price }
    }

    #[test]
    fn without_a_budget_everything_is_granted_and_nothing_capped() {
        let grant = grant(&[], &need(10, 1000), Utc::now()).unwrap();
        assert_eq!((grant.output_tokens, grant.capped), (1000, false));
    }

    #[test]
    fn the_output_shrinks_to_what_is_left() {
        let tokens = Limits { tokens: Some(1000), ..Limits::default() };
        let spent = Amounts { tokens: 500, ..Amounts::default() };
        let granted = grant(&[budget(tokens, spent, Amounts::default())], &need(100, 1000), Utc::now()).unwrap();
        assert_eq!((granted.output_tokens, granted.capped, granted.reserved.tokens), (400, true, 500));
    }

    #[test]
    fn what_calls_under_way_have_reserved_may_come_back_and_what_is_spent_does_not() {
        let calls = Limits { calls: Some(2), ..Limits::default() };
        let two = Amounts { calls: 2, ..Amounts::default() };
        let soon = grant(&[budget(calls, Amounts::default(), two)], &need(1, 1), Utc::now()).unwrap_err();
        let never = grant(&[budget(calls, two, Amounts::default())], &need(1, 1), Utc::now()).unwrap_err();
        assert!(soon.soon && !never.soon);
        assert_eq!(never.reason, "the budget of the project is used up: 2 of 2 calls are made");
    }

    #[test]
    fn money_is_not_spent_on_a_model_without_a_price() {
        let cost = Limits { cost_micros: Some(1_000_000), ..Limits::default() };
        let unknown = Need { price: None, ..need(1, 1) };
        let refused = grant(&[budget(cost, Amounts::default(), Amounts::default())], &unknown, Utc::now()).unwrap_err();
        assert!(refused.reason.contains("TITAN_PRICES"), "{}", refused.reason);
    }

    #[test]
    fn days_and_months_begin_anew() {
        let now = Utc.with_ymd_and_hms(2026, 12, 31, 23, 59, 59).unwrap();
        let text = |moment: Option<DateTime<Utc>>| moment.map(|moment| moment.to_rfc3339());
        assert_eq!(text(Period::Month.start(now)).unwrap(), "2026-12-01T00:00:00+00:00");
        assert_eq!(text(Period::Month.end(now)).unwrap(), "2027-01-01T00:00:00+00:00");
        assert_eq!(text(Period::Day.end(now)).unwrap(), "2027-01-01T00:00:00+00:00");
        assert_eq!(text(Period::Total.end(now)), None);
    }

    fn amounts() -> impl Strategy<Value = Amounts> {
        (0i64..10_000, 0i64..5_000, 0i64..10).prop_map(|(cost_micros, tokens, calls)| Amounts {
            cost_micros,
            tokens,
            calls,
        })
    }

    proptest! {
        #[test]
        fn what_is_granted_never_breaks_a_budget(
            limits in (prop::option::of(0i64..20_000), prop::option::of(0i64..10_000), prop::option::of(0i64..10)),
            spent in amounts(), reserved in amounts(),
            input in 0i64..3_000, output in 0i64..3_000, least in 0i64..500, price in (0i64..9_000_000, 0i64..9_000_000),
        ) {
            let limits = Limits { cost_micros: limits.0, tokens: limits.1, calls: limits.2 };
            let price = Some(Price { input: price.0, output: price.1, cached_input: 0 });
            let need = Need { input_tokens: input, output_tokens: output, least_output_tokens: least.min(output), price };
            if let Ok(grant) = grant(&[budget(limits, spent, reserved)], &need, Utc::now()) {
                let after = spent.plus(reserved).plus(grant.reserved);
                prop_assert!(limits.cost_micros.is_none_or(|limit| after.cost_micros <= limit), "{after:?} {limits:?}");
                prop_assert!(limits.tokens.is_none_or(|limit| after.tokens <= limit));
                prop_assert!(limits.calls.is_none_or(|limit| after.calls <= limit));
                prop_assert!((need.least_output_tokens..=output).contains(&grant.output_tokens));
            }
        }
    }
}
