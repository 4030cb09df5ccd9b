//! What the caller and the stage say to each other: lines of JSON over a socket that is the stage's standard input. The caller
//! begins with one [`Order`], and may later ask for the end with [`CANCEL`]; the stage answers with [`Report`]s. A closed
//! socket means that the other side is gone, and ends everything.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::command::Limits;
use crate::outcome::Exit;

/// The longest order in bytes; a command is refused long before it (`command.rs`).
pub(crate) const MAX_ORDER: u64 = 16 * 1024 * 1024;

/// The line that asks the stage to end the command.
pub(crate) const CANCEL: &str = "cancel\n";

/// All that the stage needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub program: String,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub directory: PathBuf,
    /// The file that is its standard input.
    pub stdin: PathBuf,
    pub limits: Limits,
    pub walls: Walls,
    /// The socket of the egress proxy, when there is one.
    pub egress: Option<PathBuf>,
    pub inbound: Option<Serving>,
}

/// A server inside that is reached from outside.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Serving {
    /// The socket at which the caller asks for connections to it.
    pub gate: PathBuf,
    pub port: u16,
}

/// What stands already, and what the stage builds itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Walls {
    /// Namespaces of its own: the stage is their first process, and nothing outside is in sight.
    Bubblewrap,
    /// None but those that the stage lays around the command.
    Landlock(Grants),
}

/// What Landlock leaves open.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Grants {
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    /// The user and group to become, when the stage is root.
    pub identity: Option<(u32, u32)>,
}

impl Grants {
    /// Whether the command owns what the caller owns.
    pub(crate) fn is_callers_user(&self) -> bool {
        self.identity.is_none()
    }
}

/// What the stage tells.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    Started,
    /// The program could not be executed.
    Program(String),
    /// A restriction could not be laid on, so nothing was started.
    Walls(String),
    Ended(Taken),
}

/// How it ended and what it took.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Taken {
    pub exit: Exit,
    pub cpu_user: Duration,
    pub cpu_system: Duration,
    pub peak_memory: u64,
}
