//! What can go wrong before a command has started. Once it runs there are only endings: see [`crate::Exit`].

use std::io;

/// Why a command was not run. It did nothing then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("this command cannot be run: {0}")]
    BadCommand(String),
    /// The walls here are too thin for what was asked; see [`crate::Variant`].
    #[error("not in this sandbox: {0}")]
    NotHere(String),
    /// The program is not there, or cannot be executed.
    #[error("{program} did not start: {reason}")]
    Program { program: String, reason: String },
    /// The walls were not built.
    #[error("the sandbox did not start: {0}")]
    NotStarted(String),
    /// The stage is gone without a word about the command; all its processes are too.
    #[error("the sandbox broke off: {0}")]
    Lost(String),
    #[error("the sandbox could not {doing}: {error}")]
    Io { doing: &'static str, error: io::Error },
}

impl Error {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { doing, error }
    }
}

/// Why no command can be run here at all, and what would help.
#[derive(Debug, thiserror::Error)]
#[error("no sandbox works here, so that no command is run: {}", reasons.join("; "))]
pub struct Unavailable {
    pub reasons: Vec<String>,
}
