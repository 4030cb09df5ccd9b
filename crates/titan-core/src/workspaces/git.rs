//! Running git on a repository of ours: no configuration of the machine or the user, no hooks, no network, nothing that a file in the
//! workspace could make it run, and an end to every wait.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::{Error, Result};

/// A large repository on a slow disk.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of an answer; what may be longer is written to a file.
const MAX_ANSWER: u64 = 64 << 20;
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

/// A bare repository.
#[derive(Debug, Clone)]
pub(super) struct Git {
    pub(super) repository: PathBuf,
}

impl Git {
    /// Runs a command and gives what it says. What it is told goes to its input.
    ///
    /// # Errors
    /// What git says went wrong, or that it is not there, or that it took too long.
    pub(super) fn run<S: AsRef<OsStr>>(&self, arguments: &[S], told: &[u8]) -> Result<Vec<u8>> {
        let answer = self.ask(arguments, told, None)?;
        if answer.code == Some(0) { Ok(answer.said) } else { Err(answer.error()) }
    }

    /// The same, with the index and the files of a work tree.
    pub(super) fn run_in<S: AsRef<OsStr>>(&self, tree: &WorkTree, arguments: &[S], told: &[u8]) -> Result<Vec<u8>> {
        let answer = self.ask(arguments, told, Some(tree))?;
        if answer.code == Some(0) { Ok(answer.said) } else { Err(answer.error()) }
    }

    /// For commands whose code says more than yes or no.
    pub(super) fn ask<S: AsRef<OsStr>>(&self, arguments: &[S], told: &[u8], tree: Option<&WorkTree>) -> Result<Answer> {
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
        command.arg("--git-dir").arg(&self.repository);
        if let Some(WorkTree { files, index }) = tree {
            command.arg("--work-tree").arg(files).env("GIT_INDEX_FILE", index).current_dir(files);
        }
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::Internal("git is not installed; the files of projects need it".to_owned())
            }
            _ => Error::Internal(format!("git could not be started: {error}")),
        })?;
        converse(child, told)
    }
}

/// Where files are, and what git knows of them.
#[derive(Debug, Clone)]
pub(super) struct WorkTree {
    pub(super) files: PathBuf,
    pub(super) index: PathBuf,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: Option<i32>,
    pub(super) said: Vec<u8>,
    pub(super) complaint: String,
}

impl Answer {
    pub(super) fn error(&self) -> Error {
        let words = crate::error::one_line(&self.complaint);
        Error::Internal(format!("git failed: {}", if words.is_empty() { "it does not say why" } else { &words }))
    }
}

/// Tells it everything and hears everything, on threads of their own, so that neither side waits for the other with a full pipe.
fn converse(mut child: Child, told: &[u8]) -> Result<Answer> {
    let (input, output, complaint) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (tell, heard) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut input) = input {
                // It may have ended without hearing all of it, and then says why.
                let _ = input.write_all(told);
            }
        });
        let said = scope.spawn(move || {
            let said = read(output, MAX_ANSWER + 1);
            let _ = tell.send(());
            said
        });
        let complaint = scope.spawn(move || read(complaint, MAX_WORDS));
        let in_time = heard.recv_timeout(PATIENCE).is_ok();
        if !in_time {
            let _ = child.kill();
        }
        let ended = child.wait();
        let (said, complaint) = (said.join().unwrap_or_default(), complaint.join().unwrap_or_default());
        if !in_time {
            return Err(Error::Internal(format!("git took longer than {} s", PATIENCE.as_secs())));
        }
        if said.len() as u64 > MAX_ANSWER {
            return Err(Error::Internal(format!("git answered with more than {MAX_ANSWER} bytes")));
        }
        let code = ended.map_err(|error| Error::Internal(format!("git's end was not seen: {error}")))?.code();
        Ok(Answer { code, said, complaint: String::from_utf8_lossy(&complaint).into_owned() })
    })
}

/// Up to so many bytes; the rest is read and dropped, so that the writer comes to its end.
fn read(from: Option<impl Read>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        let _ = from.by_ref().take(most).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut from, &mut std::io::sink());
    }
    bytes
}
