//! Budgets: what may be spent on calls of models, by the installation, a project, a task and a run. A call is reserved under all that
//! it falls under before it is made, and settled afterwards (the engine does both); only what has a limit has a row.
//!
//! - `amounts`: money, tokens, calls and prices.
//! - [`grant`](fn@grant): whether a call may be made, as a pure function.
//! - [`set`](fn@set): budgets as people set and see them.
//! - `row`: a budget as it is stored.
//! - `spent`, `forecast`: what was spent, and what will be.

mod amounts;
mod grant;
mod set;

mod forecast;
mod row;
mod spent;

pub use amounts::{Amounts, MICROS, Price, dollars, dollars_text};
pub use forecast::Forecast;
pub use grant::{Grant, Limits, Need, Period, Refusal, Scope, Standing, grant};
pub(crate) use row::{At, Row, SELECT};
pub(crate) use set::lock_shared;
pub use set::{Budget, Most, Rule, Spending, Spent, get, overslept, remove, set, waiting, waits_because};
