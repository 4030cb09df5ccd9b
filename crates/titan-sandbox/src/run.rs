//! One command from its launch to its end: builds its walls, hears the stage, and gives up on nothing without a time.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Pair;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command as Process};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::command::{Command, Limits, Network};
use crate::egress::Proxy;
use crate::error::Error;
use crate::ingress::Gate;
use crate::inside::tree;
use crate::launch::{self, Launch};
use crate::outcome::{Ended, Event};
use crate::output::Output;
use crate::private::Private;
use crate::protocol::{CANCEL, Order, Report, Taken};
use crate::sandbox::{Sandbox, Variant};

/// For the walls to stand. They take a few milliseconds.
const START: Duration = Duration::from_secs(30);
/// Beyond what the stage itself allows, before it counts as broken.
const MARGIN: Duration = Duration::from_secs(5);
/// For the stage's own exit once the command has ended.
const END: Duration = Duration::from_secs(10);
/// For whoever listens to take the last of the output, also when it cannot be written down for a while.
const LAST_WORDS: Duration = Duration::from_secs(120);
/// The most that is told of what bubblewrap complained about, in bytes.
const MAX_COMPLAINT: u64 = 4096;

/// For the first process behind the walls to appear: how often it is looked for.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

pub(crate) async fn run(
    sandbox: Sandbox,
    command: Command,
    events: mpsc::Sender<Event>,
    cancel: CancellationToken,
    gone: CancellationToken,
) -> Result<Ended, Error> {
    command.check()?;
    let workdir = launch::workdir(&command.workdir)?;
    let owner = launch::owner(&workdir)?;
    let stdin = command.stdin.clone();
    let private =
        blocking(move || Private::create(&stdin, owner)).await.map_err(Error::io("make a directory for the run"))?;
    let ended = run_in(&sandbox, &command, &workdir, &private, events, cancel, gone).await;
    let _ = tokio::task::spawn_blocking(move || drop(private)).await;
    ended
}

async fn run_in(
    sandbox: &Sandbox,
    command: &Command,
    workdir: &Path,
    private: &Private,
    events: mpsc::Sender<Event>,
    cancel: CancellationToken,
    gone: CancellationToken,
) -> Result<Ended, Error> {
    let launch = launch::plan(sandbox, command, workdir.to_owned(), private)?;
    let _proxy = match &command.network {
        Network::None => None,
        Network::Allow(rules) => {
            let proxy =
                Proxy::start(&private.socket(), launch.start_as, rules.clone(), sandbox.way().clone(), events.clone());
            Some(proxy.map_err(Error::io("open its way out"))?)
        }
    };
    let _gate = match &command.inbound {
        None => None,
        Some(inbound) => {
            Some(Gate::start(&private.gate(), launch.start_as, inbound).map_err(Error::io("open its way in"))?)
        }
    };
    let mut stage = Stage::start(&launch)?;
    let has_child = sandbox.variant() == Variant::Bubblewrap;
    if let Some(process) = stage.child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = tokio::task::spawn_blocking(move || offer_first(process, has_child)).await;
    }
    let begun = Instant::now();
    tokio::select! {
        started = stage.order(&launch.order) => started?,
        () = gone.cancelled() => return Err(stage.end(Error::Lost("nobody waits for it any more".into())).await),
    }
    let mut output =
        Output::new(stage.child.stdout.take(), stage.child.stderr.take(), command.limits.output, begun, events);
    let taken = {
        let end = stage.until_the_end(&command.limits, &cancel, &gone);
        tokio::pin!(end);
        tokio::select! {
            taken = &mut end => taken,
            // Both streams may be closed long before the end.
            () = output.pass_on() => end.await,
        }
    };
    let wall = begun.elapsed();
    let taken = match taken {
        Ok(taken) => taken,
        Err(error) => return Err(stage.end(error).await),
    };
    // All processes are gone, so that both pipes end; only a caller who does not listen could hold this up.
    tokio::select! {
        _ = timeout(LAST_WORDS, output.pass_on()) => {}
        () = gone.cancelled() => {}
    }
    stage.close().await;
    let Taken { exit, cpu_user, cpu_system, peak_memory } = taken;
    Ok(Ended { exit, wall, cpu_user, cpu_system, peak_memory, output_bytes: output.total() })
}

/// The stage as a process, and the socket to it.
struct Stage {
    child: Child,
    reports: Lines<BufReader<OwnedReadHalf>>,
    socket: Option<OwnedWriteHalf>,
    program: String,
}

