//! The git program on a repository that nobody trusts, from a server that nobody trusts: in the sandbox, without anybody's settings,
//! and with the network for one host alone. What it answers is bytes; nothing is ever checked out, so that no attribute, filter,
//! hook or link of the repository means anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use titan_sandbox::egress::Rule;
use titan_sandbox::{Command, Ended, Event, Exit, Network, Stream};
use tokio::sync::mpsc;

use super::run::{Site, Trouble};
use super::{Workshop, folder};

/// Bytes of one file on disk: all that is fetched comes as one pack.
pub(crate) const MAX_PACK: u64 = 64 << 20;
const MAX_MEMORY: u64 = 1 << 30;
/// Bytes of what git says went wrong.
const MAX_COMPLAINT: usize = 4 << 10;
const MAX_CERTIFICATES: u64 = 8 << 20;
const ROOM: usize = 64;
/// Below so many bytes a second for so many seconds a transfer has ended.
const SLOWEST: [&str; 2] = ["http.lowSpeedLimit=1000", "http.lowSpeedTime=30"];

/// How `env` ends when there is no such program.
const NO_PROGRAM: i32 = 127;

const SETTINGS: [&str; 18] = [
    "protocol.allow=never",
    "protocol.https.allow=always",
    "http.followRedirects=initial",
    "credential.helper=",
    "core.askPass=",
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "core.quotePath=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "transfer.bundleURI=false",
    // One file, whose size has a limit, instead of many.
    "fetch.unpackLimit=1",
    "gc.auto=0",
    "maintenance.auto=false",
    "safe.directory=*",
    // What is larger is never held in memory as a whole.
    "core.bigFileThreshold=4m",
];

/// A folder with one bare repository in it.
pub(crate) struct Repository<'a> {
    workshop: &'a Workshop,
    folder: PathBuf,
    /// Where git may fetch from.
    rule: Rule,
    has_certificates: bool,
}

/// How one call of git ended.
pub(crate) struct Answer {
    pub(crate) exit: Exit,
    pub(crate) said: Vec<u8>,
    pub(crate) complaint: String,
    /// Why the proxy let it connect to nothing.
    pub(crate) refused: Option<String>,
    /// It had more to say than it was allowed.
    pub(crate) is_cut: bool,
}

/// One call: its arguments, and what it may use up.
pub(crate) struct Call<'a> {
    pub(crate) arguments: &'a [&'a str],
    pub(crate) told: Vec<u8>,
    pub(crate) network: bool,
    pub(crate) time: Duration,
    /// Bytes of the answer.
    pub(crate) most: usize,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        self.exit.is_success() && !self.is_cut
    }
}

impl Workshop {
    /// An empty repository in a folder of its own, which is made.
    pub(crate) async fn repository(
        &self,
        site: Site<'_>,
        folder: &Path,
        rule: Rule,
    ) -> Result<Repository<'_>, Trouble> {
        fs::create_dir_all(folder)?;
        let mut repository = Repository { workshop: self, folder: folder.to_owned(), rule, has_certificates: false };
        if let Some(path) = &self.tools.git_certificates {
            let is_fit = fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_CERTIFICATES);
            let bytes = if is_fit { fs::read(path).ok() } else { None };
            let Some(bytes) = bytes else {
                return Err(Trouble::Failed(format!(
                    "the worker's certificates cannot be read: {} (GIT_SSL_CAINFO, else SSL_CERT_FILE)",
                    path.display()
                )));
            };
            fs::write(folder.join(CERTIFICATES), bytes)?;
            repository.has_certificates = true;
        }
        if let Ok(sandbox) = self.sandbox().await {
            folder::hand_over(folder, sandbox)?;
        }
        let init = ["init", "--quiet", "--bare", "--template=", REPOSITORY];
        let call =
            Call { arguments: &init, told: Vec::new(), network: false, time: Duration::from_secs(30), most: 4096 };
        let answer = repository.ask(site, call).await?;
        if !answer.is_success() {
            return Err(Trouble::Passing(format!("git cannot make a repository: {}", answer.complaint)));
        }
        Ok(repository)
    }
}

const REPOSITORY: &str = "repository.git";
const CERTIFICATES: &str = "certificates.pem";

