//! What a person sees of the queue and may do to it: queues, jobs, limits, dead letters, and the numbers for the metrics.
//!
//! Nothing here is on the path of a job. What ends a job is the engine's.

mod bulk;
mod dead_letters;
mod filter;
mod gauges;
mod jobs;
mod limits;
mod queues;

use diesel::PgConnection;

use crate::Result;
use crate::db::{read_only, set_local_timeouts};

pub use bulk::{Action, BATCH, Bulk, BulkResult, MOST_COUNTED, bulk};
pub use filter::{JobFilter, JobState, MOST_IDS};
pub use gauges::{Gauges, QueueGauges, Tuples, WorkerGauges, gauges};
pub use jobs::{Job, list_jobs};
pub use limits::{Limit, LimitRule, delete_limit, list_limits, put_limit};
pub use queues::{MOST_QUEUES, Minute, Queue, create_queue, get_queue, list_queues, pause_queue, resume_queue};

/// Who looks at the queue waits this long at most, and so does the database that shows it.
const PATIENCE_MS: u32 = 5_000;

/// A look that changes nothing and does not go on for ever, whatever it has to count.
fn look<T>(connection: &mut PgConnection, read: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
    read_only(connection, |connection| {
        set_local_timeouts(connection, PATIENCE_MS, 1_000)?;
        read(connection)
    })
}
