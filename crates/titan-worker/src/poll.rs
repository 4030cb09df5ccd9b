//! Who hears no hints finds work by looking twice a second. The queues that there are, are looked up now and then too.

use std::sync::Arc;
use std::time::Duration;

use titan_core::queue;
use tokio::time::{Instant, sleep};

use crate::outage::Outage;
use crate::shared::Shared;

/// Spread by a fifth, so that workers do not all ask at once.
const EVERY: Duration = Duration::from_millis(500);
const QUEUES_EVERY: Duration = Duration::from_secs(2);

pub(crate) async fn run(shared: Arc<Shared>) {
    let outage = Outage::new("looking up the queues");
    let mut queues_at = Instant::now();
    loop {
        if shared.only_run.is_none() && queues_at <= Instant::now() {
            queues_at = Instant::now() + QUEUES_EVERY;
            match shared.db.run(queue::names).await {
                Ok(names) => {
                    outage.worked();
                    shared.know_queues(names);
                }
                Err(error) => outage.failed(&error),
            }
        }
        shared.look_at_everything();
        sleep(EVERY.mul_f64(0.8 + 0.4 * rand::random::<f64>())).await;
    }
}
