//! The shipped worker with jobs that do nothing, for `make bench`: what is left is what the queue itself costs. It is
//! configured by the environment like the daemon.
//!
//! `bench.noop` ends at once. `bench.hold` says that it began and holds its slot until it is told to stop.

use std::io::Write as _;

use async_trait::async_trait;
use titan_core::config::Config;
use titan_core::daemon;
use titan_core::engine::{Done, Outcome};
use titan_worker::{JobHandler, LoneJob, Registry, Worker};

struct Noop;
struct Hold;

#[async_trait]
impl JobHandler for Noop {
    fn kind(&self) -> &'static str {
        "bench.noop"
    }

    async fn run(&self, _: LoneJob) -> Outcome {
        Outcome::Done(Done::default())
    }
}

#[async_trait]
impl JobHandler for Hold {
    fn kind(&self) -> &'static str {
        "bench.hold"
    }

    async fn run(&self, job: LoneJob) -> Outcome {
        let line = format!("hold {} {}\n", job.id, job.epoch);
        if let Err(error) = std::io::stdout().write_all(line.as_bytes()) {
            return Outcome::Fail { error: format!("cannot say that it began: {error}") };
        }
        job.stop.requested().await;
        Outcome::Cancel { reason: "told to stop".to_owned() }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env()?;
    daemon::start_logging(&config.log);
    let mut handlers = Registry::new();
    handlers.add_job(Noop)?;
    handlers.add_job(Hold)?;
    let worker = Worker::start(&config, handlers).await?;
    daemon::shutdown_signal().await?;
    worker.stop(config.grace).await;
    Ok(())
}
