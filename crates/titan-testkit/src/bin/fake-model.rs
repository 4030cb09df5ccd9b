//! The fake model server as a process, for tests that start real daemons. Says where it listens, in one line, and runs
//! until it is told to stop. What it can be steered with stands in `titan_testkit::fake_model`.

use std::io::Write as _;
use std::net::SocketAddr;

use clap::Parser;
use titan_testkit::fake_model::FakeModel;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(about = "A model server that speaks the OpenAI wire and answers with fixed texts")]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    bind: SocketAddr,
    /// Refuse requests without this key.
    #[arg(long)]
    key: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let server = FakeModel::start_at(arguments.bind)?;
    if let Some(key) = &arguments.key {
        server.require_key(key);
    }
    let mut out = std::io::stdout();
    writeln!(out, "listening {}", server.base_url())?;
    out.flush()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
