//! What to run, with what, and within which limits. Everything a command sees is said here: nothing of the caller's environment,
//! directories or open files is inherited.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::egress::Rule;
use crate::error::Error;

/// The most that is read on the command's standard input, in bytes.
const MAX_STDIN: usize = 64 * 1024 * 1024;
/// The most read-only paths of one command.
const MAX_READ_ONLY: usize = 64;
/// The most directories of one command beside its own.
const MAX_CACHES: usize = 16;
/// The most bytes of program, arguments and environment together. The kernel takes about 2 MiB.
const MAX_WORDS: usize = 1024 * 1024;

/// One command. `Command::new` fills in defaults, the fields are there to be changed.
#[derive(Debug, Clone)]
pub struct Command {
    /// A path, or a name that is looked for in the `PATH` of `env`.
    pub program: String,
    pub args: Vec<String>,
    /// The one directory that the command may change; see [`crate::Sandbox::workdir_inside`] for where it finds it. It holds no
    /// hard links to files outside, because those would be changed with it.
    pub workdir: PathBuf,
    /// What it may read beside the system's own programs and libraries, at the same paths: toolchains, a CA file.
    pub read_only: Vec<PathBuf>,
    /// All of its environment. Where they are missing, `PATH`, `HOME`, `TMPDIR` and `LANG` get plain values.
    pub env: BTreeMap<String, String>,
    pub network: Network,
    /// A server that it runs, and how that is reached; only with bubblewrap.
    pub inbound: Option<Inbound>,
    /// Directories that it may change beside its own and that outlive it, by their names; see
    /// [`crate::Sandbox::cache_inside`] for where it finds them. The same holds for them as for its directory.
    pub caches: BTreeMap<String, PathBuf>,
    pub limits: Limits,
    pub stdin: Vec<u8>,
}

/// Connections to `listener` are led to a port on the loopback inside.
#[derive(Debug, Clone)]
pub struct Inbound {
    pub port: u16,
    pub listener: Arc<TcpListener>,
}

/// Where the command may connect to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Network {
    /// Nowhere outside. With bubblewrap it still has a loopback of its own, for servers that its own tests start.
    #[default]
    None,
    /// These targets, through the proxy of [`crate::egress`]; only with bubblewrap.
    Allow(Vec<Rule>),
}

/// What a command may use up. docs/SANDBOX.md says how each is held, and how closely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub wall: Duration,
    /// Of all its processes together.
    pub cpu: Duration,
    /// Of all its processes together, in bytes.
    pub memory: u64,
    /// Processes and threads at one time.
    pub processes: u64,
    /// Of each process.
    pub open_files: u64,
    /// Of each file it writes, in bytes.
    pub file_size: u64,
    /// Of `/tmp` and of `/dev/shm`, each, in bytes. They lie in memory, in addition to `memory`.
    pub scratch: u64,
    /// Of both streams together, in bytes. More is read, so that nothing blocks, and thrown away.
    pub output: u64,
    /// Between the SIGTERM that asks and the SIGKILL that does not.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            wall: Duration::from_secs(600),
            cpu: Duration::from_secs(1200),
            memory: 4096 * MIB,
            processes: 512,
            open_files: 4096,
            file_size: 1024 * MIB,
            scratch: 512 * MIB,
            output: 10 * MIB,
            grace: Duration::from_secs(1),
        }
    }
}

impl Command {
    pub fn new(program: impl Into<String>, workdir: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            workdir: workdir.into(),
            read_only: Vec::new(),
            env: BTreeMap::new(),
            network: Network::None,
            inbound: None,
            caches: BTreeMap::new(),
            limits: Limits::default(),
            stdin: Vec::new(),
        }
    }

    /// Refuses what could not run, before anything is started.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let bad = |what: String| Err(Error::BadCommand(what));
        if self.program.is_empty() {
            return bad("the program is empty: name one".into());
        }
        let words = self.args.iter().chain(self.env.keys()).chain(self.env.values()).chain([&self.program]);
        let mut size = 0;
        for word in words {
            size += word.len() + 1;
            if word.contains('\0') {
                return bad("a zero byte in the program, an argument or the environment: leave it out".into());
            }
        }
        if size > MAX_WORDS {
            return bad(format!("{size} bytes of arguments and environment, at most {MAX_WORDS}: pass more by a file"));
        }
        if let Some(name) = self.env.keys().find(|name| name.is_empty() || name.contains('=')) {
            return bad(format!("\"{name}\" is no name of a variable: it is empty or holds a \"=\""));
        }
        if self.stdin.len() > MAX_STDIN {
            return bad(format!("{} bytes of input, at most {MAX_STDIN}: pass more by a file", self.stdin.len()));
        }
        if self.read_only.len() > MAX_READ_ONLY {
            return bad(format!(
                "{} read-only paths, at most {MAX_READ_ONLY}: name a directory above them",
                self.read_only.len()
            ));
        }
        let is_name = |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
        if self.caches.len() > MAX_CACHES || !self.caches.keys().all(is_name) {
            return bad(format!("caches are at most {MAX_CACHES}, named by letters and digits"));
        }
        self.limits.check()
    }
}

impl Limits {
    fn check(&self) -> Result<(), Error> {
        const SECOND: Duration = Duration::from_secs(1);
        let small = [
            ("processes", self.processes, 1),
            ("open files", self.open_files, 16),
            ("memory", self.memory, 1024 * 1024),
            ("scratch", self.scratch, 4096),
        ];
        if let Some((name, value, least)) = small.into_iter().find(|(_, value, least)| value < least) {
            return Err(Error::BadCommand(format!("a limit of {value} for {name}: at least {least}")));
        }
        let zero = self.wall.is_zero() || self.cpu.is_zero();
        if zero || self.wall > SECOND * 86_400 || self.grace > SECOND * 60 {
            return Err(Error::BadCommand(
                "time limits are above 0, wall time at most a day, the grace at most 60 s".into(),
            ));
        }
        Ok(())
    }
}

/// Where a read-only path really is, or why it cannot be one.
pub(crate) fn read_only(path: &Path) -> Result<PathBuf, Error> {
    let refuse = |why: &str| Err(Error::BadCommand(format!("the read-only path {} {why}", path.display())));
    if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
        return refuse("is not absolute: begin it with \"/\", without \"..\"");
    }
    // What is the sandbox's own, or would open everything.
    const OURS: [&str; 7] = ["/", "/proc", "/sys", "/dev", "/run", "/tmp", "/etc"];
    if OURS.iter().any(|ours| path == Path::new(ours)) || path.starts_with("/work") || path.starts_with("/proc") {
        return refuse("is laid out by the sandbox itself: name what you need beneath it");
    }
    match path.canonicalize() {
        Ok(real) if real == Path::new("/") => refuse("leads to the root of all files"),
        Ok(real) => Ok(real),
        Err(error) => refuse(&format!("cannot be opened: {error}")),
    }
}
