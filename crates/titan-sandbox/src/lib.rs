//! Running a command that nobody trusts. Nothing here knows tasks, models or the database: a caller says what to run and what it
//! may touch, and hears what it wrote and how it ended. What is promised, and what is not: docs/SANDBOX.md.
//!
//! Two programs. The caller's process builds the walls (`launch`) and reads the output; inside of the walls the **stage**
//! ([`inside`], the program `titan-stage`) lays the last restrictions on, starts the command, watches its limits and takes
//! everything down with it. The two talk over a socket (`protocol`); when it closes, whoever closed it, the stage ends all.
//! So nothing stays behind, even when the caller is killed.
//!
//! A map, in reading order.
//!
//! - [`command`]: what to run, with what, within which limits.
//! - [`outcome`]: what is heard while it runs, and how it ended.
//! - [`error`]: what can go wrong before the command has started.
//! - [`sandbox`]: which walls work on this machine, found once.
//! - `run`: one command from its launch to its end.
//! - `output`: two pipes as one stream, whole characters, cut at a limit.
//! - `private`: the directory that a run has for itself.
//! - `leftovers`: those whose caller was killed.
//! - [`remove`]: removing a directory that a command wrote into.
//! - `launch`: how the stage gets behind the walls, by bubblewrap or by itself with Landlock.
//! - `protocol`: what caller and stage say to each other.
//! - [`egress`]: the one way out, a proxy with a list of allowed targets.
//! - `ingress`: the one way in, to a server that the command runs.
//! - [`inside`]: the stage.

pub mod command;
pub mod error;
pub mod outcome;

pub mod sandbox;

mod leftovers;
mod output;
mod private;
mod protocol;
pub mod remove;
mod run;

mod launch;

pub mod egress;
mod ingress;

pub mod inside;

pub use command::{Command, Inbound, Limits, Network};
pub use error::{Error, Unavailable};
pub use outcome::{Chunk, Ended, Event, Exit, Stream};
pub use remove::remove_all;
pub use sandbox::{Sandbox, Settings, Variant};
