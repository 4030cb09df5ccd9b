//! What is heard of a command while it runs, and how it ended.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// One thing that happened while the command ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Output(Chunk),
    /// The output reached its limit, in bytes; what came after is not here.
    Cut {
        limit: u64,
    },
    /// A connection was refused by the egress proxy.
    Refused {
        target: String,
        reason: String,
    },
}

/// A piece of output as it was written, colours included. It never ends within a UTF-8 character, unless the output does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub stream: Stream,
    pub bytes: Bytes,
    /// Since the command was started.
    pub at: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// How a command ended and what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub exit: Exit,
    pub wall: Duration,
    /// Of all processes, those excepted that nobody waited for.
    pub cpu_user: Duration,
    pub cpu_system: Duration,
    /// The most that all its processes held at one look, in bytes: about ten looks a second.
    pub peak_memory: u64,
    /// What it wrote on both streams, in bytes, with what was cut.
    pub output_bytes: u64,
}

/// Why a command ended. Whatever it was, none of its processes is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    Code(i32),
    /// A signal that did not come from here, such as SIGSEGV.
    Signal(i32),
    TimedOut,
    Canceled,
    /// One of the limits besides the wall time.
    OutOfCpu,
    OutOfMemory,
    TooManyProcesses,
}

impl Exit {
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}
