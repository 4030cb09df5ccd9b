//! A daemon's process: begun by this supervisor, or taken over from one that was killed.
//!
//! Every daemon carries in its environment which side and deployment it belongs to. So a supervisor that starts finds what its
//! predecessor left running, also what that one had no time to write down.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::files::Role;

const FOLDER: &str = "TITAN_SUPERVISED_FOLDER";
const DEPLOYMENT: &str = "TITAN_SUPERVISED_DEPLOYMENT";
const ROLE: &str = "TITAN_SUPERVISED_ROLE";
/// Between two looks at a process that is not a child.
const LOOK: Duration = Duration::from_millis(100);

/// What tells a daemon from all other processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) deployment: String,
    pub(super) role: Role,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// When the kernel says it began: numbers of processes are used again.
    began: u64,
    child: Option<Child>,
}

/// One that runs already.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) mark: Mark,
    pub(super) process: Process,
    /// Where it was told to listen.
    pub(super) bind: Option<String>,
}

impl Process {
    /// Begins it in a process group of its own.
    pub(super) fn begin(
        folder: &Path,
        mark: &Mark,
        program: &Path,
        variables: &[(String, String)],
        log: &Path,
    ) -> io::Result<Self> {
        let log = super::logs::open(log)?;
        let mut command = Command::new(program);
        command.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
        command.env(FOLDER, folder).env(DEPLOYMENT, &mark.deployment).env(ROLE, mark.role.name());
        command.current_dir(folder).process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn()?;
        let pid = child.id().ok_or_else(|| io::Error::other("it has no number"))?;
        let began = about(pid).map_or(0, |about| about.began);
        Ok(Process { pid, began, child: Some(child) })
    }

    /// Waits until it has ended, and says how.
    pub(super) async fn ended(&mut self) -> String {
        if let Some(child) = &mut self.child {
            return match child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
        }
        while self.is_there() {
            sleep(LOOK).await;
        }
        "it ended; how is not known, since it was begun by another supervisor".to_owned()
    }

    /// Asks it to stop, and kills it and what belongs to it when it does not.
    pub(super) async fn stop(&mut self, grace: Duration) {
        self.signal(Signal::TERM);
        let in_order = tokio::time::timeout(grace, self.ended()).await.is_ok();
        // Its children are in its group and go in any case.
        if let Some(group) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        if !in_order {
            let give_up = Instant::now() + Duration::from_secs(5);
            while self.is_there() && Instant::now() < give_up {
                if let Some(child) = &mut self.child {
                    let _ = child.try_wait();
                }
                sleep(LOOK).await;
            }
        }
    }

    pub(super) fn is_there(&self) -> bool {
        about(self.pid).is_some_and(|about| about.began == self.began && !about.gone)
    }

    fn signal(&self, signal: Signal) {
        if self.is_there()
            && let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, signal);
        }
    }
}

/// All daemons of this side that run on this machine.
pub(super) fn find(folder: &Path) -> Vec<Found> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| one(pid, folder)).collect()
}

fn one(pid: u32, folder: &Path) -> Option<Found> {
    // Of other users it cannot be read, and they are none of ours.
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let variable = |name: &str| {
        let mut all = environment.split(|byte| *byte == 0);
        let value = all.find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    if variable(FOLDER)? != folder.to_string_lossy() {
        return None;
    }
    let about = about(pid)?;
    // What a daemon has started itself carries the mark too; the daemon leads its group.
    if about.group != pid || about.gone {
        return None;
    }
    let role = Role::ALL.into_iter().find(|role| variable(ROLE).as_deref() == Some(role.name()))?;
    let process = Process { pid, began: about.began, child: None };
    Some(Found { mark: Mark { deployment: variable(DEPLOYMENT)?, role }, process, bind: variable("TITAN_BIND") })
}

struct About {
    group: u32,
    began: u64,
    /// It has ended and nobody has asked how.
    gone: bool,
}

fn about(pid: u32) -> Option<About> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything; the fields after it are numbered from 3 in proc(5).
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    let gone = matches!(field(3)?, "Z" | "X" | "x");
    Some(About { group: field(5)?.parse().ok()?, began: field(22)?.parse().ok()?, gone })
}
