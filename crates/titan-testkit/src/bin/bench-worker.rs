//! The shipped worker with jobs that do nothing, for `make bench`: what is left is what the queue itself costs. It is
//! configured by the environment like the daemon. `make faults` uses it too, for a job that the product does not have.
//!
//! `bench.noop` ends at once. `bench.hold` says that it began and holds its slot until it is told to stop. `bench.poison`
//! aborts the process.

use std::io::Write as _;

use async_trait::async_trait;
use titan_core::config::Config;
use titan_core::daemon::{self, ShutdownSignals};
use titan_core::engine::{Done, Outcome};
use titan_worker::{JobHandler, LoneJob, Registry, Worker};

/// Threads that allocate much do it faster than with the system's allocator, and give back what they no longer need.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Noop;
struct Hold;
struct Poison;

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

#[async_trait]
impl JobHandler for Poison {
    fn kind(&self) -> &'static str {
        "bench.poison"
    }

    async fn run(&self, _: LoneJob) -> Outcome {
        std::process::abort()
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env()?;
    daemon::start_logging(&config.log);
    let mut handlers = Registry::new();
    handlers.add_job(Noop)?;
    handlers.add_job(Hold)?;
    handlers.add_job(Poison)?;
    let worker = Worker::start(&config, handlers).await?;
    ShutdownSignals::listen()?.next().await;
    worker.stop(config.grace).await;
    Ok(())
}