impl Repository<'_> {
    /// Whether what came did not fit: git itself only says that something is wrong with it.
    pub(crate) fn is_full(&self) -> bool {
        let packs = fs::read_dir(self.folder.join(REPOSITORY).join("objects/pack"));
        let is_full = |entry: fs::DirEntry| entry.metadata().is_ok_and(|meta| meta.len() >= MAX_PACK);
        packs.is_ok_and(|packs| packs.flatten().any(is_full))
    }

    /// Runs git to its end. How that was is for the caller to judge.
    pub(crate) async fn ask(&self, site: Site<'_>, call: Call<'_>) -> Result<Answer, Trouble> {
        let _place = tokio::select! {
            place = self.workshop.places.acquire() => place.map_err(|_| Trouble::Stopped)?,
            () = site.stop.requested() => return Err(Trouble::Stopped),
        };
        let sandbox = self.workshop.sandbox().await.map_err(|why| {
            Trouble::Failed(format!("nothing is fetched without walls around it, and none can be built here: {why}"))
        })?;
        let inside = sandbox.workdir_inside(&self.folder);
        // What goes round the proxy would reach nothing: the loopback inside is empty.
        let mut command = Command::new("env", &self.folder);
        let mut words: Vec<String> = ["no_proxy=", "NO_PROXY=", "git"].map(str::to_owned).into();
        for setting in SETTINGS.iter().chain(&SLOWEST) {
            words.extend(["-c".to_owned(), (*setting).to_owned()]);
        }
        let is_init = call.arguments.first() == Some(&"init");
        if !is_init {
            words.push(format!("--git-dir={}", inside.join(REPOSITORY).display()));
        }
        words.extend(call.arguments.iter().map(|argument| (*argument).to_owned()));
        command.args = words;
        command.stdin = call.told;
        command.env = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ALLOW_PROTOCOL", "https"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        if self.has_certificates {
            let path = inside.join(CERTIFICATES).display().to_string();
            command.env.insert("GIT_SSL_CAINFO".to_owned(), path);
        }
        if call.network {
            command.network = Network::Allow(vec![self.rule.clone()]);
        }
        let limits = &mut command.limits;
        (limits.wall, limits.cpu) = (call.time, call.time);
        (limits.memory, limits.file_size) = (MAX_MEMORY, MAX_PACK);
        (limits.processes, limits.scratch) = (64, 16 << 20);
        limits.output = u64::try_from(call.most + MAX_COMPLAINT).unwrap_or(u64::MAX);
        let (events, heard) = mpsc::channel(ROOM);
        let (ended, mut answer) = tokio::join!(sandbox.run(command, events, site.stop.token()), hear(heard, call.most));
        let ended: Ended = match ended {
            Ok(ended) if ended.exit != Exit::Canceled => ended,
            Ok(_) => return Err(Trouble::Stopped),
            Err(_) if site.stop.reason().is_some() => return Err(Trouble::Stopped),
            Err(error @ (titan_sandbox::Error::Lost(_) | titan_sandbox::Error::NotStarted(_))) => {
                return Err(Trouble::Passing(format!("git: {error}")));
            }
            Err(error) => return Err(Trouble::Failed(format!("git: {error}"))),
        };
        answer.exit = ended.exit;
        if answer.exit == Exit::Code(NO_PROGRAM) {
            return Err(Trouble::Failed("git is not installed on the worker's machine".to_owned()));
        }
        Ok(answer)
    }
}

async fn hear(mut events: mpsc::Receiver<Event>, most: usize) -> Answer {
    let (mut said, mut complaint) = (Vec::new(), Vec::new());
    let (mut refused, mut is_cut) = (None, false);
    while let Some(event) = events.recv().await {
        match event {
            Event::Output(chunk) if chunk.stream == Stream::Stdout => said.extend_from_slice(&chunk.bytes),
            Event::Output(chunk) => complaint.extend_from_slice(&chunk.bytes),
            Event::Cut { .. } => is_cut = true,
            Event::Refused { target, reason } => refused = Some(format!("{target}: {reason}")),
        }
    }
    is_cut |= said.len() > most;
    complaint.truncate(MAX_COMPLAINT);
    let complaint = titan_core::error::one_line(&String::from_utf8_lossy(&complaint));
    Answer { exit: Exit::Canceled, said, complaint: titan_core::redact::redact(&complaint), refused, is_cut }
}
