//! Running git on a repository of ours: no configuration of the machine or the user, no hooks, no network, nothing that a file in the
//! workspace could make it run, and an end to every wait.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{self, Pid, Signal};
use uuid::Uuid;

use super::cache::unusable;
use crate::{Error, Result, ids};

/// A large repository on a slow disk.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of an answer. What may be longer is written to a file ([`Git::file`]) or cut ([`Git::beginning`]).
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
        self.ask(arguments, told, None)?.right()
    }

    /// The same, with the index and the files of a work tree.
    pub(super) fn run_in<S: AsRef<OsStr>>(&self, tree: &WorkTree, arguments: &[S], told: &[u8]) -> Result<Vec<u8>> {
        self.ask(arguments, told, Some(tree))?.right()
    }

    /// How the answer begins, and whether it goes on.
    pub(super) fn beginning<S: AsRef<OsStr>>(
        &self,
        arguments: &[S],
        tree: Option<&WorkTree>,
        most: u64,
    ) -> Result<(Vec<u8>, bool)> {
        let mut answer = self.hear(arguments, b"", tree, most)?;
        if answer.is_cut {
            answer.said.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            return Ok((answer.said, true));
        }
        answer.right().map(|said| (said, false))
    }

    /// Runs a command that writes a file, whose name comes between its arguments, and gives what is in it: nothing when that is more than
    /// so many bytes.
    pub(super) fn file(&self, arguments: &[&str], rest: &[&str], most: u64) -> Result<Option<Vec<u8>>> {
        let path = self.repository.join(format!("titan-{}.tmp", Uuid::simple(ids::new())));
        let named = path.to_str().ok_or_else(|| Error::Internal("TITAN_DATA_DIR is not text in UTF-8".to_owned()))?;
        let written = self.run(&[arguments, &[named], rest].concat(), b"").and_then(|_| {
            let size = fs::metadata(&path).map_err(|error| unusable(&path, &error))?.len();
            let read = (size <= most).then(|| fs::read(&path)).transpose();
            read.map_err(|error| unusable(&path, &error))
        });
        let _ = fs::remove_file(&path);
        written
    }

    /// For commands whose code says more than yes or no.
    pub(super) fn ask<S: AsRef<OsStr>>(&self, arguments: &[S], told: &[u8], tree: Option<&WorkTree>) -> Result<Answer> {
        let answer = self.hear(arguments, told, tree, MAX_ANSWER)?;
        if answer.is_cut {
            return Err(Error::Internal(format!("git answered with more than {MAX_ANSWER} bytes")));
        }
        Ok(answer)
    }

    fn hear<S: AsRef<OsStr>>(
        &self,
        arguments: &[S],
        told: &[u8],
        tree: Option<&WorkTree>,
        most: u64,
    ) -> Result<Answer> {
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
        // With a group of its own, so that what it starts ends with it.
        command.process_group(0);
        let child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::Internal("git is not installed; the files of projects need it".to_owned())
            }
            _ => Error::Internal(format!("git could not be started: {error}")),
        })?;
        converse(child, told, most)
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
    /// Whether it would have said more.
    is_cut: bool,
    pub(super) complaint: String,
}

impl Answer {
    fn right(self) -> Result<Vec<u8>> {
        if self.code == Some(0) { Ok(self.said) } else { Err(self.error()) }
    }

    pub(super) fn error(&self) -> Error {
        let words = crate::error::one_line(&self.complaint);
        Error::Internal(format!("git failed: {}", if words.is_empty() { "it does not say why" } else { &words }))
    }
}

/// Tells it everything and hears everything, on threads of their own, so that neither side waits for the other with a full pipe. Of an
/// answer that is longer than `most` only so much is heard, and git is ended.
fn converse(mut child: Child, told: &[u8], most: u64) -> Result<Answer> {
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
            let said = read(output, most + 1);
            let _ = tell.send(said.len() as u64 > most);
            said
        });
        let complaint = scope.spawn(move || {
            let mut complaint = complaint;
            let words = read(complaint.as_mut(), MAX_WORDS);
            // The rest is dropped, so that the writer comes to its end.
            let _ = complaint.map(|mut rest| std::io::copy(&mut rest, &mut std::io::sink()));
            words
        });
        let heard = heard.recv_timeout(PATIENCE);
        if heard != Ok(false) {
            end(&child);
        }
        let ended = child.wait();
        let (said, complaint) = (said.join().unwrap_or_default(), complaint.join().unwrap_or_default());
        let Ok(is_cut) = heard else {
            return Err(Error::Internal(format!("git took longer than {} s", PATIENCE.as_secs())));
        };
        let code = ended.map_err(|error| Error::Internal(format!("git's end was not seen: {error}")))?.code();
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
