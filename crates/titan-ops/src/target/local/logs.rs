//! Logs of daemons: bounded, and their last lines without secrets.
//!
//! A daemon writes to its file by itself, so that it can go on while its supervisor is being replaced. A file that has grown too
//! large is copied and emptied, as logrotate's `copytruncate` does; lines of that moment may be lost.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use titan_core::redact::{REMOVED, redact};

use super::files::Environment;

/// Bytes of a log, and older ones that are kept.
pub(super) const LIMIT: u64 = 8 << 20;
const KEPT: usize = 2;
/// Logs of other commits that are kept.
const MOST_LOGS: usize = 12;
/// What is shown of a log.
const TAIL_BYTES: u64 = 4 << 10;
const TAIL_LINES: usize = 15;
/// What makes the value of a variable a secret, and shorter ones that would be found everywhere.
const SECRET: [&str; 8] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "HOOK", "URL", "DSN", "CREDENTIAL"];
const SHORT: usize = 6;

/// The file, to be written at its end.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Keeps a log below its limit.
pub(super) fn rotate(path: &Path, limit: u64) -> io::Result<()> {
    if fs::metadata(path).map_or(0, |about| about.len()) <= limit {
        return Ok(());
    }
    let older = |number: usize| PathBuf::from(format!("{}.{number}", path.display()));
    for number in (1..KEPT).rev() {
        let _ = fs::rename(older(number), older(number + 1));
    }
    fs::copy(path, older(1))?;
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

/// Rotates all logs of a folder, and removes the oldest when there are too many.
pub(super) fn tidy(folder: &Path) -> io::Result<()> {
    let mut logs: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            rotate(&path, LIMIT)?;
        }
        logs.push((entry.metadata()?.modified()?, path));
    }
    logs.sort();
    let too_many = logs.len().saturating_sub(MOST_LOGS * (KEPT + 1));
    for (_, path) in logs.into_iter().take(too_many) {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// The last lines since this place, without secrets.
pub(super) fn tail(path: &Path, since: u64, environment: &Environment) -> String {
    let text = last_bytes(path, since).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let lines = lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default().join("\n");
    without_secrets(&lines, environment)
}

fn last_bytes(path: &Path, since: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    // After it was rotated, what stands there is all newer.
    let since = if since > length { 0 } else { since };
    file.seek(SeekFrom::Start(since.max(length.saturating_sub(TAIL_BYTES))))?;
    let mut text = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut text)?;
    Ok(text)
}

fn without_secrets(text: &str, environment: &Environment) -> String {
    let mut text = text.to_owned();
    for (name, value) in &environment.0 {
        if value.len() >= SHORT && SECRET.iter().any(|word| name.to_uppercase().contains(word)) {
            text = text.replace(value, REMOVED);
        }
    }
    redact(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_bounded_and_keeps_what_comes_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        for round in 0..5 {
            use std::io::Write as _;
            let mut file = open(&path).unwrap();
            write!(file, "{}", round.to_string().repeat(100)).unwrap();
            rotate(&path, 50).unwrap();
            // The daemon has it open all the time.
            file.write_all(b"after\n").unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("a.log"), "after\n");
        assert!(read("a.log.1").contains("444") && read("a.log.2").contains("333"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn the_end_of_a_log_has_no_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let environment = Environment(
            [("DATABASE_URL", "weird:value"), ("TITAN_COMMIT", "abcdef0")]
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .into(),
        );
        fs::write(&path, "old\nno weird:value for abcdef0\npassword=hunter2\n").unwrap();
        assert_eq!(tail(&path, 4, &environment), format!("no {REMOVED} for abcdef0\npassword={REMOVED}"));
        assert_eq!(tail(&folder.path().join("none"), 0, &environment), "");
    }
}
