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
    let path = beside(folder, "lock");
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let lock = File::options().create(true).truncate(false).write(true).open(path)?;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(Held { _lock: lock })),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.requested() => return Ok(None),
            },
        }
    }
}

/// A file that says something about a folder.
pub(super) fn beside(folder: &Path, what: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    folder.with_file_name(name)
}

/// Gives a folder to whom commands run as in this sandbox.
pub(super) fn hand_over(folder: &Path, sandbox: &Sandbox) -> io::Result<()> {
    if sandbox.variant() != Variant::Landlock || !is_root() {
        return Ok(());
    }
    lchown(folder, Some(NOBODY), Some(NOBODY))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            hand_over(&entry.path(), sandbox)?;
        } else {
            lchown(entry.path(), Some(NOBODY), Some(NOBODY))?;
        }
    }
    Ok(())
}

fn is_root() -> bool {
    // The owner of a process's own folder is who it runs as.
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}
