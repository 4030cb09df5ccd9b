//! What is old goes: days of history as whole partitions, the rest in batches.

use diesel::sql_types::{BigInt, Integer};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::LIMIT;
use crate::{Result, idempotency, memories};

/// How long dead letters can still be tried again.
const DEAD_LETTER_DAYS: i32 = 90;
/// How long a delivery of a webhook is known again.
const DELIVERY_DAYS: i32 = 7;

/// What is not kept for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Rows of the history that came before the partition of their day, for so many days.
    StrayHistory {
        days: i32,
    },
    DeadLetters,
    IdempotencyKeys,
    /// Workers that have been gone for a day.
    Workers,
    /// Tallies of more than a day ago.
    Tallies,
    /// Memories that have expired.
    ExpiredMemories,
    /// Memories that were last written so many days ago.
    OldMemories {
        days: i32,
    },
    /// What was searched for.
    Queries,
    /// Calls of the offline model, which cost nothing. The others stay: they are what was paid for.
    OfflineCalls {
        days: i32,
    },
    /// Files that no message asked for within a day.
    Attachments,
    /// Deliveries of webhooks: a sender repeats them for some days at most.
    WebhookDeliveries,
}

/// Drops the days of the history that ended more than `days` ago. Returns how many. It needs a lock that stops whoever
/// ends a job, so the caller sees to it that it is not waited for long.
///
/// # Errors
/// When the database does not answer, or somebody has been reading the history for too long.
pub fn drop_history(connection: &mut PgConnection, days: i32) -> Result<usize> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        dropped: i32,
    }
    let row: Row = sql_query("SELECT titan_drop_history_partitions($1) AS dropped")
        .bind::<Integer, _>(days)
        .get_result(connection)?;
    Ok(usize::try_from(row.dropped).unwrap_or(0))
}

/// Deletes what is too old, at most [`super::BATCH`] rows. Returns how many there were.
///
/// # Errors
/// When the database does not answer.
pub fn forget(connection: &mut PgConnection, kept: Kept) -> Result<usize> {
    let (sql, days) = match kept {
        Kept::IdempotencyKeys => return idempotency::forget_expired(connection, LIMIT),
        Kept::ExpiredMemories => return memories::forget_expired(connection, LIMIT),
        Kept::OldMemories { days } => return memories::forget_older(connection, days, LIMIT),
        Kept::Queries => return memories::forget_queries(connection, LIMIT),
        Kept::StrayHistory { days } => (
            "DELETE FROM job_history_default WHERE ctid = ANY (ARRAY(SELECT ctid FROM job_history_default \
             WHERE finished_at < now() - $1 * interval '1 day' ORDER BY finished_at, id LIMIT $2))",
            days,
        ),
        Kept::OfflineCalls { days } => (
            "DELETE FROM model_calls WHERE ctid = ANY (ARRAY(SELECT ctid FROM model_calls \
             WHERE created_at < now() - $1 * interval '1 day' AND provider = 'offline' LIMIT $2))",
            days,
        ),
        Kept::DeadLetters => (
            "DELETE FROM dead_letters WHERE job_id IN (SELECT job_id FROM dead_letters \
             WHERE failed_at < now() - $1 * interval '1 day' ORDER BY failed_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
            DEAD_LETTER_DAYS,
        ),
        Kept::Workers => (
            "DELETE FROM workers WHERE id IN (SELECT id FROM workers w WHERE heartbeat_at < now() - $1 * interval '1 day' \
             AND NOT EXISTS (SELECT FROM jobs j WHERE j.worker_id = w.id AND j.state = 'running') \
             ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
            1,
        ),
        Kept::Tallies => (
            "DELETE FROM job_tallies WHERE ctid = ANY (ARRAY(SELECT ctid FROM job_tallies \
             WHERE minute < now() - $1 * interval '1 day' ORDER BY minute LIMIT $2))",
            1,
        ),
        Kept::WebhookDeliveries => (
            "DELETE FROM webhook_deliveries WHERE ctid = ANY (ARRAY(SELECT ctid FROM webhook_deliveries \
             WHERE received_at < now() - $1 * interval '1 day' ORDER BY received_at LIMIT $2))",
            DELIVERY_DAYS,
        ),
        Kept::Attachments => (
            "DELETE FROM attachments WHERE id IN (SELECT id FROM attachments WHERE used_at IS NULL \
             AND asked_at < now() - $1 * interval '1 day' ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
            1,
        ),
    };
    Ok(sql_query(sql).bind::<Integer, _>(days).bind::<BigInt, _>(LIMIT).execute(connection)?)
}
