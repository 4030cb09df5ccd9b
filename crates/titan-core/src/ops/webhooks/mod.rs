//! Webhooks: a forge says that something has happened, and the proposal that sleeps until then looks at once. Nothing that a delivery
//! says is taken for a fact: the stage asks the forge, as it does without webhooks, so that a lost delivery costs time and nothing else.
//!
//! - `news`: what a delivery is about.
//! - Here: each delivery has one effect, and many of them at once are few looks.
//!
//! Whether it was the forge that sent it is the API's to find out, before any of this.

mod news;

use std::time::Duration;

use diesel::sql_types::{Array, BigInt, Binary, Text, Uuid as SqlUuid};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::engine::{self, Batch, Wake};
use crate::queue::Hint;
use crate::state::{WaitingOn, text_enum};
use crate::{Error, Result};

pub use news::{MOST_NAMES, News, Topic, read};

text_enum! {
    /// Who sends them.
    Source { GitHub = "github", Forgejo = "forgejo" }
}

/// The first look comes after this, so that whatever happened together is seen together.
const SOON: Duration = Duration::from_secs(1);
/// While there are many deliveries of one proposal, its looks come one second later for each so many of the last minute,
const DELIVERIES_A_SECOND: i64 = 10;
/// and at the latest after this, which is not long before they would come by themselves.
const LATEST: Duration = Duration::from_secs(15);

/// A delivery that its sender has signed.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub source: Source,
    /// As the sender numbers them; 1 to 200 characters.
    pub id: String,
    /// 1 to 100 characters.
    pub event: String,
    /// The SHA-256 of the body.
    pub digest: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// These proposals are under way, and look again soon if they are asleep for it.
    Told(Vec<Uuid>),
    /// It had its effect when it came first.
    Before,
    /// It is about no proposal that is under way.
    Nobody,
}

/// Writes a delivery down and wakes whoever waits for such news, in one transaction: who does not hear that it was done may send it again.
///
/// # Errors
/// When the database does not answer.
pub fn receive(connection: &mut PgConnection, new: &NewDelivery, news: &News) -> Result<(Received, Vec<Hint>)> {
    connection.transaction(|connection| {
        let about = about(connection, news)?;
        if about.is_empty() {
            return Ok((Received::Nobody, Vec::new()));
        }
        let proposals: Vec<Uuid> = about.iter().map(|about| about.task_id).collect();
        if !is_first(connection, new, news.topic, &proposals)? {
            return Ok((Received::Before, Vec::new()));
        }
        let wakes = about.iter().flat_map(|about| {
            let within = pause(about.lately);
            waits_for(news.topic).iter().map(move |on| Wake::for_news(about.run_id, *on, within).into())
        });
        // Together, so that runs are locked in the order in which everybody locks them.
        let Batch { answers, hints, .. } = engine::apply(connection, &wakes.collect::<Vec<_>>())?;
        // A run that was removed in this very moment waits for nothing.
        let refused = answers.into_iter().filter_map(Result::err).find(|error| !matches!(error, Error::NotFound(..)));
        match refused {
            None => Ok((Received::Told(proposals), hints)),
            Some(error) => Err(error),
        }
    })
}

/// Who sleeps for what. A person is waited for until they decide, and no check of the forge changes anything about that.
fn waits_for(topic: Topic) -> &'static [WaitingOn] {
    match topic {
        Topic::Branch => &[WaitingOn::Event, WaitingOn::Approval, WaitingOn::Input],
        Topic::Checks => &[WaitingOn::Event],
    }
}

/// How long news are gathered before there is a look, when so many deliveries came within the last minute.
fn pause(lately: i64) -> Duration {
    let seconds = u64::try_from(lately / DELIVERIES_A_SECOND).unwrap_or_default();
    Duration::from_secs(seconds).clamp(SOON, LATEST)
}

#[derive(QueryableByName)]
struct About {
    #[diesel(sql_type = SqlUuid)]
    task_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
    /// Deliveries within the last minute.
    #[diesel(sql_type = BigInt)]
    lately: i64,
}

/// The proposals under way whose branch or commit is named.
fn about(connection: &mut PgConnection, news: &News) -> Result<Vec<About>> {
    Ok(sql_query(
        "SELECT p.task_id, t.latest_run_id AS run_id, \
           (SELECT count(*) FROM webhook_deliveries d WHERE d.task_ids @> ARRAY[p.task_id] \
            AND d.received_at > clock_timestamp() - interval '1 minute') AS lately \
         FROM ops_proposals p JOIN tasks t ON t.id = p.task_id \
         WHERE t.execution_status IN ('queued', 'in_progress') AND t.latest_run_id IS NOT NULL \
         AND (p.task_id = ANY($1) OR EXISTS (SELECT FROM steps s WHERE s.run_id = t.latest_run_id AND s.kind = 'ops.patch' \
              AND s.output->>'commit' = ANY($2))) \
         ORDER BY p.task_id LIMIT $3",
    )
    .bind::<Array<SqlUuid>, _>(&news.proposals)
    .bind::<Array<Text>, _>(&news.commits)
    .bind::<BigInt, _>(MOST_NAMES as i64)
    .load(connection)?)
}

/// Whether neither its number nor its body came before. Of two that come at once one waits here for the other.
fn is_first(connection: &mut PgConnection, new: &NewDelivery, topic: Topic, proposals: &[Uuid]) -> Result<bool> {
    let written = sql_query(
        "INSERT INTO webhook_deliveries (source, delivery_id, digest, event, topic, task_ids) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(new.source)
    .bind::<Text, _>(&new.id)
    .bind::<Binary, _>(new.digest.as_slice())
    .bind::<Text, _>(&new.event)
    .bind::<Text, _>(topic)
    .bind::<Array<SqlUuid>, _>(proposals)
    .execute(connection)?;
    Ok(written == 1)
}

/// Whom a person is waited for by although there was news since: it came while they looked, and so found nobody asleep. Others look
/// again within half a minute anyway.
///
/// # Errors
/// When the database does not answer.
pub fn overslept(connection: &mut PgConnection) -> Result<Vec<Wake>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = Text)]
        waiting_on: WaitingOn,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT s.run_id, s.waiting_on FROM ops_proposals p JOIN tasks t ON t.id = p.task_id JOIN steps s ON s.run_id = t.latest_run_id \
         WHERE s.waiting_on IN ('approval', 'input') AND t.execution_status IN ('queued', 'in_progress') \
         AND EXISTS (SELECT FROM webhook_deliveries d WHERE d.task_ids @> ARRAY[p.task_id] AND d.topic = 'branch' \
             AND d.received_at >= s.waiting_since) LIMIT 100",
    )
    .load(connection)?;
    Ok(rows.into_iter().map(|row| Wake::for_news(row.run_id, row.waiting_on, SOON)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_there_is_the_more_is_gathered() {
        let pauses = [0, 1, 19, 20, 100, 149, 150, 100_000].map(|lately| pause(lately).as_secs());
        assert_eq!(pauses, [1, 1, 1, 2, 10, 14, 15, 15]);
    }
}
