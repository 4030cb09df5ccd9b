//! A batch of transitions in one transaction: load, story, save, commit. A claim may ride with it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager};
use diesel::sql_types::{Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::transition::{Applied, Taken, Transition};
use super::{context, load, save, story};
use crate::db::Prepare as _;
use crate::queue::{self, Claim, ClaimedJob, Hint};
use crate::{Error, Result};

/// What a batch came to. Each answer belongs to the transition at the same place.
#[derive(Default)]
pub struct Batch {
    pub answers: Vec<Result<Applied>>,
    /// The jobs that the claim brought.
    pub taken: Vec<Taken>,
    /// To be sent after the commit, so that nobody looks too early.
    pub hints: Vec<Hint>,
}

/// A batch that failed as a whole, and how far it had come.
pub(super) struct Failed {
    pub(super) error: Error,
    /// Set when COMMIT was sent: the transaction that may or may not have happened, and what it would have come to.
    pub(super) unsure: Option<Box<(String, Batch)>>,
}

#[derive(QueryableByName)]
struct Begun {
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    xid: String,
}

/// Applies a batch. A transition that is refused by the rules is an `Err` among the answers and harms no other.
///
/// # Errors
/// When the database refused or lost the batch as a whole.
pub fn apply(connection: &mut PgConnection, batch: &[Transition]) -> Result<Batch> {
    apply_with_claim(connection, batch, None)
}

/// The same, with a claim.
///
/// # Errors
/// As above.
pub fn apply_with_claim(connection: &mut PgConnection, batch: &[Transition], claim: Option<&Claim>) -> Result<Batch> {
    try_apply(connection, None, batch, claim)
        .map_err(|failed| if failed.unsure.is_some() { Error::Uncertain } else { failed.error })
}

/// Applies a single transition on a connection at hand.
///
/// # Errors
/// The batch's or the transition's own.
pub fn apply_one(connection: &mut PgConnection, transition: Transition) -> Result<(Applied, Vec<Hint>)> {
    let Batch { answers, hints, .. } = apply(connection, &[transition])?;
    let answer = answers.into_iter().next().unwrap_or_else(|| Err(Error::Internal("no answer".to_owned())))?;
    Ok((answer, hints))
}

/// `settings` are statements to begin with, where the connection's session cannot keep settings.
pub(super) fn try_apply(
    connection: &mut PgConnection,
    settings: Option<&str>,
    batch: &[Transition],
    claim: Option<&Claim>,
) -> std::result::Result<Batch, Failed> {
    let before_commit = |error| Failed { error, unsure: None };
    AnsiTransactionManager::begin_transaction(connection).map_err(|error| before_commit(error.into()))?;
    let prepared = settings.map_or(Ok(()), |settings| connection.batch_execute(settings)).map_err(Error::from);
    match prepared.and_then(|()| write(connection, batch, claim)) {
        Err(error) => {
            // A connection that cannot even roll back is broken; its owner finds that out with the next use.
            let _ = AnsiTransactionManager::rollback_transaction(connection);
            Err(before_commit(error))
        }
        Ok((xid, done)) => match AnsiTransactionManager::commit_transaction(connection) {
            Ok(()) => Ok(done),
            Err(error) => {
                // Whatever went wrong with it: once COMMIT was sent, only the server knows.
                Err(Failed { error: Error::from(error), unsure: xid.map(|xid| Box::new((xid, done))) })
            }
        },
    }
}

/// The number of the transaction is none when nothing was written.
fn write(
    connection: &mut PgConnection,
    batch: &[Transition],
    claim: Option<&Claim>,
) -> Result<(Option<String>, Batch)> {
    // A look at an empty queue takes no transaction number, and so leaves no trace in the log of Postgres.
    let mut early = Vec::new();
    if let (true, Some(claim)) = (batch.is_empty(), claim) {
        early = queue::claim(connection, claim)?;
        if early.is_empty() {
            return Ok((None, Batch::default()));
        }
    }
    let begun: Begun = sql_query("SELECT clock_timestamp() AS now, pg_current_xact_id()::text AS xid")
        .prepared()
        .get_result(connection)?;
    let claims = |connection: &mut PgConnection| match claim {
        Some(claim) if !batch.is_empty() => queue::claim(connection, claim),
        _ => Ok(early),
    };
    let (world, claimed) = load::load(connection, batch, begun.now, claims)?;
    let mut contexts = match claim {
        Some(claim) if claim.context => context::of(connection, &claimed)?,
        _ => HashMap::new(),
    };
    let mut story = story::Story::new(world);
    let mut done = Batch {
        answers: batch.iter().enumerate().map(|(index, transition)| story.tell(index, transition)).collect(),
        ..Batch::default()
    };
    // What the batch has ended is not to be begun.
    contexts.retain(|id, _| !story.changes.ended_jobs.contains_key(id));
    let taken = |job: ClaimedJob| Taken { context: contexts.remove(&job.id), job };
    done.taken = claimed.into_iter().map(taken).collect();
    save::save(connection, &mut story, &mut done.answers)?;
    done.hints = hints_of(story);
    Ok((Some(begun.xid), done))
}

/// The story's own hints, and one for each run that has new events.
fn hints_of(story: story::Story) -> Vec<Hint> {
    let mut hints = story.hints;
    let runs = story.changes.runs.iter().filter_map(|id| story.world.runs.get(id));
    hints.extend(runs.map(|run| Hint::Run {
        id: run.id,
        project_id: run.project_id,
        seq: run.last_seq,
        ended: run.status.is_terminal(),
    }));
    hints
}
