//! Git as a process: what it is told and shown, what is heard of it, and its end.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Instant;

use rustix::process::{self, Pid, Resource, Rlimit, Signal};

use super::{Call, Failure, Git, NO_FILES, Result, WorkTree};

/// Bytes of what git says went wrong.
const MAX_WORDS: u64 = 4 << 10;

const SETTINGS: [&str; 14] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "core.autocrlf=false",
    "core.quotePath=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "safe.directory=*",
    "init.defaultBranch=main",
    "diff.external=",
    "advice.detachedHead=false",
];

#[derive(Debug)]
pub struct Answer {
    /// None when a signal has ended it.
    pub code: Option<i32>,
    pub said: Vec<u8>,
    /// Whether it would have said more.
    pub(super) is_cut: bool,
    pub complaint: String,
}

impl Answer {
    pub(super) fn right(self) -> Result<Vec<u8>> {
        if self.code == Some(0) { Ok(self.said) } else { Err(self.failure()) }
    }

    /// For an answer that cannot be used: what git says of it.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::Failed { code: self.code, complaint: crate::error::one_line(&self.complaint) }
    }
}

impl Git {
    pub(super) fn hear(&self, call: &Call<'_>) -> Result<Answer> {
        let mut command = Command::new("git");
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            ("HOME", "/nonexistent"),
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
        ]);
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        if let Some(remote) = call.remote {
            remote.tell(&mut command);
        }
        if call.plain {
            command.env("GIT_ATTR_SOURCE", NO_FILES);
        }
        command.arg("--git-dir").arg(&self.repository);
        if let Some(WorkTree { files, index }) = call.tree {
            command.arg("--work-tree").arg(files).env("GIT_INDEX_FILE", index).current_dir(files);
        }
        if let Some(index) = call.index {
            command.env("GIT_INDEX_FILE", index);
        }
        command.args(&call.arguments).stdin(Stdio::piped()).stdout(output(call.holds)?).stderr(Stdio::piped());
        // With a group of its own, so that what it starts ends with it.
        command.process_group(0);
        let child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::Missing,
            _ => Failure::NotStarted(error.to_string()),
        })?;
        if let Some(most) = call.file_size
            && let Err(error) = limit_files(&child, most)
        {
            end(&child);
            let mut child = child;
            let _ = child.wait();
            return Err(Failure::NotStarted(error.to_string()));
        }
        converse(child, call)
    }
}

fn output(holds: Option<&File>) -> Result<Stdio> {
    let Some(file) = holds else { return Ok(Stdio::piped()) };
    let file = file.try_clone().map_err(|error| Failure::NotStarted(error.to_string()))?;
    Ok(Stdio::from(file))
}

/// What it starts has the same limit.
fn limit_files(child: &Child, most: u64) -> std::io::Result<()> {
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    process::prlimit(Some(Pid::from_child(child)), Resource::Fsize, limit)?;
    Ok(())
}

/// Tells it everything and hears everything, on threads of their own, so that neither side waits for the other with a full pipe. Of an
/// answer that is longer than wanted only so much is heard, and git is ended.
fn converse(mut child: Child, call: &Call<'_>) -> Result<Answer> {
    let (input, output, complaint) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (tell, heard) = mpsc::channel();
    let (told, most) = (call.told, call.most);
    thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut input) = input {
                // It may have ended without hearing all of it, and then says why.
                let _ = input.write_all(told);
            }
        });
        let tell_of_words = Sender::clone(&tell);
        let said = scope.spawn(move || {
            let said = read(output, most + 1);
            let _ = tell.send(said.len() as u64 > most);
            said
        });
        let complaint = scope.spawn(move || {
            let mut complaint = complaint;
            let words = read(complaint.as_mut(), MAX_WORDS);
            // The rest is dropped, so that the writer comes to its end.
            let _ = complaint.map(|mut rest| std::io::copy(&mut rest, &mut std::io::sink()));
            let _ = tell_of_words.send(false);
            words
        });
        // One that has closed both has ended, or is about to.
        let began = Instant::now();
        let hear = || heard.recv_timeout(call.patience.saturating_sub(began.elapsed()));
        let heard = hear().and_then(|is_cut| if is_cut { Ok(true) } else { hear() });
        if heard != Ok(false) {
            end(&child);
        }
        let ended = child.wait();
        let (said, complaint) = (said.join().unwrap_or_default(), complaint.join().unwrap_or_default());
        let Ok(is_cut) = heard else { return Err(Failure::TimedOut(call.patience)) };
        let code = ended.map_err(|error| Failure::NotStarted(format!("its end was not seen: {error}")))?.code();
        Ok(Answer { code, said, is_cut, complaint: String::from_utf8_lossy(&complaint).into_owned() })
    })
}

/// Ends git and what it has started: any of them may hold the pipes open.
fn end(child: &Child) {
    // Not waited for yet, so that its number is nobody else's.
    let _ = process::kill_process_group(Pid::from_child(child), Signal::KILL);
}

/// Up to so many bytes.
fn read(from: Option<impl Read>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let _ = from.take(most).read_to_end(&mut bytes);
    }
    bytes
}
