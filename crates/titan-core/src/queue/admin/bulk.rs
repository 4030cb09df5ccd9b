//! One action on many jobs: counted first, then done in batches by ascending id, so that it can be shown before it is
//! done, and neither holds many rows nor begins twice with the same.
//!
//! What ends is ended by the engine: a job of a run with its run, a job without one alone.

use std::collections::BTreeMap;

use diesel::sql_types::{Array, BigInt, Nullable, Uuid as SqlUuid};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dead_letters::{self, Redriven};
use super::filter::{JobFilter, JobState, Place};
use super::look;
use crate::db::{Db, Prepare as _};
use crate::engine::{CancelJob, CancelRun, Canceled, Committer};
use crate::queue::due::{self, Due};
use crate::queue::{Hint, Notifier};
use crate::state::text_enum;
use crate::{Error, Result};

/// Jobs that are taken on at once.
pub const BATCH: i64 = 500;
/// Of more jobs than this it is only said that there are so many.
pub const MOST_COUNTED: i64 = 1_000_000;
/// The reason that a run's log shows.
const REASON: &str = "canceled by a person, together with other jobs";

text_enum! {
    Action {
        // Jobs that are to be done end; of a job of a run, the whole run does.
        Cancel = "cancel",
        // Scheduled jobs do not wait any longer.
        Retry = "retry",
        // What failed for good is tried again.
        Redrive = "redrive",
    }
}

impl Action {
    fn place(self) -> Place {
        match self {
            Action::Cancel | Action::Retry => Place::Hot,
            Action::Redrive => Place::Dead,
        }
    }

    /// The filter as the action means it.
    fn narrow(self, mut filter: JobFilter) -> Result<JobFilter> {
        filter.check()?;
        let (fits, states) = match (self, filter.state) {
            (_, None) => (true, ""),
            (Action::Cancel, Some(state)) => (state.place() == Place::Hot, "ready, scheduled, waiting or running"),
            (Action::Retry, Some(state)) => (state == JobState::Scheduled, "scheduled"),
            (Action::Redrive, Some(state)) => (state == JobState::Dead, "dead"),
        };
        if !fits {
            return Err(Error::invalid("filter.state", format!("must be {states} for {self}")));
        }
        if self == Action::Retry {
            filter.state = Some(JobState::Scheduled);
        }
        Ok(filter)
    }
}

/// What is to be done, and to which jobs.
#[derive(Debug, Clone)]
pub struct Bulk {
    pub action: Action,
    pub filter: JobFilter,
    /// Only count.
    pub preview: bool,
    /// Jobs that are taken on at most.
    pub limit: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct BulkResult {
    pub action: Action,
    pub preview: bool,
    /// Jobs that the filter meant at the beginning; counted up to a million.
    pub matched: i64,
    pub changed: i64,
    /// Taken on, but something else had happened to them, or would not let them.
    pub skipped: i64,
    /// Matched and not taken on, because of the limit: ask again.
    pub remaining: i64,
}

/// What became of one batch.
#[derive(Default)]
struct Handled {
    changed: usize,
    /// Whether workers have something to do now.
    any_ready: bool,
}

#[derive(Debug, QueryableByName)]
struct Meant {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    run_id: Option<Uuid>,
}

/// Does it, or only counts. What was done before an error stays done.
///
/// # Errors
/// What is wrong with the filter, or that the database did not answer.
pub async fn bulk(db: &Db, committer: &Committer, notifier: &Notifier, bulk: Bulk) -> Result<BulkResult> {
    let Bulk { action, filter, preview, limit } = bulk;
    let filter = action.narrow(filter)?;
    let counted = filter.clone();
    let matched = db.run(move |connection| count(connection, &counted, action.place())).await?;
    let mut result = BulkResult { action, preview, matched, changed: 0, skipped: 0, remaining: matched };
    if preview {
        return Ok(result);
    }
    let mut after = i64::MIN;
    // What comes while this goes on has a higher id, and is left for the next call.
    let mut left = limit.min(matched);
    while left > 0 {
        let (filter, most) = (filter.clone(), left.min(BATCH));
        let meant = db.run(move |connection| select(connection, &filter, action.place(), after, most)).await?;
        let Some(last) = meant.last() else { break };
        after = last.id;
        let taken = i64::try_from(meant.len()).unwrap_or(i64::MAX);
        let handled = match action {
            Action::Cancel => cancel(committer, meant).await?,
            Action::Retry => {
                let ids: Vec<i64> = meant.iter().map(|job| job.id).collect();
                db.run(move |connection| retry(connection, &ids)).await?
            }
            Action::Redrive => {
                let ids: Vec<i64> = meant.iter().map(|job| job.id).collect();
                let Redriven { letters, any_ready } = dead_letters::redrive(db, committer, ids).await?;
                Handled { changed: letters, any_ready }
            }
        };
        let mut hints = vec![Hint::queue_change()];
        if handled.any_ready {
            hints.push(Hint::Jobs);
        }
        notifier.send(hints);
        let changed = i64::try_from(handled.changed).unwrap_or(taken);
        result.changed += changed;
        result.skipped += taken - changed;
        left -= taken;
    }
    result.remaining = (matched - result.changed - result.skipped).max(0);
    Ok(result)
}

fn count(connection: &mut PgConnection, filter: &JobFilter, place: Place) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let sql = format!(
        "SELECT count(*) AS n FROM (SELECT FROM {} j WHERE {} LIMIT $6) AS meant",
        place.table(),
        filter.conditions(place)
    );
    look(connection, |connection| {
        let row: Row = filter.bind(sql).bind::<BigInt, _>(MOST_COUNTED).get_result(connection)?;
        Ok(row.n)
    })
}

