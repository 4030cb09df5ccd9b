//! Removing a directory that a command wrote into. It may be nested deeper than a path or a stack goes, and closed to its
//! owner; the usual way to remove one calls itself for each level, and would take the whole process down with it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::SystemTime;

/// How many names in a row may be taken before it gives up.
const TRIES: u64 = 10_000;

/// Removes a directory and all in it, links themselves and not what they lead to. No process may be at work in it.
///
/// # Errors
/// When something in it cannot be removed, such as files of another user.
pub fn remove_all(top: &Path) -> io::Result<()> {
    let prefix = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
    let mut number = 0;
    // Whatever lies two levels down is moved up to the first one, so that nothing is ever deep.
    while flatten(top, &mut |child| move_up(child, top, prefix, &mut number))? {}
    fs::remove_dir(top)
}

/// Removes each entry, and says whether there may be more now.
fn flatten(top: &Path, move_up: &mut impl FnMut(&Path) -> io::Result<()>) -> io::Result<bool> {
    open_up(top)?;
    let mut has_more = false;
    for entry in fs::read_dir(top)? {
        let entry = entry?;
        let path = entry.path();
        if !entry.file_type()?.is_dir() {
            fs::remove_file(path)?;
            continue;
        }
        open_up(&path)?;
        for child in fs::read_dir(&path)? {
            let child = child?;
            if child.file_type()?.is_dir() {
                open_up(&child.path())?;
                move_up(&child.path())?;
                has_more = true;
            } else {
                fs::remove_file(child.path())?;
            }
        }
        fs::remove_dir(path)?;
    }
    Ok(has_more)
}

fn move_up(child: &Path, top: &Path, prefix: u128, number: &mut u64) -> io::Result<()> {
    let mut last = io::Error::other("no free name");
    for _ in 0..TRIES {
        *number += 1;
        match fs::rename(child, top.join(format!("{prefix}-{number}"))) {
            Ok(()) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn open_up(dir: &Path) -> io::Result<()> {
    fs::set_permissions(dir, Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deep_and_closed_goes() {
        let dir = tempfile::tempdir().expect("a directory");
        let (top, outside) = (dir.path().join("top"), dir.path().join("outside"));
        fs::write(&outside, "kept").expect("a file");
        fs::create_dir_all(top.join("a/b/c/d")).expect("directories");
        fs::write(top.join("a/b/c/file"), "").expect("a file");
        std::os::unix::fs::symlink(&outside, top.join("a/b/link")).expect("a link");
        std::os::unix::fs::symlink(dir.path(), top.join("link")).expect("a link");
        fs::set_permissions(top.join("a/b/c"), Permissions::from_mode(0o0)).expect("closed");
        fs::set_permissions(top.join("a"), Permissions::from_mode(0o500)).expect("closed");
        // Ten thousand levels: moved in pieces, because no path is that long.
        let mut deep = top.join("deep");
        fs::create_dir(&deep).expect("a directory");
        for _ in 0..100 {
            let piece = top.join("piece");
            fs::create_dir_all(piece.join(vec!["x"; 100].join("/"))).expect("directories");
            let bottom = piece.join(vec!["x"; 100].join("/")).join("deep");
            fs::rename(&deep, bottom).expect("moved");
            fs::rename(&piece, &deep).expect("moved");
            deep = top.join("deep");
        }
        remove_all(&top).expect("removed");
        assert!(!top.exists());
        assert_eq!(fs::read_to_string(outside).expect("kept"), "kept");
    }
}
