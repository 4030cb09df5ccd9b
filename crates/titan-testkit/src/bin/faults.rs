//! The fault matrix as a program; `make faults` builds it beside the daemons. What is done and checked stands in
//! `titan_testkit::faults`. Ends with 1 when anything was lost or doubled, and when it proved nothing.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use titan_testkit::faults::{self, Options};

#[derive(Parser)]
#[command(about = "Harms Titan under load in many ways and looks whether anything is lost")]
struct Arguments {
    /// Rows to try, such as kill-worker,partition; all when none is named.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// How many seeds of each row; of slow rows three at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
    /// The first seed. Each line names its own, and `--rows ROW --first-seed N --seeds 1` does the same again.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Only the fast rows, in a small form.
    #[arg(long)]
    quick: bool,
    /// Say which rows there are.
    #[arg(long)]
    list: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout();
    if arguments.list {
        for (name, what) in faults::names() {
            writeln!(out, "{name:<18} {what}")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Arguments { rows, seeds, first_seed, quick, .. } = arguments;
    let report = faults::run(&Options { rows, seeds, first_seed, quick }, &mut |line| eprintln!("{line}"))?;
    out.write_all(report.table().as_bytes())?;
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
