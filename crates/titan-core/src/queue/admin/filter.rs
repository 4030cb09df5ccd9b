//! Which jobs are meant: one filter for lists and for actions, on what is hot, on history and on dead letters.

use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use uuid::Uuid;

use crate::state::text_enum;
use crate::{Error, Result};

/// Ids that one filter may name.
pub const MOST_IDS: usize = 10_000;
/// A century.
const OLDEST_SECONDS: i64 = 100 * 366 * 86_400;

text_enum! {
    /// Where a job is. The first four are what is to be done, the next three how it ended; `dead` is what failed for good
    /// and was not tried again.
    JobState {
        Ready = "ready", Scheduled = "scheduled", Waiting = "waiting", Running = "running",
        Completed = "completed", Failed = "failed", Canceled = "canceled",
        Dead = "dead",
    }
}

impl JobState {
    pub(super) fn place(self) -> Place {
        match self {
            JobState::Ready | JobState::Scheduled | JobState::Waiting | JobState::Running => Place::Hot,
            JobState::Completed | JobState::Failed | JobState::Canceled => Place::History,
            JobState::Dead => Place::Dead,
        }
    }
}

/// The table that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Hot,
    History,
    Dead,
}

impl Place {
    pub(super) fn table(self) -> &'static str {
        match self {
            Place::Hot => "jobs",
            Place::History => "job_history",
            Place::Dead => "dead_letters",
        }
    }

    pub(super) fn id(self) -> &'static str {
        if self == Place::Dead { "job_id" } else { "id" }
    }

    /// Since when it is there.
    fn since(self) -> &'static str {
        match self {
            Place::Hot => "created_at",
            Place::History => "finished_at",
            Place::Dead => "failed_at",
        }
    }
}

/// What is not said is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    pub ids: Option<Vec<i64>>,
    pub state: Option<JobState>,
    pub queue: Option<String>,
    pub kind: Option<String>,
    pub project_id: Option<Uuid>,
    /// There for longer than this: since it was created, or as a dead letter since it failed.
    pub older_than_seconds: Option<i64>,
}

impl JobFilter {
    /// Whether it means everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == JobFilter::default()
    }

    pub(super) fn check(&self) -> Result<()> {
        if let Some(ids) = &self.ids
            && !(1..=MOST_IDS).contains(&ids.len())
        {
            let message = format!("must name 1 to {MOST_IDS} jobs, and names {}", ids.len());
            return Err(Error::invalid("filter.ids", message));
        }
        for (field, text) in [("filter.queue", &self.queue), ("filter.kind", &self.kind)] {
            if text.as_ref().is_some_and(|text| text.contains('\0')) {
                return Err(Error::invalid(field, "must not contain NUL characters"));
            }
        }
        match self.older_than_seconds {
            Some(seconds) if !(0..=OLDEST_SECONDS).contains(&seconds) => Err(Error::invalid(
                "filter.older_than_seconds",
                format!("must be between 0 and {OLDEST_SECONDS}, and is {seconds}"),
            )),
            _ => Ok(()),
        }
    }

    /// The conditions, on the parameters 1 to 5 that [`JobFilter::bind`] fills. Written out only when asked for, and the
    /// state as a word, so that each question has a plan of its own and may use a partial index.
    pub(super) fn conditions(&self, place: Place) -> String {
        let (id, since) = (place.id(), place.since());
        let mut sql = String::new();
        let mut say = |asked: bool, number: u8, condition: String| {
            sql.push_str(if sql.is_empty() { "" } else { " AND " });
            sql.push_str(&if asked { condition } else { format!("${number} IS NULL") });
        };
        say(self.ids.is_some(), 1, format!("j.{id} = ANY($1)"));
        say(self.queue.is_some(), 2, "j.queue = $2".to_owned());
        say(self.kind.is_some(), 3, "j.kind = $3".to_owned());
        say(self.project_id.is_some(), 4, "j.project_id = $4".to_owned());
        let age = format!("j.{since} < clock_timestamp() - $5 * interval '1 second'");
        say(self.older_than_seconds.is_some(), 5, age);
        match (place, self.state) {
            (Place::Dead, _) => sql.push_str(" AND j.redriven_at IS NULL"),
            (Place::Hot, Some(state)) => sql.push_str(&format!(" AND j.state = '{state}'")),
            (Place::History, Some(state)) => sql.push_str(&format!(" AND j.outcome = '{state}'")),
            (_, None) => {}
        }
        sql
    }

    pub(super) fn bind(&self, sql: String) -> BoxedSqlQuery<'static, Pg, SqlQuery> {
        sql_query(sql)
            .into_boxed::<Pg>()
            .bind::<Nullable<Array<BigInt>>, _>(self.ids.clone())
            .bind::<Nullable<Text>, _>(self.queue.clone())
            .bind::<Nullable<Text>, _>(self.kind.clone())
            .bind::<Nullable<SqlUuid>, _>(self.project_id)
            .bind::<Nullable<BigInt>, _>(self.older_than_seconds)
    }
}
