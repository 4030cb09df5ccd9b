//! The numbers that Prometheus scrapes: the queue and the database as they are at this moment, the workers as they last
//! said, and this process.

use std::time::Duration;

use actix_web::HttpResponse;
use titan_core::meter::{Meter, Snapshot};
use titan_core::queue::admin::{self, Gauges, QueueGauges, WorkerGauges};

use super::State;
use crate::access::{Access, Public};
use crate::metrics::{CONTENT_TYPE, Kind, Text};

/// A scrape that takes longer goes without the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// Metrics for Prometheus
///
/// It answers within two seconds also while the database does not: `titan_database_up` is 0 then, and what stands in the
/// database is left out.
#[utoipa::path(get, path = "/metrics", tag = "system",
    responses((status = 200, body = String, content_type = "text/plain; version=0.0.4; charset=utf-8")))]
pub async fn get_metrics(_: Access<Public>, state: State) -> HttpResponse {
    let gauges = match tokio::time::timeout(PATIENCE, state.db.run(admin::gauges)).await {
        Ok(Ok(gauges)) => Some(gauges),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database could not be asked for metrics");
            None
        }
        Err(_) => {
            tracing::warn!("the database did not answer in time for metrics");
            None
        }
    };
    let mut text = Text::default();
    let up = if gauges.is_some() { 1.0 } else { 0.0 };
    text.family(Kind::Gauge, "titan_database_up", "Whether the database answered this scrape in time.").sample(&[], up);
    if let Some(gauges) = &gauges {
        queue(&mut text, gauges);
        workers(&mut text, gauges);
        database(&mut text, gauges);
    }
    process(&mut text, &Meter::get().snapshot());
    state.traffic.write(&mut text);
    HttpResponse::Ok().content_type(CONTENT_TYPE).body(text.finish())
}

fn queue(text: &mut Text, gauges: &Gauges) {
    let mut family = text.family(Kind::Gauge, "titan_jobs", "Jobs that are to be done, by state.");
    for queue in &gauges.queues {
        let states = [
            ("ready", queue.ready),
            ("scheduled", queue.scheduled),
            ("waiting", queue.waiting),
            ("running", queue.running),
        ];
        for (state, count) in states {
            family.sample(&[("queue", &queue.name), ("state", state)], number(count));
        }
    }
    let mut per_queue = |name, help, value: fn(&QueueGauges) -> f64| {
        let mut family = text.family(Kind::Gauge, name, help);
        for queue in &gauges.queues {
            family.sample(&[("queue", &queue.name)], value(queue));
        }
    };
    per_queue("titan_oldest_ready_seconds", "How long the oldest ready job could have run already.", |queue| {
        queue.oldest_ready_seconds
    });
    per_queue("titan_dead_letters", "Jobs that failed for good and were not tried again.", |queue| number(queue.dead));
    per_queue("titan_queue_paused", "Whether the queue is paused.", |queue| f64::from(u8::from(queue.paused)));
}

fn workers(text: &mut Text, gauges: &Gauges) {
    let mut family = text.family(Kind::Gauge, "titan_workers", "Workers of the last hour, by status.");
    for (status, count) in gauges.workers_by_status {
        family.sample(&[("status", status)], number(i64::try_from(count).unwrap_or(i64::MAX)));
    }
    let mut per_worker = |kind, name, help, value: fn(&WorkerGauges) -> f64| {
        let mut family = text.family(kind, name, help);
        for worker in &gauges.workers {
            family.sample(&[("worker", &worker.label)], value(worker));
        }
    };
    per_worker(Kind::Gauge, "titan_worker_slots", "Jobs that a worker does at once at most.", |w| f64::from(w.slots));
    per_worker(Kind::Gauge, "titan_worker_running", "Jobs that a worker is doing.", |w| f64::from(w.running));
    let mut counter = |name, help, value| per_worker(Kind::Counter, name, help, value);
    counter("titan_claims_total", "Claim statements of a worker.", |w| total(w.counted.claims));
    counter("titan_claimed_total", "Jobs that a worker claimed.", |w| total(w.counted.claimed));
    counter("titan_flushes_total", "Transactions of a worker's committer.", |w| total(w.counted.flushes));
    counter("titan_flushed_total", "Transitions in them.", |w| total(w.counted.flushed));
    counter("titan_flush_seconds_total", "Time that they took.", |w| seconds(w.counted.flush_us));
    counter("titan_fenced_total", "Writes that were refused because the job was lost.", |w| total(w.counted.fenced));
    counter("titan_started_total", "Jobs begun.", |w| total(w.counted.started));
    counter("titan_finished_total", "Jobs finished, whatever the outcome.", |w| total(w.counted.finished));
    counter("titan_failed_total", "Jobs that failed for good.", |w| total(w.counted.failed));
    counter("titan_retried_total", "Attempts that failed and are tried again.", |w| total(w.counted.retried));
    counter("titan_rescued_total", "Jobs that a worker took from lost ones.", |w| total(w.counted.rescued));
    let mut family = text.family(Kind::Gauge, "titan_leader", "1 for the worker that does maintenance.");
    if let Some(leader) = &gauges.leader {
        family.sample(&[("worker", leader)], 1.0);
    }
}

fn database(text: &mut Text, gauges: &Gauges) {
    let help = "Transaction ids since the oldest snapshot or transaction began; vacuum removes nothing newer.";
    let age = number(gauges.oldest_transaction_age);
    text.family(Kind::Gauge, "titan_database_oldest_transaction_age", help).sample(&[], age);
    let help = "How long the oldest transaction has been open.";
    let seconds = gauges.oldest_transaction_seconds;
    text.family(Kind::Gauge, "titan_database_oldest_transaction_seconds", help).sample(&[], seconds);
    let help = "Rows that vacuum has yet to remove, as the statistics know.";
    let mut family = text.family(Kind::Gauge, "titan_table_dead_tuples", help);
    for table in &gauges.tables {
        family.sample(&[("table", &table.name)], number(table.dead));
    }
    let mut family = text.family(Kind::Gauge, "titan_table_live_tuples", "Rows, as the statistics know.");
    for table in &gauges.tables {
        family.sample(&[("table", &table.name)], number(table.live));
    }
}

fn process(text: &mut Text, counted: &Snapshot) {
    let mut counter = |name, help, value| {
        text.family(Kind::Counter, name, help).sample(&[], value);
    };
    counter("titan_api_flushes_total", "Transactions of the API's committer.", total(counted.flushes));
    counter("titan_api_flushed_total", "Transitions in them.", total(counted.flushed));
    counter("titan_api_flush_seconds_total", "Time that they took.", seconds(counted.flush_us));
    counter("titan_api_pool_waits_total", "Connections taken from the pool.", total(counted.pool_waits));
    counter("titan_api_pool_wait_seconds_total", "Time until they were there.", seconds(counted.pool_wait_us));
}

// Prometheus knows only floats; they are exact up to 2^53.
#[allow(clippy::cast_precision_loss)]
fn number(count: i64) -> f64 {
    count as f64
}

#[allow(clippy::cast_precision_loss)]
fn total(count: u64) -> f64 {
    count as f64
}

fn seconds(micros: u64) -> f64 {
    total(micros) / 1e6
}
