//! What killed processes left behind, and what has become too much.

use std::fs;
use std::path::Path;
use std::time::Duration;

use titan_core::git::{Call, lock};

use super::error::unusable;
use super::scratch::clear_scratch;
use super::{Mirror, Result};

/// Each fetch brings one pack; git looks through all of them for every object.
const MANY_PACKS: usize = 30;
/// What nothing stands on is kept for as long as a rollout may be looked at again.
const KEPT: &str = "30.days.ago";
const REPACK: Duration = Duration::from_secs(600);
/// Folders within folders of references.
const MAX_DEPTH: usize = 8;

impl Mirror {
    /// Removes the folders and indexes of processes that are gone, and packs what has become many. When another process fetches, that
    /// part is left for another time.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn clear_old(&self) -> Result<()> {
        clear_scratch(&self.folder)?;
        let path = self.folder.join("lock");
        let Some(lock) = lock::take(&path).map_err(|error| unusable(&path, &error))? else { return Ok(()) };
        self.begin(&lock)?;
        self.remove_leftovers()?;
        if packs(&self.git.repository) > MANY_PACKS {
            let unreachable = format!("--unpack-unreachable={KEPT}");
            let repack = ["repack", "-A", "-d", "-q", &unreachable];
            self.held(&Call::new(&repack).patience(REPACK), &lock)?;
        }
        let prune = format!("--expire={KEPT}");
        self.held(&Call::new(&["prune", &prune]).patience(REPACK), &lock)
    }

    /// Removes the locks of gits that were killed, and what they had fetched in part. Only whoever holds the mirror's lock may: then no
    /// git is alive that makes such files.
    pub(super) fn remove_leftovers(&self) -> Result<()> {
        let repository = &self.git.repository;
        let is_lock = |name: &str| name.ends_with(".lock");
        remove(repository, &is_lock, 0)?;
        remove(&repository.join("refs"), &is_lock, MAX_DEPTH)?;
        remove(&repository.join("logs"), &is_lock, MAX_DEPTH)?;
        remove(&repository.join("objects/info"), &is_lock, MAX_DEPTH)?;
        let is_part = |name: &str| name.starts_with("tmp_") || name.starts_with(".tmp-") || name.ends_with(".keep");
        remove(&repository.join("objects/pack"), &is_part, 0)?;
        remove_folders(&repository.join("objects"), |name| name.starts_with("tmp_objdir-"))
    }
}

fn packs(repository: &Path) -> usize {
    let is_pack = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|ending| ending == "pack");
    fs::read_dir(repository.join("objects/pack")).map_or(0, |entries| entries.flatten().filter(is_pack).count())
}

/// Removes files by their names, in folders so deep.
fn remove(folder: &Path, is_meant: &dyn Fn(&str) -> bool, depth: usize) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| unusable(folder, &error))?,
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth > 0 {
            remove(&path, is_meant, depth - 1)?;
        } else if !is_folder
            && entry.file_name().to_str().is_some_and(is_meant)
            && let Err(error) = fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(unusable(&path, &error));
        }
    }
    Ok(())
}

fn remove_folders(folder: &Path, is_meant: fn(&str) -> bool) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_meant)) {
        fs::remove_dir_all(entry.path()).map_err(|error| unusable(&entry.path(), &error))?;
    }
    Ok(())
}
