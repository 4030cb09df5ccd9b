//! Folders for a while: an index of git's, or files that are built. They go when they are dropped, and when their process was killed,
//! others can tell.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use titan_core::git::lock;
use titan_core::ids;
use uuid::Uuid;

use super::error::unusable;
use super::{Mirror, Result};

const FOLDER: &str = "scratch";
const HELD: &str = "held";
/// How long it may take from making a folder to holding it; nobody else looks at it before.
const JUST_MADE: Duration = Duration::from_secs(60);

/// An empty folder, as long as it is not dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    path: PathBuf,
    /// Locked.
    _held: File,
}

impl Scratch {
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "a folder could not be removed, and is tried again later");
        }
    }
}

impl Mirror {
    /// A folder beside the repository for something of this process alone.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch(&self) -> Result<Scratch> {
        let folder = self.folder.join(FOLDER).join(Uuid::simple(ids::new()).to_string());
        let path = folder.join("files");
        fs::create_dir_all(&path).map_err(|error| unusable(&path, &error))?;
        let held = lock::wait(&folder.join(HELD), JUST_MADE).map_err(|error| unusable(&folder, &error))?;
        Ok(Scratch { folder, path, _held: held })
    }
}

/// Removes those whose process is gone.
pub(super) fn clear_scratch(folder: &Path) -> Result<()> {
    let folder = folder.join(FOLDER);
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        let held = path.join(HELD);
        let made = entry.metadata().and_then(|meta| meta.modified());
        let is_old = made.is_ok_and(|made| SystemTime::now().duration_since(made).is_ok_and(|age| age > JUST_MADE));
        // One that is removed by its owner meanwhile cannot be held either.
        if is_old
            && let Ok(Some(_alone)) = lock::take(&held)
            && let Err(error) = fs::remove_dir_all(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(unusable(&path, &error));
        }
    }
    Ok(())
}
