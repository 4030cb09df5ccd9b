//! What can go wrong in the core, as types. How an error is shown to a client is decided elsewhere.

use diesel::result::{DatabaseErrorKind, Error as Diesel};
use uuid::Uuid;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is no such thing. The first field is its name in the singular: `project`, `task`, ...
    #[error("{0} {1} does not exist")]
    NotFound(&'static str, Uuid),
    /// A field holds something it must not.
    #[error("{field}: {message}")]
    Invalid { field: &'static str, message: String },
    #[error("task type {given:?} is not known; known are: {known}")]
    UnknownTaskType { given: String, known: String },
    #[error("there is no template {given:?}: {message}")]
    UnknownTemplate { given: String, message: String },
    /// It cannot be read, or a project's inputs do not fit it.
    #[error("the template is wrong: {}", crate::templates::in_words(.0))]
    WrongTemplate(Vec<crate::templates::Problem>),
    /// There is no such version of a project's plan; `newest` is 0 when there is none at all.
    #[error("{}", no_plan(*.asked, *.newest))]
    NoPlan { asked: i32, newest: i32 },
    /// Nobody has approved a plan, or not so many.
    #[error("{}", no_charter(*.asked))]
    NoCharter { asked: Option<i32> },
    /// The thing is in a state in which this is not allowed.
    #[error("{0}")]
    Conflict(String),
    /// It is not any more what the caller saw last.
    #[error("{0}")]
    Stale(String),
    #[error("the output was already {0}")]
    AlreadyDecided(&'static str),
    #[error("this idempotency key was used before with another body")]
    KeyReused,
    /// The writer lost its job: another claim, a cancel or a finish came first.
    #[error("job {job_id} is no longer held at epoch {epoch}")]
    Fenced { job_id: i64, epoch: i64 },
    /// No connection, a restart, a deadlock, a timeout: the same call may pass later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Somebody else holds a row, or a table, for longer than is waited for: the same call may pass later.
    #[error("the database is not available: {0}")]
    Locked(String),
    /// COMMIT was sent and no answer came, and nobody could be asked in time.
    #[error("the database was lost during COMMIT; it is not known whether it happened")]
    Uncertain,
    /// Bytes that are not in Postgres cannot be stored or read: a disk is full, a service is away.
    #[error("the store of files failed: {0}")]
    Storage(String),
    #[error("the database refused: {0}")]
    Refused(String),
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// Whether the same call, unchanged, may succeed later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Error::Unavailable(_) | Error::Locked(_) | Error::Uncertain)
    }

    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Error::Invalid { field, message: message.into() }
    }
}

fn no_plan(asked: i32, newest: i32) -> String {
    match newest {
        0 => "the project has no plan yet; POST /api/projects/reiterate makes one".to_owned(),
        _ => format!("the plan has no version {asked}; the newest is {newest}"),
    }
}

fn no_charter(asked: Option<i32>) -> String {
    match asked {
        None => "the project has no charter yet; it has one when a version of its plan is approved".to_owned(),
        Some(number) => format!("the project has no charter {number}"),
    }
}

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        use DatabaseErrorKind as Kind;
        match &error {
            Diesel::DatabaseError(kind, info) => match kind {
                Kind::ClosedConnection | Kind::UnableToSendCommand | Kind::SerializationFailure => {
                    Error::Unavailable(info.message().to_owned())
                }
                Kind::UniqueViolation
                | Kind::ForeignKeyViolation
                | Kind::NotNullViolation
                | Kind::CheckViolation
                | Kind::RestrictViolation
                | Kind::ExclusionViolation
                | Kind::ReadOnlyTransaction => Error::Refused(info.message().to_owned()),
                // Diesel has no kind for the rest: a deadlock, a cancelled statement, a server that is shutting down.
                // They are told apart by what Postgres means with them, and only its own words are at hand here.
                _ if info.message().contains("lock timeout") => Error::Locked(info.message().to_owned()),
                _ if passing(info.message()) => Error::Unavailable(info.message().to_owned()),
                _ => Error::Refused(info.message().to_owned()),
            },
            Diesel::BrokenTransactionManager => Error::Unavailable("the connection is broken".to_owned()),
            _ => Error::Internal(error.to_string()),
        }
    }
}

/// Messages of Postgres (or libpq, when the link is gone, or a pooler on the way) for failures that pass by themselves. The
/// clusters that Titan talks to may speak another language; their messages then count as refusals, which is the careful side.
fn passing(message: &str) -> bool {
    const PASSING: [&str; 18] = [
        "terminating connection",
        "server closed the connection",
        "connection to server",
        "no connection to the server",
        "could not receive data",
        "could not send data",
        "SSL connection has been closed",
        "deadlock detected",
        "canceling statement",
        "the database system is",
        "remaining connection slots",
        "too many clients",
        "query_wait_timeout",
        "server conn crashed",
        "server connection closed",
        "server login has been failing",
        "cannot connect to server",
        "max_client_conn",
    ];
    PASSING.iter().any(|words| message.contains(words))
}

impl From<diesel::ConnectionError> for Error {
    fn from(error: diesel::ConnectionError) -> Self {
        Error::Unavailable(one_line(&error.to_string()))
    }
}

/// libpq likes several lines; a log and a problem document like one.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
