//! What can go wrong with the mirror, told apart by what helps.

use std::path::Path;

use titan_core::git::Failure;
use titan_core::ops::Fault;

pub type Result<T> = std::result::Result<T, RepositoryError>;

#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum RepositoryError {
    /// No answer in time, a server in trouble, another process at the same mirror: the same may pass later.
    #[error("{0}")]
    Unavailable(String),
    /// The token is wrong, or may not read this.
    #[error("{0}")]
    Denied(String),
    #[error("{0}")]
    NotFound(String),
    /// The same again will not help.
    #[error("{0}")]
    Refused(String),
    /// What has to be mended, place by place.
    #[error("{}", in_words(.0))]
    Faults(Vec<Fault>),
    /// Git, the disk or the repository on this machine.
    #[error("{0}")]
    Broken(String),
}

impl From<Failure> for RepositoryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TimedOut(_) => RepositoryError::Unavailable(failure.to_string()),
            Failure::TooLong(_) => RepositoryError::Refused(failure.to_string()),
            _ => RepositoryError::Broken(failure.to_string()),
        }
    }
}

pub(super) fn unusable(path: &Path, error: &std::io::Error) -> RepositoryError {
    RepositoryError::Broken(format!("{} cannot be used: {error}", path.display()))
}

pub(super) fn fault(field: impl Into<String>, message: impl Into<String>) -> Fault {
    Fault { field: field.into(), message: message.into() }
}

fn in_words(faults: &[Fault]) -> String {
    let words: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect();
    words.join("; ")
}
