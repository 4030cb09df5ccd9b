//! Templates in a folder, remembered: a look at the catalogue reads and checks what has changed since the last look, and nothing
//! else. What has changed is told by the names, sizes and times of the files. A file that was changed within the last moments
//! could be changed again without a trace of it, so it is remembered only when it is older.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::folder::{self, Summary};
use super::parse::MANIFEST;
use super::problem::Problem;
use super::template::FILES;

/// Folders that are remembered; beyond, all are forgotten and read again.
const MOST: usize = 1_000;
/// Entries of one that are looked at; whatever has more is no template.
const MOST_ENTRIES: usize = 4_000;
/// Nanoseconds after which two changes of a file have different times, on any file system.
const A_MOMENT: i128 = 2_000_000_000;

type Outcome = Result<Summary, Vec<Problem>>;

/// An entry's name, kind and size, which one it is, and when it was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trace(PathBuf, u32, u64, u64, i128);

struct Remembered {
    traces: Vec<Trace>,
    outcome: Outcome,
}

static REMEMBERED: LazyLock<Mutex<HashMap<PathBuf, Remembered>>> = LazyLock::new(Mutex::default);

/// The template in a folder, without its files, or what is wrong with it.
pub(super) fn of(folder: &Path, name: &str) -> Outcome {
    let traces = traces(folder);
    if let (Some(traces), Some(known)) = (&traces, lock().get(folder))
        && known.traces == *traces
    {
        return known.outcome.clone().map(|summary| Summary { folder: name.to_owned(), ..summary });
    }
    let outcome = folder::read(folder).map(|template| Summary {
        folder: name.to_owned(),
        sha256: template.sha256(),
        manifest: template.manifest,
    });
    let mut remembered = lock();
    match traces.filter(|traces| is_settled(traces)) {
        Some(traces) => {
            if remembered.len() >= MOST {
                remembered.clear();
            }
            remembered.insert(folder.to_path_buf(), Remembered { traces, outcome: outcome.clone() });
        }
        None => drop(remembered.remove(folder)),
    }
    outcome
}

/// Nothing is left half-done in it by whoever panicked.
fn lock() -> std::sync::MutexGuard<'static, HashMap<PathBuf, Remembered>> {
    REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// None when they cannot all be seen, or are too many.
fn traces(folder: &Path) -> Option<Vec<Trace>> {
    let mut traces = vec![trace(folder.join(MANIFEST))?];
    let mut folders = vec![folder.join(FILES.trim_end_matches('/'))];
    while let Some(next) = folders.pop() {
        // A template without files is told so by who reads it. A link is not followed here either.
        let Some(itself) = trace(next.clone()) else { continue };
        traces.push(itself);
        if !std::fs::symlink_metadata(&next).is_ok_and(|found| found.is_dir()) {
            continue;
        }
        for entry in folder::entries(&next).ok()? {
            if traces.len() + folders.len() > MOST_ENTRIES {
                return None;
            }
            match entry.file_type().ok()?.is_dir() {
                true => folders.push(entry.path()),
                false => traces.push(trace(entry.path())?),
            }
        }
    }
    Some(traces)
}

fn trace(path: PathBuf) -> Option<Trace> {
    let found = std::fs::symlink_metadata(&path).ok()?;
    Some(Trace(path, found.mode(), found.size(), found.ino(), changed(&found)))
}

/// The later of the times at which its bytes and what is said of it were changed, in nanoseconds.
fn changed(found: &Metadata) -> i128 {
    let at = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    at(found.mtime(), found.mtime_nsec()).max(at(found.ctime(), found.ctime_nsec()))
}

fn is_settled(traces: &[Trace]) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let now = i128::try_from(now).unwrap_or(i128::MAX);
    traces.iter().all(|Trace(.., changed)| changed + A_MOMENT < now)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn lay(folder: &Path, title: &str) {
        fs::create_dir_all(folder.join("files")).unwrap();
        let manifest =
            format!("name: test/kept\nversion: 1.0.0\ntitle: {title}\ndescription: x\nfiles: [{{from: a}}]\n");
        fs::write(folder.join(MANIFEST), manifest).unwrap();
        fs::write(folder.join("files/a"), "1").unwrap();
    }

    #[test]
    fn what_has_settled_is_remembered_until_it_changes() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("kept");
        lay(&folder, "One");
        let title = || of(&folder, "kept").unwrap().manifest.title;
        assert_eq!(title(), "One");
        assert!(!lock().contains_key(&folder), "it was changed a moment ago");
        lay(&folder, "Two");
        assert_eq!(title(), "Two");
        std::thread::sleep(std::time::Duration::from_millis(2_100));
        assert_eq!(title(), "Two");
        assert!(lock().contains_key(&folder));
        let before = of(&folder, "kept").unwrap().sha256;
        fs::write(folder.join("files/a"), "2").unwrap();
        assert_ne!(of(&folder, "kept").unwrap().sha256, before);
        fs::write(folder.join("files/b"), "not named").unwrap();
        assert!(of(&folder, "kept").is_err());
        fs::remove_file(folder.join("files/b")).unwrap();
        assert!(of(&folder, "kept").is_ok());
    }
}
