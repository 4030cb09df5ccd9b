//! Reads the command line, does what it says, and tells the shell how that went.

mod command;
mod project;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use command::Cli;

fn main() -> ExitCode {
    match command::run(&Cli::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has read enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}
