//! The one thread that claims: it sleeps until there may be work and a free slot, and never longer than the poll.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use titan_core::Result;
use titan_core::db::PgConnection;
use titan_core::engine::Fence;
use titan_core::queue::{self, Claim, ClaimedJob};
use uuid::Uuid;

use crate::job;
use crate::outage::Outage;
use crate::shared::Shared;

/// Who hears no hints finds work within this time, spread by a fifth so that workers do not all ask at once.
const POLL: Duration = Duration::from_millis(500);

/// Whose jobs are claimed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    Everyone,
    OneRun(Uuid),
}

pub(crate) fn run(shared: &Arc<Shared>, source: Source, runtime: &tokio::runtime::Handle) {
    let mut connection = None;
    let mut outage = Outage::new("claiming jobs");
    loop {
        match claim(shared, source, &mut connection) {
            Ok(jobs) => {
                outage.worked();
                jobs.into_iter().for_each(|job| hand_over(shared, job, runtime));
            }
            Err(error) => {
                outage.failed(&error);
                connection = None;
            }
        }
        shared.claiming.store(false, Ordering::SeqCst);
        if !shared.work.wait(POLL.mul_f64(0.8 + 0.4 * rand::random::<f64>())) {
            return;
        }
    }
}

/// As many as there are free slots.
fn claim(shared: &Shared, source: Source, connection: &mut Option<PgConnection>) -> Result<Vec<ClaimedJob>> {
    // Said before the slots are counted: one that gets free in between rings, and nothing is missed.
    shared.more_waiting.store(true, Ordering::SeqCst);
    let free = shared.slots.saturating_sub(shared.in_hand.len());
    if free == 0 {
        return Ok(Vec::new());
    }
    let limit = i64::try_from(free).unwrap_or(i64::MAX);
    let claim = Claim { worker_id: shared.worker_id(), kinds: shared.handlers.kinds(), limit };
    if connection.is_none() {
        *connection = Some(Claim::connection(&shared.db)?);
    }
    let Some(connection) = connection.as_mut() else { return Ok(Vec::new()) };
    shared.claiming.store(true, Ordering::SeqCst);
    let jobs = match source {
        Source::Everyone => queue::claim(connection, &claim)?,
        Source::OneRun(run_id) => queue::claim_run(connection, &claim, run_id)?,
    };
    shared.more_waiting.store(jobs.len() >= free, Ordering::SeqCst);
    Ok(jobs)
}

fn hand_over(shared: &Arc<Shared>, job: ClaimedJob, runtime: &tokio::runtime::Handle) {
    let (Some(run_id), Some(step)) = (job.run_id, job.step) else {
        // Nothing makes such jobs yet. The heartbeat gives it back, and a newer worker may know what it is.
        tracing::error!(job.id, job.kind, "a job without a run; this version cannot do it");
        return;
    };
    let fence = Fence { job_id: job.id, epoch: job.epoch, run_id, step };
    let stop = shared.in_hand.take(&fence);
    shared.claimed.fetch_add(1, Ordering::Relaxed);
    tracing::info!(run.id = %run_id, job.id, job.epoch, step, kind = job.kind, "claimed");
    shared.jobs.spawn_on(job::carry_out(Arc::clone(shared), job, fence, stop), runtime);
}
