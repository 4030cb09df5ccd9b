//! The bench as a program; `make bench` builds it for release beside the daemons and gives it a Postgres of its own. What
//! is measured and how stands in `titan_testkit::bench`. Ends with 1 when a row could not be measured.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use titan_testkit::bench::peers::Peers;
use titan_testkit::bench::{self, Options};

#[derive(Parser)]
#[command(about = "Measures what Titan does per second, how late it is and what it costs")]
struct Arguments {
    /// Rows to measure, such as limits,Q1,Q4; all when none is named.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// Small numbers, only to see that each row works.
    #[arg(long)]
    quick: bool,
    /// How often what has a median is measured: 5, and 1 in a quick run, when nothing is said.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=100))]
    repetitions: Option<u8>,
    /// What peers reached: the JSON lines of their driver.
    #[arg(long)]
    peers: Option<PathBuf>,
    /// Where the report goes, as Markdown.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where all samples go, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let peers = arguments.peers.as_deref().map(Peers::read).transpose()?.unwrap_or_default();
    let repetitions = arguments.repetitions.unwrap_or(if arguments.quick { 1 } else { 5 });
    let options = Options { rows: arguments.rows, quick: arguments.quick, repetitions: repetitions.into() };
    let report = bench::run(&options, &mut |line| eprintln!("{line}"))?;
    if let Some(path) = arguments.json {
        let json = serde_json::to_string_pretty(&report)?;
        fs::write(&path, json).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let markdown = report.markdown(&peers);
    match arguments.out {
        Some(path) => fs::write(&path, markdown).with_context(|| format!("cannot write {}", path.display()))?,
        None => std::io::Write::write_all(&mut std::io::stdout(), markdown.as_bytes())?,
    }
    Ok(if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
