//! Pages of a list: a limit and a cursor that says where the last page ended.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{Error, Result};

pub const DEFAULT_LIMIT: i64 = 50;
pub const MAX_LIMIT: i64 = 200;

/// One page. `next_cursor` is null on the last one.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page out of up to `limit + 1` rows: the one too many only says that there are more.
    pub fn of(mut rows: Vec<T>, limit: i64, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = if more { rows.last().map(cursor) } else { None };
        Page { items: rows, next_cursor }
    }

    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

/// Checks a limit that a client gave.
///
/// # Errors
/// Outside of 1 to 200.
pub fn limit(given: Option<i64>) -> Result<i64> {
    limit_up_to(given, MAX_LIMIT)
}

/// The same with another maximum.
///
/// # Errors
/// Outside of 1 to `max`.
pub fn limit_up_to(given: Option<i64>, max: i64) -> Result<i64> {
    match given {
        None => Ok(DEFAULT_LIMIT),
        Some(n) if (1..=max).contains(&n) => Ok(n),
        Some(n) => Err(Error::invalid("limit", format!("must be between 1 and {max}, and is {n}"))),
    }
}

/// Reads a cursor that is an id.
///
/// # Errors
/// When it is not one.
pub fn id_cursor(given: Option<&str>) -> Result<Option<uuid::Uuid>> {
    parse_cursor(given)
}

/// Reads a cursor of any type that is written as text.
///
/// # Errors
/// When it is not of that type.
pub fn parse_cursor<T: std::str::FromStr>(given: Option<&str>) -> Result<Option<T>> {
    given
        .map(|text| text.parse().map_err(|_| Error::invalid("cursor", "is not a cursor that this list gave out")))
        .transpose()
}
