//! A file is read by a process of its own: this program once more, without the daemon's environment, with little memory and
//! little time. Whatever a hostile file does to its reader, it does it there.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rlimit::Resource;
use titan_core::documents::{DocumentFormat, MAX_SIZE, MAX_TEXT};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use super::{Read, Unreadable, extract};

/// The subcommand of this program.
pub const SUBCOMMAND: &str = "extract";
/// How long a file may take, and how much processor time of that.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Addresses that its process may have: about sixty times the largest file.
const MOST_MEMORY: u64 = 1536 << 20;
/// Readers descend into what stands in each other.
const STACK: usize = 64 << 20;
/// What its process may answer: every byte of the text as an escape of six, and some room.
const MOST_ANSWER: u64 = MAX_TEXT as u64 * 6 + (1 << 16);

/// Where files are read.
#[derive(Debug, Clone)]
pub enum Place {
    /// By this program, in a process of its own.
    Process(PathBuf),
    /// In this process, when it is another program than the daemon: a test.
    Here,
}

impl Place {
    #[must_use]
    pub fn of_this_program() -> Self {
        let own = std::env::current_exe().ok();
        let is_daemon = own
            .as_ref()
            .and_then(|path| path.file_name()?.to_str())
            .is_some_and(|name| name.starts_with("titan-worker"));
        match own {
            // The path of a program that was replaced since leads to another one, or nowhere.
            Some(_) if is_daemon && cfg!(target_os = "linux") => Place::Process("/proc/self/exe".into()),
            Some(path) if is_daemon && path.is_file() => Place::Process(path),
            _ => Place::Here,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When there is no process to be had, which is no fault of the file.
    pub async fn read(&self, format: DocumentFormat, bytes: Vec<u8>) -> anyhow::Result<Read> {
        let late = || Err(Unreadable::because(format!("it took longer than {} s to read", PATIENCE.as_secs())));
        match self {
            Place::Process(program) => {
                timeout(PATIENCE, in_process(program, format, bytes)).await.unwrap_or_else(|_| Ok(late()))
            }
            Place::Here => {
                let read = tokio::task::spawn_blocking(move || extract(format, &bytes));
                Ok(timeout(PATIENCE, read).await.map_or_else(|_| late(), |read| read.unwrap_or_else(|_| late())))
            }
        }
    }
}

async fn in_process(program: &PathBuf, format: DocumentFormat, bytes: Vec<u8>) -> anyhow::Result<Read> {
    let mut child = Command::new(program)
        .args([SUBCOMMAND, format.as_str()])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let give = async move {
        if let Some(mut stdin) = stdin {
            // One that has ended hears nothing more; its answer says why.
            let _ = stdin.write_all(&bytes).await;
        }
    };
    let take = async move {
        let mut answer = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(MOST_ANSWER).read_to_end(&mut answer).await?;
        }
        std::io::Result::Ok(answer)
    };
    let ((), answer) = tokio::join!(give, take);
    let answer = answer?;
    let status = child.wait().await?;
    if !status.success() {
        let why =
            "its reader ended before it was through: the file is damaged, or takes more memory or time than it may";
        return Ok(Err(Unreadable::because(why)));
    }
    Ok(serde_json::from_slice(&answer)?)
}

/// What the process does: reads a file from its input and writes the answer.
#[must_use]
pub fn main(format: DocumentFormat) -> ExitCode {
    let seconds = PATIENCE.as_secs();
    let limits = [(Resource::AS, MOST_MEMORY), (Resource::CPU, seconds), (Resource::CORE, 0), (Resource::FSIZE, 0)];
    if limits.iter().any(|(resource, most)| resource.set(*most, *most).is_err()) {
        return ExitCode::FAILURE;
    }
    let read = move || {
        let mut bytes = Vec::new();
        std::io::stdin().take(MAX_SIZE as u64 + 1).read_to_end(&mut bytes).ok()?;
        let answer = serde_json::to_vec(&extract(format, &bytes)).ok()?;
        std::io::stdout().write_all(&answer).ok()
    };
    let reader = std::thread::Builder::new().stack_size(STACK).spawn(read);
    match reader.map(std::thread::JoinHandle::join) {
        Ok(Ok(Some(()))) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
