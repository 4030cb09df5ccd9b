//! Ends the process when its runtime is stuck: every thread of it blocked, by a handler that does not yield or a deadlock.
//! The heartbeat has a thread of its own and would go on; the jobs would be held for ever by somebody who does nothing.
//!
//! Only the daemon has one. A test that runs several workers in its process does not want to be ended.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use tokio::runtime::Handle;

/// As of `sysexits`: an internal error.
pub const EXIT_STUCK: i32 = 70;

const EVERY: Duration = Duration::from_secs(5);
/// Far beyond what any scheduling on a busy machine costs, and a handler that blocks its thread for so long is a fault.
/// Counted in looks of a second and not by the clock, so that a process that was frozen as a whole is not to blame.
const LOOKS: u32 = 30;
const LOOK: Duration = Duration::from_secs(1);

/// Watches until the process ends.
///
/// # Errors
/// When the operating system refuses the thread.
pub fn start(runtime: Handle) -> std::io::Result<()> {
    std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        while answers(&runtime, LOOKS, LOOK) {
            std::thread::sleep(EVERY);
        }
        tracing::error!(seconds = LOOKS, "the runtime is stuck; ending this process so that others get its jobs");
        std::process::exit(EXIT_STUCK);
    })?;
    Ok(())
}

/// Whether a task of the runtime gets its turn within so many looks.
fn answers(runtime: &Handle, looks: u32, look: Duration) -> bool {
    let (answer, answered) = sync_channel(1);
    runtime.spawn(async move { answer.send(()) });
    for _ in 0..looks {
        match answered.recv_timeout(look) {
            Err(RecvTimeoutError::Timeout) => {}
            // A runtime that is being shut down drops the task unanswered, and is not stuck.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_whose_only_thread_is_blocked_does_not_answer_and_one_at_work_does() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        assert!(answers(runtime.handle(), 100, Duration::from_millis(100)));
        let (unblock, blocked) = sync_channel::<()>(0);
        let (began, begun) = sync_channel(1);
        runtime.spawn(async move {
            began.send(()).unwrap();
            let _ = blocked.recv();
        });
        begun.recv().unwrap();
        assert!(!answers(runtime.handle(), 3, Duration::from_millis(20)));
        unblock.send(()).unwrap();
        assert!(answers(runtime.handle(), 100, Duration::from_millis(100)));
    }

    #[test]
    fn a_runtime_that_is_gone_is_not_stuck() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        assert!(answers(&handle, 3, Duration::from_millis(20)));
    }
}
