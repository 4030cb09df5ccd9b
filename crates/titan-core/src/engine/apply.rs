//! A batch of transitions in one transaction: load, story, save, commit.

use chrono::{DateTime, Utc};
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::sql_types::{Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::transition::{Applied, Transition};
use super::{load, save, story};
use crate::queue::Hint;
use crate::{Error, Result};

/// What a batch came to. Each answer belongs to the transition at the same place.
pub struct Batch {
    pub answers: Vec<Result<Applied>>,
    /// To be sent after the commit, so that nobody looks too early.
    pub hints: Vec<Hint>,
}

/// A batch that failed as a whole, and how far it had come.
pub(super) struct Failed {
    pub(super) error: Error,
    /// Set when COMMIT was sent: the transaction that may or may not have happened, and what it would have come to.
    pub(super) unsure: Option<(String, Batch)>,
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
    try_apply(connection, batch).map_err(|failed| if failed.unsure.is_some() { Error::Uncertain } else { failed.error })
}

/// Applies a single transition on a connection at hand.
///
/// # Errors
/// The batch's or the transition's own.
pub fn apply_one(connection: &mut PgConnection, transition: Transition) -> Result<(Applied, Vec<Hint>)> {
    let Batch { answers, hints } = apply(connection, &[transition])?;
    let answer = answers.into_iter().next().unwrap_or_else(|| Err(Error::Internal("no answer".to_owned())))?;
    Ok((answer, hints))
}

pub(super) fn try_apply(connection: &mut PgConnection, batch: &[Transition]) -> std::result::Result<Batch, Failed> {
    let before_commit = |error| Failed { error, unsure: None };
    AnsiTransactionManager::begin_transaction(connection).map_err(|error| before_commit(error.into()))?;
    match write(connection, batch) {
        Err(error) => {
            // A connection that cannot even roll back is broken; its owner finds that out with the next use.
            let _ = AnsiTransactionManager::rollback_transaction(connection);
            Err(before_commit(error))
        }
        Ok((xid, done)) => match AnsiTransactionManager::commit_transaction(connection) {
            Ok(()) => Ok(done),
            Err(error) => {
                // Whatever went wrong with it: once COMMIT was sent, only the server knows.
                Err(Failed { error: Error::from(error), unsure: Some((xid, done)) })
            }
        },
    }
}

fn write(connection: &mut PgConnection, batch: &[Transition]) -> Result<(String, Batch)> {
    let begun: Begun =
        sql_query("SELECT clock_timestamp() AS now, pg_current_xact_id()::text AS xid").get_result(connection)?;
    let world = load::load(connection, batch, begun.now)?;
    let mut story = story::Story::new(world);
    let answers = batch.iter().enumerate().map(|(index, transition)| story.tell(index, transition)).collect();
    save::save(connection, &story)?;
    let hints = hints_of(story);
    Ok((begun.xid, Batch { answers, hints }))
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