fn select(
    connection: &mut PgConnection,
    filter: &JobFilter,
    place: Place,
    after: i64,
    most: i64,
) -> Result<Vec<Meant>> {
    let id = place.id();
    let sql = format!(
        "SELECT j.{id} AS id, j.run_id FROM {} j WHERE {} AND j.{id} > $6 ORDER BY j.{id} LIMIT $7",
        place.table(),
        filter.conditions(place)
    );
    look(connection, |connection| {
        Ok(filter.bind(sql).bind::<BigInt, _>(after).bind::<BigInt, _>(most).load(connection)?)
    })
}

/// The runs of those that have one, and the others themselves, all at once: the committer makes few transactions of them.
async fn cancel(committer: &Committer, jobs: Vec<Meant>) -> Result<Handled> {
    // Several jobs may belong to one run, which is canceled once.
    let mut jobs_of: BTreeMap<(Option<Uuid>, i64), usize> = BTreeMap::new();
    for job in jobs {
        let id = if job.run_id.is_some() { 0 } else { job.id };
        *jobs_of.entry((job.run_id, id)).or_default() += 1;
    }
    let stop = async |(run_id, job_id): (Option<Uuid>, i64), jobs: usize| {
        let cancel = match run_id {
            Some(run_id) => CancelRun { run_id, reason: REASON.to_owned() }.into(),
            None => CancelJob { job_id }.into(),
        };
        (jobs, committer.cancel(cancel).await)
    };
    let mut handled = Handled::default();
    for (jobs, answer) in futures_util::future::join_all(jobs_of.into_iter().map(|(what, jobs)| stop(what, jobs))).await
    {
        match answer {
            Ok(Canceled::Now | Canceled::Requested) => handled.changed += jobs,
            Ok(Canceled::HadEnded) => {}
            Err(error) if error.may_pass() => return Err(error),
            Err(error) => tracing::debug!(%error, "not canceled with the others"),
        }
    }
    Ok(handled)
}

/// What waits for its time waits no longer; for a limit it may still have to.
fn retry(connection: &mut PgConnection, ids: &[i64]) -> Result<Handled> {
    connection.transaction(|connection| {
        let scheduled: Vec<Due> = sql_query(
            "SELECT id, queue, priority, project_id, limit_key FROM jobs WHERE id = ANY($1) AND state = 'scheduled' \
             ORDER BY id FOR UPDATE",
        )
        .bind::<Array<BigInt>, _>(ids)
        .prepared()
        .load(connection)?;
        let woken = due::wake(connection, &scheduled)?;
        Ok(Handled { changed: woken.jobs, any_ready: woken.any_ready })
    })
}
