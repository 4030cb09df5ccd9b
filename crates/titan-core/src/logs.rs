//! Log lines: the events that have a level and a message, searched over a run or a whole project.

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::state::Level;
use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct LogLine {
    #[diesel(sql_type = Timestamptz)]
    pub timestamp: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub level: Level,
    #[diesel(sql_type = Text)]
    pub message: String,
    #[diesel(sql_type = SqlUuid)]
    pub task_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub step: Option<i16>,
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    #[default]
    Asc,
    Desc,
}

/// Which lines. All that is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Search {
    pub project_id: Option<Uuid>,
    pub run_id: Option<Uuid>,
    pub task_id: Option<Uuid>,
    pub level: Option<Level>,
    /// Part of the message, in any case.
    pub text: Option<String>,
    pub order: Order,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Lines {
    pub items: Vec<LogLine>,
    pub next_cursor: Option<String>,
    /// How many lines match in all, not only on this page. Counted up to 10,001: more than 10,000 are not counted.
    pub total: i64,
}

/// A project may have millions of lines; nobody needs to know to the last one how many.
const COUNTED: i64 = 10_001;

const MATCHES: &str = "level IS NOT NULL AND ($1 IS NULL OR project_id = $1) AND ($2 IS NULL OR run_id = $2) \
     AND ($3 IS NULL OR task_id = $3) AND ($4 IS NULL OR level = ANY($4)) AND ($5 IS NULL OR strpos(lower(message), lower($5)) > 0)";

/// One page and the total.
///
/// # Errors
/// A cursor or limit that is wrong.
pub fn search(
    connection: &mut PgConnection,
    search: &Search,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Lines> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        total: i64,
    }
    let limit = crate::page::limit_up_to(limit, 1000)?;
    let mut items = page(connection, search, limit + 1, Cursor::parse(cursor)?)?;
    let most = usize::try_from(limit).unwrap_or(0);
    let more = items.len() > most;
    items.truncate(most);
    let next_cursor = if more { items.last().map(|line| Cursor::of(line).to_string()) } else { None };
    // All lines of a project are counted by the index that has this order alone. What else is asked of a line, its row must tell.
    let all = search.run_id.is_none() && search.task_id.is_none() && search.text.is_none() && levels(search).is_none();
    let order = if all { "ORDER BY at, run_id, seq" } else { "" };
    let count: Count = sql_query(format!(
        "SELECT count(*) AS total FROM (SELECT FROM run_events WHERE {MATCHES} {order} LIMIT $6) AS counted"
    ))
    .bind::<Nullable<SqlUuid>, _>(search.project_id)
    .bind::<Nullable<SqlUuid>, _>(search.run_id)
    .bind::<Nullable<SqlUuid>, _>(search.task_id)
    .bind::<Nullable<Array<Text>>, _>(levels(search))
    .bind::<Nullable<Text>, _>(search.text.as_deref())
    .bind::<BigInt, _>(COUNTED)
    .get_result(connection)?;
    Ok(Lines { items, next_cursor, total: count.total })
}

/// One page without counting, for downloads that go through all of them. The cursor is that of the last line before.
///
/// # Errors
/// When the database does not answer.
pub fn chunk(
    connection: &mut PgConnection,
    search: &Search,
    limit: i64,
    after: Option<&LogLine>,
) -> Result<Vec<LogLine>> {
    page(connection, search, limit, after.map(Cursor::of))
}

/// Nothing for all of them, so that the index alone can tell.
fn levels(search: &Search) -> Option<Vec<&'static str>> {
    search.level.filter(|level| *level != Level::Debug).map(Level::at_least)
}

fn page(connection: &mut PgConnection, search: &Search, limit: i64, cursor: Option<Cursor>) -> Result<Vec<LogLine>> {
    let (beyond, direction) = match search.order {
        Order::Asc => (">", "ASC"),
        Order::Desc => ("<", "DESC"),
    };
    Ok(sql_query(format!(
        "SELECT at AS timestamp, level, message, task_id, run_id, step, seq FROM run_events WHERE {MATCHES} \
         AND ($6 IS NULL OR (at, run_id, seq) {beyond} ($6, $7, $8)) \
         ORDER BY at {direction}, run_id {direction}, seq {direction} LIMIT $9"
    ))
    .bind::<Nullable<SqlUuid>, _>(search.project_id)
    .bind::<Nullable<SqlUuid>, _>(search.run_id)
    .bind::<Nullable<SqlUuid>, _>(search.task_id)
    .bind::<Nullable<Array<Text>>, _>(levels(search))
    .bind::<Nullable<Text>, _>(search.text.as_deref())
    .bind::<Nullable<Timestamptz>, _>(cursor.as_ref().map(|cursor| cursor.at))
    .bind::<Nullable<SqlUuid>, _>(cursor.as_ref().map(|cursor| cursor.run_id))
    .bind::<Nullable<BigInt>, _>(cursor.as_ref().map(|cursor| cursor.seq))
    .bind::<BigInt, _>(limit)
    .load(connection)?)
}

/// Where a page ended: lines of one moment are told apart by run and number.
struct Cursor {
    at: DateTime<Utc>,
    run_id: Uuid,
    seq: i64,
}

impl Cursor {
    fn of(line: &LogLine) -> Self {
        Cursor { at: line.timestamp, run_id: line.run_id, seq: line.seq }
    }

    fn parse(text: Option<&str>) -> Result<Option<Self>> {
        let Some(text) = text else { return Ok(None) };
        let wrong = || Error::invalid("cursor", "is not a cursor that this list gave out");
        let mut parts = text.splitn(3, '_');
        let mut part = || parts.next().ok_or_else(wrong);
        let at = DateTime::parse_from_rfc3339(part()?).map_err(|_| wrong())?.to_utc();
        let run_id = part()?.parse().map_err(|_| wrong())?;
        let seq = part()?.parse().map_err(|_| wrong())?;
        Ok(Some(Cursor { at, run_id, seq }))
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}_{}", self.at.to_rfc3339_opts(SecondsFormat::Micros, true), self.run_id, self.seq)
    }
}
