//! A lock that processes of one machine share: a file that one of them has open. It is free again when its holder is gone, also when it
//! was killed.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits for it so long, and holds it until the file is dropped.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] when another process has had it all the time, and when the file cannot be made.
pub fn wait(path: &Path, patience: Duration) -> io::Result<File> {
    let lock = File::options().create(true).truncate(false).write(true).open(path)?;
    let began = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if began.elapsed() > patience => {
                let message = format!("another process has been at it for {} s", patience.as_secs());
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
        }
    }
}

/// Takes it if it is free.
///
/// # Errors
/// When the file cannot be made.
pub fn take(path: &Path) -> io::Result<Option<File>> {
    let lock = File::options().create(true).truncate(false).write(true).open(path)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
