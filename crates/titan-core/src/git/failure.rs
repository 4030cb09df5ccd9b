//! Why git gave no answer.

use std::time::Duration;

use crate::Error;

pub type Result<T> = std::result::Result<T, Failure>;

#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Failure {
    #[error("git is not installed; the files of projects need it")]
    Missing,
    #[error("git could not be started: {0}")]
    NotStarted(String),
    #[error("git took longer than {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("git answered with more than {0} bytes")]
    TooLong(u64),
    /// In its own words.
    #[error("git failed: {}", words(.complaint))]
    Failed { code: Option<i32>, complaint: String },
    /// What it said is not what it says.
    #[error("git says {0:?}")]
    Strange(String),
    /// A file or a folder on this machine, and why.
    #[error("{0}")]
    Unusable(String),
}

impl Failure {
    #[must_use]
    pub fn strange(said: &str) -> Self {
        Failure::Strange(crate::text::head(said, 200).to_owned())
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::Internal(failure.to_string())
    }
}

fn words(complaint: &str) -> &str {
    if complaint.is_empty() { "it does not say why" } else { complaint }
}
