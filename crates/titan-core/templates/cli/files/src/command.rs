//! The commands. They write to whatever they are given, so that tests can read it.

use std::io::{self, Write};

use clap::{Parser, Subcommand};

use crate::project;

#[derive(Debug, Parser)]
#[command(version, about = project::TITLE, long_about = project::DESCRIPTION)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what this is
    About,
    /// List what it should be able to do
    Features {
        /// Write a JSON array instead of lines
        #[arg(long)]
        json: bool,
    },
}

pub fn run(cli: &Cli, out: &mut impl Write) -> io::Result<()> {
    match cli.command {
        Command::About => writeln!(out, "{}\n{}", project::TITLE, project::DESCRIPTION),
        Command::Features { json: true } => writeln!(out, "{}", serde_json::json!(project::FEATURES)),
        Command::Features { json: false } => {
            project::FEATURES.iter().try_for_each(|feature| writeln!(out, "{feature}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn said(arguments: &[&str]) -> String {
        let cli = Cli::try_parse_from([&["app"], arguments].concat()).unwrap();
        let mut out = Vec::new();
        run(&cli, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn about_begins_with_the_title() {
        assert!(said(&["about"]).starts_with(project::TITLE));
    }

    #[test]
    fn features_are_read_back_from_json() {
        let features: Vec<String> = serde_json::from_str(&said(&["features", "--json"])).unwrap();
        assert_eq!(features, project::FEATURES);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(Cli::try_parse_from(["app", "dance"]).is_err());
    }
}
