//! The directory that a run has for itself: what of `/etc` is made up for it, its input, the socket of its proxy, and with Landlock
//! its `/tmp`. It goes with the run.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Files that tell who and where one is. They name the sandbox, not the machine.
const MADE_UP: [(&str, &str); 5] = [
    ("passwd", "sandbox:x:1000:1000:sandbox:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"),
    ("group", "sandbox:x:1000:\nnogroup:x:65534:\n"),
    ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ("resolv.conf", "# names are resolved by the egress proxy\n"),
];

pub(crate) struct Private {
    dir: TempDir,
}

impl Private {
    /// `owner` is the user and group that the command becomes, when that is another one than this process.
    pub(crate) fn create(stdin: &[u8], owner: Option<(u32, u32)>) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("titan-sandbox-").tempdir()?;
        let private = Self { dir };
        // To pass through is allowed to all, to look around to nobody: another user may be the one who needs what is in it.
        fs::set_permissions(private.dir.path(), Permissions::from_mode(0o711))?;
        for (name, text) in MADE_UP {
            fs::write(private.path(name), text)?;
        }
        write_for(&private.stdin(), stdin, owner)?;
        DirBuilder::new().mode(0o711).create(private.egress())?;
        let tmp = private.tmp();
        DirBuilder::new().mode(0o700).create(&tmp)?;
        if let Some((user, group)) = owner {
            chown(&tmp, Some(user), Some(group))?;
        }
        Ok(private)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Each made up file, and its name in `/etc`.
    pub(crate) fn made_up(&self) -> impl Iterator<Item = (PathBuf, String)> {
        MADE_UP.iter().map(|(name, _)| (self.path(name), format!("/etc/{name}")))
    }

    pub(crate) fn stdin(&self) -> PathBuf {
        self.path("stdin")
    }

    /// The directory of the proxy's socket: the socket is made after the sandbox has it in sight, or before, as it happens.
    pub(crate) fn egress(&self) -> PathBuf {
        self.path("egress")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.egress().join(SOCKET)
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.path("tmp")
    }

    /// Removes it. What the command left in `tmp` may be a lot, so this is for a thread that may block.
    pub(crate) fn remove(self) -> io::Result<()> {
        // A directory that the command closed to itself would keep what is beneath it.
        open_up(&self.tmp());
        self.dir.close()
    }
}

/// The name of the proxy's socket in its directory.
pub(crate) const SOCKET: &str = "proxy";

fn write_for(path: &Path, bytes: &[u8], owner: Option<(u32, u32)>) -> io::Result<()> {
    fs::write(path, bytes)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    owner.map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))
}

fn open_up(dir: &Path) {
    let _ = fs::set_permissions(dir, Permissions::from_mode(0o700));
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        // Links are not followed: what they lead to is not ours.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}
