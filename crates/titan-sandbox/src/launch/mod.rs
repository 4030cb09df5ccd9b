//! How the stage gets behind the walls. Each variant lays out what the command sees, and says what it looks like from inside.
//!
//! - `bubblewrap`: namespaces, so that what is not laid out is not there.
//! - `bare`: no namespaces; the stage lays Landlock around the command, so that what is not granted is refused.

mod bare;
pub(crate) mod bubblewrap;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::command::{self, Command, Network};
use crate::error::Error;
use crate::private::Private;
use crate::protocol::Order;
use crate::sandbox::{Sandbox, Variant};

/// The user that the command is for itself, where there are namespaces.
pub(crate) const INSIDE_USER: u32 = 1000;

/// What is started, and what it is told.
pub(crate) struct Launch {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub order: Order,
    /// The user and group as which it is started, when not those of this process.
    pub start_as: Option<(u32, u32)>,
}

/// What of the system's own files a build needs, where it is there.
const SYSTEM: [&str; 7] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// What of `/etc` says nothing about this machine's users, or is needed to find libraries and certificates.
/// Private keys lie beside certificates: those alone are laid out.
const ETC: [&str; 16] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/protocols",
    "/etc/services",
    "/etc/login.defs",
];

/// Directories of which a part may be the command's, but never the whole.
const SHARED: [&str; 9] = ["/", "/home", "/mnt", "/opt", "/root", "/run", "/srv", "/tmp", "/var"];

/// Who the command is when this process is root: the owner of its directory, so that it owns nothing else. Whoever is not root
/// cannot choose.
pub(crate) fn owner(workdir: &Path) -> Result<Option<(u32, u32)>, Error> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let meta = workdir.metadata().map_err(|error| unusable(workdir, &error.to_string()))?;
    Ok((meta.uid() != 0).then(|| (meta.uid(), meta.gid())))
}

pub(crate) fn unusable(workdir: &Path, why: &str) -> Error {
    Error::BadCommand(format!("the directory {} cannot be used: {why}", workdir.display()))
}

/// A directory that the command may change, as it really is.
pub(crate) fn workdir(path: &Path) -> Result<PathBuf, Error> {
    let dir = path.canonicalize().map_err(|error| unusable(path, &error.to_string()))?;
    // The whole of a system as the place to write would be no wall.
    let is_within = |places: &[&str]| places.iter().any(|place| dir.starts_with(place));
    let is_one_of = |places: &[&str]| places.iter().any(|place| dir == Path::new(place));
    if is_within(&SYSTEM) || is_within(&["/etc", "/boot", "/dev", "/proc", "/sys"]) || is_one_of(&SHARED) {
        return Err(unusable(&dir, "it is part of the system: give one that holds the command's own files"));
    }
    if dir.is_dir() { Ok(dir) } else { Err(unusable(&dir, "it is no directory")) }
}

pub(crate) fn plan(sandbox: &Sandbox, command: &Command, workdir: PathBuf, private: &Private) -> Result<Launch, Error> {
    let read_only = command.read_only.iter().map(|path| command::read_only(path).map(|real| (path.clone(), real)));
    let read_only: Vec<(PathBuf, PathBuf)> = read_only.collect::<Result<_, _>>()?;
    let start_as = owner(&workdir)?;
    let caches = command.caches.iter().map(|(name, path)| Ok((name.clone(), self::workdir(path)?)));
    let caches: Vec<(String, PathBuf)> = caches.collect::<Result<_, Error>>()?;
    if let Some((_, other)) = caches.iter().find(|(_, path)| owner(path).ok() != Some(start_as)) {
        return Err(unusable(other, "it belongs to another user than the command's own directory"));
    }
    match sandbox.variant() {
        Variant::Bubblewrap => Ok(bubblewrap::plan(sandbox, command, &workdir, &caches, &read_only, private, start_as)),
        Variant::Landlock if command.network != Network::None || command.inbound.is_some() => Err(Error::NotHere(
            "a network needs bubblewrap: install it (apt-get install bubblewrap) or run without one".into(),
        )),
        Variant::Landlock => {
            let writable = std::iter::once(workdir.clone()).chain(caches.into_iter().map(|(_, path)| path)).collect();
            bare::plan(sandbox, command, workdir, writable, read_only, private, start_as)
        }
    }
}

/// The environment with plain values for what everything expects.
fn environment(command: &Command, tmp: &Path) -> BTreeMap<String, String> {
    let tmp = tmp.to_string_lossy().into_owned();
    let mut all = BTreeMap::from([
        ("PATH".to_owned(), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
        ("HOME".to_owned(), tmp.clone()),
        ("TMPDIR".to_owned(), tmp),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
    ]);
    all.extend(command.env.iter().map(|(name, value)| (name.clone(), value.clone())));
    all
}
