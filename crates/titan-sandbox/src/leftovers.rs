//! Directories of runs whose caller was killed. Each holds a file that its caller keeps locked; the kernel lets go of the lock
//! with the process, so that an unlocked one belongs to nobody. Looked for once, when a sandbox is detected.

use std::env;
use std::fs::{self, DirEntry, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use crate::remove::remove_all;

/// How the name of such a directory begins.
pub(crate) const PREFIX: &str = "titan-sandbox-";
/// The locked file in it.
const LOCK: &str = "lock";
/// One that was made just now may not be locked yet.
const YOUNG: Duration = Duration::from_secs(3600);
/// How many are removed at one time; the next start finds the others.
const MAX: usize = 100;

/// Marks a directory as somebody's, for as long as the file is open.
pub(crate) fn lock(dir: &Path) -> io::Result<File> {
    let file = File::create(dir.join(LOCK))?;
    file.lock()?;
    Ok(file)
}

/// Removes what nobody holds any more. What does not work is left for the next time.
pub(crate) fn sweep() {
    let own = rustix::process::geteuid().as_raw();
    let entries = fs::read_dir(env::temp_dir()).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_left_over(entry, own)).take(MAX) {
        let _ = remove_all(&entry.path());
    }
}

fn is_left_over(entry: &DirEntry, own: u32) -> bool {
    let is_named = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
    // Of the entry itself: somebody else may have put a link with such a name where everybody may write.
    let Ok(meta) = entry.metadata() else { return false };
    let is_old = meta.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > YOUNG));
    is_named && meta.is_dir() && meta.uid() == own && is_old && is_unlocked(&entry.path().join(LOCK))
}

fn is_unlocked(lock: &Path) -> bool {
    File::open(lock).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn only_what_is_old_and_held_by_nobody_is_left_over() {
        let top = tempfile::tempdir().expect("a directory");
        let own = rustix::process::geteuid().as_raw();
        let make = |name: &str| {
            let dir = top.path().join(name);
            fs::create_dir(&dir).expect("a directory");
            (lock(&dir).expect("locked"), dir)
        };
        let age = |dir: &Path| {
            let long_ago = FileTimes::new().set_modified(SystemTime::now() - YOUNG * 2);
            File::open(dir).expect("a directory").set_times(long_ago).expect("its time");
        };
        let (held, held_dir) = make("titan-sandbox-held");
        for (name, is_old) in [("titan-sandbox-gone", true), ("titan-sandbox-young", false), ("another-gone", true)] {
            let (lock, dir) = make(name);
            drop(lock);
            if is_old {
                age(&dir);
            }
        }
        age(&held_dir);
        let entries = fs::read_dir(top.path()).expect("entries").flatten();
        let found: Vec<_> = entries.filter(|entry| is_left_over(entry, own)).map(|entry| entry.file_name()).collect();
        assert_eq!(found, ["titan-sandbox-gone"]);
        drop(held);
    }
}
