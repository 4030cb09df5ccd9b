//! What the tests share: a sandbox of each kind with a directory to work in, and a place outside that nothing may reach.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use titan_sandbox::egress::Way;
use titan_sandbox::{Command, Ended, Error, Event, Sandbox, Settings, Stream, Variant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A user and group that own nothing else.
pub(crate) const NOBODY: u32 = 65534;
/// What lies outside and must never be seen inside.
pub(crate) const CANARY: &str = "canary-5b1f0c77";

/// The ways in which a command can be confined. As root there are two of bubblewrap: as root's own number without any
/// power, and as the owner of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bubblewrap,
    BubblewrapAsOwner,
    Landlock,
}

/// One test for each way.
macro_rules! everywhere {
    ($(#[$meta:meta])* async fn $name:ident($kit:ident: Kit) $body:block) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            $(#[$meta])*
            async fn attack($kit: Kit) $body
            #[tokio::test]
            async fn bubblewrap() {
                attack(Kit::new(Kind::Bubblewrap).await).await;
            }
            #[tokio::test]
            async fn bubblewrap_as_owner() {
                attack(Kit::new(Kind::BubblewrapAsOwner).await).await;
            }
            #[tokio::test]
            async fn landlock() {
                attack(Kit::new(Kind::Landlock).await).await;
            }
        }
    };
}
pub(crate) use everywhere;

pub(crate) struct Kit {
    pub(crate) kind: Kind,
    pub(crate) sandbox: Sandbox,
    work: TempDir,
    outside: TempDir,
    /// The stage, where every user may read it.
    _stage: TempDir,
}

/// How a command ended, and all that was heard of it.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) ended: Ended,
    pub(crate) events: Vec<Event>,
}

impl Done {
    pub(crate) fn text(&self, wanted: Stream) -> String {
        let mut bytes = Vec::new();
        for event in &self.events {
            match event {
                Event::Output(chunk) if chunk.stream == wanted => bytes.extend_from_slice(&chunk.bytes),
                _ => {}
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn stdout(&self) -> String {
        self.text(Stream::Stdout)
    }

    /// What it wrote on both, for messages.
    pub(crate) fn words(&self) -> String {
        format!("{:?}\n{}\n{}", self.ended.exit, self.stdout(), self.text(Stream::Stderr))
    }

    /// The script came to its last line: nothing that is not there made it stop before.
    pub(crate) fn assert_finished(&self) {
        assert!(self.stdout().lines().last() == Some("finished"), "it did not finish: {}", self.words());
    }
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Kit {
    pub(crate) async fn new(kind: Kind) -> Self {
        Self::with_way(kind, Way::default()).await
    }

    pub(crate) async fn with_way(kind: Kind, way: Way) -> Self {
        let (work, outside, stage) = (dir("work"), dir("outside"), dir("stage"));
        let program = stage.path().join("titan-stage");
        fs::copy(env!("CARGO_BIN_EXE_titan-stage"), &program).expect("the stage");
        for open in [stage.path(), &program, outside.path()] {
            fs::set_permissions(open, Permissions::from_mode(0o755)).expect("permissions");
        }
        fs::write(outside.path().join("secret"), CANARY).expect("a secret");
        if is_root() && kind != Kind::Bubblewrap {
            chown(work.path(), Some(NOBODY), Some(NOBODY)).expect("an owner");
        }
        let variant = if kind == Kind::Landlock { Variant::Landlock } else { Variant::Bubblewrap };
        let settings = Settings { variant: Some(variant), stage: Some(program), bubblewrap: None, way };
        let sandbox = Sandbox::detect(settings).await.expect("the walls work here");
        Self { kind, sandbox, work, outside, _stage: stage }
    }

    pub(crate) fn work(&self) -> &Path {
        self.work.path()
    }

    /// A directory outside, with a file `secret` that everybody may read.
    pub(crate) fn outside(&self) -> &Path {
        self.outside.path()
    }

    /// A file for the command, owned as its directory is.
    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work().join(name);
        fs::write(&path, text).expect("a file");
        if is_root() && self.kind != Kind::Bubblewrap {
            chown(&path, Some(NOBODY), Some(NOBODY)).expect("an owner");
        }
        path
    }

    pub(crate) fn bash(&self, script: &str) -> Command {
        let mut command = Command::new("bash", self.work());
        command.args = vec!["-c".to_owned(), script.to_owned()];
        command.env.insert("OUTSIDE".to_owned(), self.outside().display().to_string());
        command.limits.wall = Duration::from_secs(30);
        command
    }

    pub(crate) async fn run(&self, command: Command) -> Result<Done, Error> {
        self.run_until(command, CancellationToken::new()).await
    }

    pub(crate) async fn run_until(&self, command: Command, cancel: CancellationToken) -> Result<Done, Error> {
        let (send, mut receive) = mpsc::channel(16);
        let collect = async {
            let mut events = Vec::new();
            while let Some(event) = receive.recv().await {
                events.push(event);
            }
            events
        };
        let (ended, events) = tokio::join!(self.sandbox.run(command, send, cancel), collect);
        Ok(Done { ended: ended?, events })
    }

    /// Runs a script of bash to its end, which it has to reach.
    pub(crate) async fn script(&self, script: &str) -> Done {
        let done = self.run(self.bash(&format!("{script}\necho finished"))).await.expect("it runs");
        done.assert_finished();
        done
    }

    /// A process outside, of the user that the command is outside.
    pub(crate) fn victim(&self) -> Victim {
        let mut command = std::process::Command::new("sleep");
        command.arg("600").env("CANARY", CANARY).stdin(Stdio::null()).stdout(Stdio::null());
        if is_root() && self.kind != Kind::Bubblewrap {
            use std::os::unix::process::CommandExt as _;
            command.uid(NOBODY).gid(NOBODY);
        }
        Victim(command.spawn().expect("a victim"))
    }
}

fn dir(name: &str) -> TempDir {
    tempfile::Builder::new().prefix(&format!("titan-test-{name}-")).tempdir().expect("a directory")
}

/// A process that a command is to leave alone.
pub(crate) struct Victim(Child);

impl Victim {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn assert_unharmed(&mut self) {
        assert!(self.0.try_wait().expect("its state").is_none(), "the process outside was ended");
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Something that only the processes of one test carry among their arguments.
pub(crate) fn marker() -> String {
    format!("{}.{}", 100_000 + std::process::id(), Instant::now().elapsed().subsec_nanos() + fresh())
}

fn fresh() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// How many processes of this machine carry it.
pub(crate) fn carrying(marker: &str) -> usize {
    places_of(marker).len()
}

/// Their directories in `/proc`.
pub(crate) fn places_of(marker: &str) -> Vec<PathBuf> {
    let carries = |place: &PathBuf| {
        let line = fs::read(place.join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == marker.as_bytes())
    };
    fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path()).filter(carries).collect()
}

/// Waits until it holds.
pub(crate) async fn eventually(what: &str, within: Duration, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
