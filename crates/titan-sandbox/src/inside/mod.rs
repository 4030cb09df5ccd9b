//! The stage: what runs behind the walls before the command, beside it, and after it. With bubblewrap it is the first process of
//! the namespaces, so that the kernel takes all others down with it; with Landlock it is the one that orphans fall to.
//!
//! It is one process with a few threads and no runtime, because it starts for each command. The command cannot reach it: it is
//! not dumpable, so its memory and environment are closed to others of the same user, and no signal from within gets to it.
//!
//! - `confine`: the restrictions, laid on one thread, from which the command is then started.
//! - `filter`, `calls`: the system calls that are refused, and their names.
//! - `tree`: all processes of the command, what they hold and how they are killed.
//! - `watch`: from the start to the end, within the limits.
//! - `forward`: between the loopback inside and the caller's sockets, out and in.

mod calls;
mod confine;
mod filter;
mod forward;
pub(crate) mod tree;
mod watch;

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use rustix::process::{DumpableBehavior, set_child_subreaper, set_dumpable_behavior, setsid, umask};

use crate::protocol::{MAX_ORDER, Order, Report, Walls};

/// The whole program. Its exit code tells nobody anything: reports do.
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever started it reads this, because no report came.
        Err(error) => {
            let _ = writeln!(io::stderr(), "titan-stage: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    // The caller does it too, where this is refused: after the next line only root can.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // Whatever files the caller left open for its children are none of the command's.
    close_fds::set_fds_cloexec(3, &[]);
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut reader = BufReader::new(socket.try_clone()?);
    let mut line = Vec::new();
    reader.by_ref().take(MAX_ORDER).read_until(b'\n', &mut line)?;
    let order: Order = serde_json::from_slice(&line)?;
    // The narrow one goes with the modes that the filter leaves.
    let is_narrow = matches!(&order.walls, Walls::Landlock(grants) if grants.is_callers_user());
    umask(rustix::fs::Mode::from_raw_mode(if is_narrow { 0o077 } else { 0o022 }));
    if let Walls::Landlock(_) = order.walls {
        // Orphans come to this process instead of to the system's first one, and no terminal is left to write to.
        set_child_subreaper(Some(rustix::process::getpid()))?;
        // Refused only to who leads a group already, and then there is a session of its own too.
        let _ = setsid();
    }
    watch::run(&order, reader, &socket)
}

/// A report that nobody hears is no error: the closed socket ends everything by itself.
fn report(mut socket: &UnixStream, report: &Report) {
    if let Ok(mut line) = serde_json::to_vec(report) {
        line.push(b'\n');
        let _ = socket.write_all(&line);
    }
}
