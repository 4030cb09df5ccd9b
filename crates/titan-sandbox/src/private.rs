//! The directory that a run has for itself: what of `/etc` is made up for it, its input, the socket of its proxy, and with
//! Landlock its `/tmp`. It goes with the run.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use tempfile::TempDir;
use tokio::net::UnixListener;

use crate::leftovers::{self, PREFIX};
use crate::remove::remove_all;

/// Files that tell who and where one is. They name the sandbox, not the machine.
const MADE_UP: [(&str, &str); 5] = [
    (
        "passwd",
        "sandbox:x:1000:1000:sandbox:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    ("group", "sandbox:x:1000:\nnogroup:x:65534:\n"),
    ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ("resolv.conf", "# names are resolved by the egress proxy\n"),
];

/// Devices that hold nothing: their names and minor numbers.
const DEVICES: [(&str, u32); 5] = [("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)];
/// The major number of all of them.
const MEMORY: u32 = 1;

pub(crate) struct Private {
    dir: TempDir,
    /// Whether it holds devices of its own.
    has_devices: bool,
    /// Says that it is somebody's.
    _lock: File,
}

impl Private {
    /// `owner` is the user and group that the command becomes, when that is another one than this process.
    pub(crate) fn create(stdin: &[u8], owner: Option<(u32, u32)>) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        let lock = leftovers::lock(dir.path())?;
        let mut private = Self { dir, has_devices: false, _lock: lock };
        // To pass through is allowed to all, to look around to nobody: another user may be the one who needs what is in it.
        fs::set_permissions(private.dir.path(), Permissions::from_mode(0o711))?;
        for (name, text) in MADE_UP {
            fs::write(private.path(name), text)?;
        }
        write_for(&private.stdin(), stdin, owner)?;
        DirBuilder::new().mode(0o711).create(private.egress())?;
        // Not everywhere may root make devices; then the machine's are not its own either, but those of a container.
        private.has_devices = owner.is_none() && rustix::process::geteuid().is_root() && private.make_devices().is_ok();
        let tmp = private.tmp();
        DirBuilder::new().mode(0o700).create(&tmp)?;
        if let Some((user, group)) = owner {
            chown(&tmp, Some(user), Some(group))?;
        }
        Ok(private)
    }

    fn make_devices(&self) -> io::Result<()> {
        let dir = self.path("dev");
        DirBuilder::new().mode(0o711).create(&dir)?;
        for (name, minor) in DEVICES {
            let (path, mode) = (dir.join(name), Mode::from_raw_mode(0o666));
            mknodat(CWD, &path, FileType::CharacterDevice, mode, makedev(MEMORY, minor))?;
            fs::set_permissions(&path, Permissions::from_mode(0o666))?;
            // Where the file system is not for devices, it was made and is none.
            File::open(&path)?;
        }
        Ok(())
    }

    /// Each device, and its copy where there is one.
    pub(crate) fn devices(&self) -> impl Iterator<Item = (&'static str, Option<PathBuf>)> {
        DEVICES.iter().map(|(name, _)| (*name, self.has_devices.then(|| self.path("dev").join(name))))
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

    /// The directory of the sockets: they are made after the sandbox has it in sight, or before, as it happens.
    pub(crate) fn egress(&self) -> PathBuf {
        self.path("egress")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.egress().join(SOCKET)
    }

    pub(crate) fn gate(&self) -> PathBuf {
        self.egress().join(GATE)
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.path("tmp")
    }
}

/// What the command left in `tmp` may be a lot, so this belongs on a thread that may block.
impl Drop for Private {
    fn drop(&mut self) {
        // What cannot be removed is no fault of the command, and the rest goes with the directory itself.
        let _ = remove_all(&self.tmp());
    }
}

/// The names of the sockets in their directory: the proxy's, and that of who wants in.
pub(crate) const SOCKET: &str = "proxy";
pub(crate) const GATE: &str = "gate";

/// A socket for the command, and for nobody else.
pub(crate) fn listen(path: &Path, owner: Option<(u32, u32)>) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    owner.map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))?;
    Ok(listener)
}

fn write_for(path: &Path, bytes: &[u8], owner: Option<(u32, u32)>) -> io::Result<()> {
    fs::write(path, bytes)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    owner.map_or(Ok(()), |(user, group)| chown(path, Some(user), Some(group)))
}
