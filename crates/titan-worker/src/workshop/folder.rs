//! Folders that commands change: made for one owner, held by one at a time, and cleared away.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::lchown;
use std::path::{Path, PathBuf};
use std::time::Duration;

use titan_sandbox::{Sandbox, Variant};

use crate::stop::Stop;

/// Between two looks at a folder that somebody else holds.
const PAUSE: Duration = Duration::from_millis(250);
/// Who owns nothing. As root and without namespaces a command runs as the owner of its folder, and that must not be root.
const NOBODY: u32 = 65_534;

/// A folder that nobody else works in, in this process or another one of this machine, until this is dropped.
pub(super) struct Held {
    _lock: File,
}

/// Waits until nobody else works in it. None when told to stop.
pub(super) async fn hold(folder: &Path, stop: &Stop) -> io::Result<Option<Held>> {
    loop {
        if let Some(held) = try_hold(folder)? {
            return Ok(Some(held));
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stop.requested() => return Ok(None),
        }
    }
}

/// None when somebody else works in it.
pub(super) fn try_hold(folder: &Path) -> io::Result<Option<Held>> {
    let path = beside(folder, "lock");
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let lock = File::options().create(true).truncate(false).write(true).open(path)?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(Held { _lock: lock })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A file that says something about a folder.
pub(super) fn beside(folder: &Path, what: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    folder.with_file_name(name)
}

/// Gives a folder with all that is in it to whom commands run as in this sandbox. For one in which nobody runs yet: who could change
/// it meanwhile could have root give something else away.
pub(super) fn hand_over_all(folder: &Path, sandbox: &Sandbox) -> io::Result<()> {
    hand_over(folder, sandbox)?;
    if is_to_be_given(sandbox) {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                hand_over_all(&entry.path(), sandbox)?;
            } else {
                lchown(entry.path(), Some(NOBODY), Some(NOBODY))?;
            }
        }
    }
    Ok(())
}

/// The folder alone.
pub(super) fn hand_over(folder: &Path, sandbox: &Sandbox) -> io::Result<()> {
    if is_to_be_given(sandbox) { lchown(folder, Some(NOBODY), Some(NOBODY)) } else { Ok(()) }
}

fn is_to_be_given(sandbox: &Sandbox) -> bool {
    sandbox.variant() == Variant::Landlock && is_root()
}

fn is_root() -> bool {
    // The owner of a process's own folder is who it runs as.
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}
