//! Which walls work on this machine. Found once, when a daemon starts, by running something behind them: a kernel may have a
//! feature and a container still refuse it.

use std::env;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::command::Command;
use crate::egress::Way;
use crate::error::{Error, Unavailable};
use crate::launch::bubblewrap::{CACHES, WORK};
use crate::leftovers;
use crate::outcome::{Ended, Event};
use crate::run;

/// The program that runs inside the walls.
const STAGE: &str = "titan-stage";
/// A user that owns nothing, for trying out Landlock as root.
const NOBODY: u32 = 65534;

/// How commands are confined here. docs/SANDBOX.md compares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Namespaces by the program `bwrap`: everything that is promised.
    Bubblewrap,
    /// No namespaces, where a container refuses them: no network at all, and names of files outside stay in sight.
    Landlock,
}

/// What a caller may say about the sandbox. The default finds everything by itself.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Only this one, or none.
    pub variant: Option<Variant>,
    /// The program `titan-stage`; else the one beside the running program.
    pub stage: Option<PathBuf>,
    /// The program `bwrap`; else the one in the usual places.
    pub bubblewrap: Option<PathBuf>,
    /// How connections leave, when a command may have some.
    pub way: Way,
}

/// Walls that were tried. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sandbox(Arc<Found>);

#[derive(Debug)]
struct Found {
    variant: Variant,
    stage: PathBuf,
    bubblewrap: PathBuf,
    way: Way,
}

impl Sandbox {
    /// Tries what there is, the best first.
    ///
    /// # Errors
    /// When nothing works: no command is ever run without walls.
    pub async fn detect(settings: Settings) -> Result<Self, Unavailable> {
        let _ = tokio::task::spawn_blocking(leftovers::sweep).await;
        let mut reasons = Vec::new();
        let Some(stage) = settings.stage.or_else(stage_beside_this_program) else {
            return Err(Unavailable {
                reasons: vec![format!("the program {STAGE} does not lie beside this one: build or install it")],
            });
        };
        let variants = settings.variant.map_or_else(|| vec![Variant::Bubblewrap, Variant::Landlock], |only| vec![only]);
        for variant in variants {
            let bubblewrap = settings.bubblewrap.clone().or_else(installed_bubblewrap);
            let bubblewrap = match (variant, bubblewrap) {
                (Variant::Bubblewrap, None) => {
                    reasons.push("bubblewrap is not installed (apt-get install bubblewrap)".to_owned());
                    continue;
                }
                (_, found) => found.unwrap_or_default(),
            };
            let sandbox =
                Self(Arc::new(Found { variant, stage: stage.clone(), bubblewrap, way: settings.way.clone() }));
            match sandbox.try_out().await {
                Ok(()) => return Ok(sandbox),
                Err(reason) => reasons.push(explain(variant, &reason)),
            }
        }
        Err(Unavailable { reasons })
    }

    /// Runs a command to its end. Its output comes over `events` while it runs, so read them meanwhile, or drop the receiver.
    /// When `cancel` is canceled it gets SIGTERM, and after its grace SIGKILL; when this future is dropped, SIGKILL at once.
    ///
    /// # Errors
    /// When it did not start, or when the sandbox itself was taken away. What a command does wrong is no error but an
    /// [`crate::Exit`].
    pub async fn run(
        &self,
        command: Command,
        events: mpsc::Sender<Event>,
        cancel: CancellationToken,
    ) -> Result<Ended, Error> {
        // A task of its own, so that a caller who goes away does not leave the clearing up half done.
        let gone = CancellationToken::new();
        let guard = gone.clone().drop_guard();
        let task = tokio::spawn(run::run(self.clone(), command, events, cancel, gone));
        let ended = task.await.unwrap_or_else(|error| Err(Error::Lost(error.to_string())));
        drop(guard);
        ended
    }

    pub fn variant(&self) -> Variant {
        self.0.variant
    }

    /// Where a command finds its directory.
    pub fn workdir_inside(&self, workdir: &Path) -> PathBuf {
        match self.variant() {
            Variant::Bubblewrap => PathBuf::from(WORK),
            Variant::Landlock => workdir.canonicalize().unwrap_or_else(|_| workdir.to_owned()),
        }
    }

    /// Where a command finds the cache of this name, which lies at `path`.
    pub fn cache_inside(&self, name: &str, path: &Path) -> PathBuf {
        match self.variant() {
            Variant::Bubblewrap => Path::new(CACHES).join(name),
            Variant::Landlock => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        }
    }

    pub(crate) fn stage(&self) -> &Path {
        &self.0.stage
    }

    pub(crate) fn bubblewrap(&self) -> &Path {
        &self.0.bubblewrap
    }

    pub(crate) fn way(&self) -> &Way {
        &self.0.way
    }

    /// Runs the smallest command there is.
    async fn try_out(&self) -> Result<(), String> {
        let dir = tempfile::Builder::new().prefix("titan-try-").tempdir().map_err(|error| error.to_string())?;
        if self.variant() == Variant::Landlock && rustix::process::geteuid().is_root() {
            chown(dir.path(), Some(NOBODY), Some(NOBODY)).map_err(|error| error.to_string())?;
        }
        let (events, mut said) = mpsc::channel(4);
        let ended = self.run(Command::new("true", dir.path()), events, CancellationToken::new()).await;
        let ended = ended.map_err(|error| error.to_string())?;
        if ended.exit.is_success() {
            return Ok(());
        }
        let words = match said.try_recv() {
            Ok(Event::Output(chunk)) => String::from_utf8_lossy(&chunk.bytes).into_owned(),
            _ => String::new(),
        };
        Err(format!("\"true\" ended with {:?} {}", ended.exit, words.trim()))
    }
}

fn explain(variant: Variant, reason: &str) -> String {
    match variant {
        Variant::Bubblewrap => format!(
            "bubblewrap does not work here ({reason}): it needs user namespaces; in a container allow them, \
             on Ubuntu see kernel.apparmor_restrict_unprivileged_userns"
        ),
        Variant::Landlock => {
            format!("Landlock does not work here ({reason}): it needs Linux 6.12 with \"landlock\" in the list lsm=")
        }
    }
}

/// A program lies where the others of this installation do; a test or an example, one below.
fn stage_beside_this_program() -> Option<PathBuf> {
    let own = env::current_exe().ok()?;
    let dir = own.parent()?;
    let above = dir.parent().filter(|_| dir.ends_with("deps") || dir.ends_with("examples"));
    [Some(dir), above].into_iter().flatten().map(|dir| dir.join(STAGE)).find(|path| path.is_file())
}

/// Only from where the system keeps programs: what builds the walls is not looked for in a path that somebody else may set.
fn installed_bubblewrap() -> Option<PathBuf> {
    let places = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];
    places.into_iter().map(PathBuf::from).find(|path| fs::metadata(path).is_ok_and(|meta| meta.is_file()))
}