impl Stage {
    fn start(launch: &Launch) -> Result<Self, Error> {
        let start = || -> io::Result<Self> {
            let (ours, theirs) = Pair::pair()?;
            ours.set_nonblocking(true)?;
            let mut process = Process::new(&launch.program);
            process.args(&launch.args).env_clear().current_dir("/");
            process.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::piped());
            if let Some((user, group)) = launch.start_as {
                process.uid(user).gid(group);
            }
            let child = process.spawn()?;
            let (reports, socket) = UnixStream::from_std(ours)?.into_split();
            let reports = BufReader::new(reports).lines();
            Ok(Self { child, reports, socket: Some(socket), program: launch.order.program.clone() })
        };
        start().map_err(|error| Error::NotStarted(format!("{}: {error}", launch.program.display())))
    }

    /// Says what to run, and waits until it runs.
    async fn order(&mut self, order: &Order) -> Result<(), Error> {
        let mut line = serde_json::to_vec(order).map_err(|error| Error::BadCommand(error.to_string()))?;
        line.push(b'\n');
        let talk = async {
            // When it is gone already, its complaint says more than this error.
            if let Some(socket) = &mut self.socket {
                let _ = socket.write_all(&line).await;
            }
            self.report().await
        };
        let report = timeout(START, talk).await.unwrap_or(None);
        match report {
            Some(Report::Started) => Ok(()),
            Some(Report::Program(reason)) => {
                Err(self.end(Error::Program { program: self.program.clone(), reason }).await)
            }
            Some(Report::Walls(reason)) => Err(self.end(Error::NotStarted(reason)).await),
            Some(Report::Ended(_)) | None => {
                let complaint = self.complaint().await;
                Err(self.end(Error::NotStarted(complaint)).await)
            }
        }
    }

    /// The next word of the stage; none when it is gone.
    async fn report(&mut self) -> Option<Report> {
        let line = self.reports.next_line().await.ok()??;
        serde_json::from_str(&line).ok()
    }

    /// Waits for the end, and asks for it when somebody wants it.
    async fn until_the_end(
        &mut self,
        limits: &Limits,
        cancel: &CancellationToken,
        gone: &CancellationToken,
    ) -> Result<Taken, Error> {
        let mut backstop = Instant::now() + limits.wall + limits.grace + MARGIN;
        let mut asked = false;
        loop {
            tokio::select! {
                report = self.report() => {
                    return match report {
                        Some(Report::Ended(taken)) => Ok(taken),
                        _ => Err(Error::Lost("the stage is gone; something outside may have killed it".into())),
                    };
                }
                () = cancel.cancelled(), if !asked => {
                    asked = true;
                    backstop = backstop.min(Instant::now() + limits.grace + MARGIN);
                    if let Some(socket) = &mut self.socket {
                        // Should it not be heard, the backstop is.
                        let _ = timeout(MARGIN, socket.write_all(CANCEL.as_bytes())).await;
                    }
                }
                () = gone.cancelled() => return Err(Error::Lost("nobody waits for it any more".into())),
                () = sleep_until(backstop) => return Err(Error::Lost("it did not end when it was told to".into())),
            }
        }
    }

    /// Closes the socket, at which the stage kills everything, and waits for the stage itself.
    async fn close(&mut self) {
        self.socket = None;
        if timeout(END, self.child.wait()).await.is_err() {
            let _ = self.child.start_kill();
            let _ = timeout(END, self.child.wait()).await;
        }
    }

    async fn end(&mut self, error: Error) -> Error {
        self.close().await;
        error
    }

    /// What bubblewrap or the stage wrote instead of starting.
    async fn complaint(&mut self) -> String {
        let mut text = Vec::new();
        if let Some(stderr) = self.child.stderr.take() {
            let _ = timeout(Duration::from_secs(1), stderr.take(MAX_COMPLAINT).read_to_end(&mut text)).await;
        }
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        if text.is_empty() { "it said nothing".to_owned() } else { text }
    }
}

/// When the machine runs out of memory, the kernel is to take the command and not its caller. Nothing runs yet: what this process
/// has started by now is named here, and what it starts later inherits it.
fn offer_first(process: i32, has_child: bool) {
    let offer = |process: i32| fs::write(format!("/proc/{process}/oom_score_adj"), "1000");
    let _ = offer(process);
    // One that was started a moment before may not be in sight yet.
    for _ in 0..LOOKS {
        let children = tree::descendants(process);
        for (child, _) in &children {
            let _ = offer(*child);
        }
        if !has_child || !children.is_empty() {
            return;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
