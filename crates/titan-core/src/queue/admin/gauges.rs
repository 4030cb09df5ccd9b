//! The numbers for `/metrics` that stand in the database, read in one short transaction at the moment of a scrape.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use diesel::sql_types::{Array, BigInt, Double, Jsonb, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use super::queues;
use crate::db::{Prepare as _, read_only, set_local_timeouts};
use crate::meter::Snapshot;
use crate::workers::{self, Worker};
use crate::{Error, Result};

/// All statements together.
const PATIENCE: Duration = Duration::from_millis(1_800);
const MOST_TABLES: i64 = 200;

#[derive(Debug, Clone)]
pub struct Gauges {
    pub queues: Vec<QueueGauges>,
    /// How many workers of the last hour are in each status.
    pub workers_by_status: [(&'static str, usize); 4],
    /// Those that live.
    pub workers: Vec<WorkerGauges>,
    /// Who does maintenance.
    pub leader: Option<String>,
    /// How far back the oldest snapshot or transaction of this database reaches, in transaction ids. Vacuum removes nothing
    /// newer.
    pub oldest_transaction_age: i64,
    pub oldest_transaction_seconds: f64,
    pub tables: Vec<Tuples>,
}

#[derive(Debug, Clone)]
pub struct QueueGauges {
    pub name: String,
    pub paused: bool,
    pub ready: i64,
    pub scheduled: i64,
    pub waiting: i64,
    pub running: i64,
    pub dead: i64,
    pub oldest_ready_seconds: f64,
}

#[derive(Debug, Clone)]
pub struct WorkerGauges {
    /// Its name; where several that live share one, with the end of its id.
    pub label: String,
    pub slots: i32,
    pub running: i32,
    pub counted: Snapshot,
}

/// What the statistics say of a table, all its partitions together.
#[derive(Debug, Clone, QueryableByName)]
pub struct Tuples {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = BigInt)]
    pub live: i64,
    #[diesel(sql_type = BigInt)]
    pub dead: i64,
}

/// # Errors
/// When the database does not answer within two seconds.
pub fn gauges(connection: &mut PgConnection) -> Result<Gauges> {
    let until = Instant::now() + PATIENCE;
    let patient = |connection: &mut PgConnection| {
        let left = u32::try_from(until.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(0);
        if left == 0 {
            return Err(Error::Unavailable(format!("it took longer than {PATIENCE:?}")));
        }
        set_local_timeouts(connection, left, left)
    };
    read_only(connection, |connection| {
        patient(connection)?;
        let queues = queues::depths(connection, None)?.into_iter().map(QueueGauges::from).collect();
        patient(connection)?;
        let (workers_by_status, workers, leader) = workers_and_leader(connection)?;
        patient(connection)?;
        let oldest = oldest_transaction(connection)?;
        patient(connection)?;
        let tables = tables(connection)?;
        Ok(Gauges {
            queues,
            workers_by_status,
            workers,
            leader,
            oldest_transaction_age: oldest.age,
            oldest_transaction_seconds: oldest.seconds,
            tables,
        })
    })
}

impl From<queues::Row> for QueueGauges {
    fn from(row: queues::Row) -> Self {
        QueueGauges {
            name: row.name,
            paused: row.paused_at.is_some(),
            ready: row.ready,
            scheduled: row.scheduled,
            waiting: row.waiting,
            running: row.running,
            dead: row.dead,
            oldest_ready_seconds: row.oldest_ready_seconds.unwrap_or(0.0),
        }
    }
}

type Workers = ([(&'static str, usize); 4], Vec<WorkerGauges>, Option<String>);

fn workers_and_leader(connection: &mut PgConnection) -> Result<Workers> {
    let all = workers::list(connection)?;
    let by_status = ["running", "stopping", "stopped", "lost"]
        .map(|status| (status, all.iter().filter(|worker| worker.status == status).count()));
    let living: Vec<&Worker> =
        all.iter().filter(|worker| matches!(worker.status.as_str(), "running" | "stopping")).collect();
    let names: Vec<&str> = living.iter().map(|worker| worker.name.as_str()).collect();
    let mut counted = stats(connection, &living.iter().map(|worker| worker.id).collect::<Vec<_>>())?;
    let leader = leader(connection)?.map(|holder| match living.iter().find(|worker| worker.id == holder) {
        Some(worker) => label(worker.id, &worker.name, &names),
        None => holder.to_string(),
    });
    let gauges = |worker: &&Worker| WorkerGauges {
        label: label(worker.id, &worker.name, &names),
        slots: worker.slots,
        running: worker.running,
        counted: counted.remove(&worker.id).unwrap_or_default(),
    };
    let workers = living.iter().map(gauges).collect();
    Ok((by_status, workers, leader))
}

/// Two series with the same labels would make Prometheus refuse all of them, and names are not unique.
fn label(id: Uuid, name: &str, names: &[&str]) -> String {
    if names.iter().filter(|other| **other == name).count() < 2 {
        return name.to_owned();
    }
    // The beginning of an id is a time, which two that were started together share.
    let id = id.simple().to_string();
    format!("{name}-{}", id.get(24..).unwrap_or(&id))
}

fn stats(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Snapshot>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Jsonb)]
        stats: Value,
    }
    let rows: Vec<Row> = sql_query("SELECT id, stats FROM workers WHERE id = ANY($1)")
        .bind::<Array<SqlUuid>, _>(ids)
        .prepared()
        .load(connection)?;
    // What a worker of another version wrote, and this one cannot read, counts as nothing.
    Ok(rows.into_iter().map(|row| (row.id, serde_json::from_value(row.stats).unwrap_or_default())).collect())
}

fn leader(connection: &mut PgConnection) -> Result<Option<Uuid>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        holder: Uuid,
    }
    let rows: Vec<Row> =
        sql_query("SELECT holder FROM leaders WHERE role = 'maintenance' AND expires_at > clock_timestamp()")
            .prepared()
            .load(connection)?;
    Ok(rows.into_iter().next().map(|row| row.holder))
}

#[derive(QueryableByName)]
struct Oldest {
    #[diesel(sql_type = BigInt)]
    age: i64,
    #[diesel(sql_type = Double)]
    seconds: f64,
}

/// Vacuum does not count: it holds nothing up.
fn oldest_transaction(connection: &mut PgConnection) -> Result<Oldest> {
    Ok(sql_query(
        "SELECT coalesce(max(greatest(age(backend_xmin), age(backend_xid))), 0)::bigint AS age, \
         greatest(0, coalesce(extract(epoch FROM clock_timestamp() - min(xact_start)), 0))::float8 AS seconds \
         FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
         AND backend_type <> 'autovacuum worker'",
    )
    .prepared()
    .get_result(connection)?)
}

fn tables(connection: &mut PgConnection) -> Result<Vec<Tuples>> {
    Ok(sql_query(
        "SELECT regexp_replace(relname, '^job_history_.*$', 'job_history') AS name, sum(n_live_tup)::bigint AS live, \
         sum(n_dead_tup)::bigint AS dead FROM pg_stat_user_tables WHERE schemaname = current_schema() GROUP BY 1 ORDER BY 1 \
         LIMIT $1",
    )
    .bind::<BigInt, _>(MOST_TABLES)
    .prepared()
    .load(connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_with_one_name_are_told_apart() {
        let names = ["w", "w", "v"];
        assert_eq!(label(Uuid::from_u128(1), "w", &names), "w-00000001");
        assert_eq!(label(Uuid::from_u128(2), "w", &names), "w-00000002");
        assert_eq!(label(Uuid::from_u128(3), "v", &names), "v");
    }
}
