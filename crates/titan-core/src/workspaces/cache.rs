//! The local copy of a workspace's repository. It holds nothing that is not in the database, so that it may be deleted at any time; the
//! processes of one machine share it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use super::rows::Bundle;
use crate::blobs::Blobs;
use crate::git::{Git, lock};
use crate::{Error, Result};

/// How long another process may be at the same copy.
const PATIENCE: Duration = Duration::from_secs(120);
/// What ends the head of a bundle and begins its pack.
const END_OF_HEAD: &[u8] = b"\n\n";

/// Brings the copy up to what was published, and gives the repository.
pub(super) fn bring_up(blobs: &Blobs, project_id: Uuid, root: &Path, bundles: &[Bundle]) -> Result<Git> {
    let repository = root.join(format!("{project_id}.git"));
    fs::create_dir_all(root).map_err(|error| unusable(root, &error))?;
    let git = Git { repository: repository.clone() };
    let marker = Marker { path: repository.join("titan-applied") };
    if marker.is(bundles) {
        return Ok(git);
    }
    // Held until it is dropped, also when this process is killed.
    let lock = lock::wait(&root.join(format!("{project_id}.lock")), PATIENCE);
    let _lock = lock.map_err(|error| unusable(root, &error))?;
    let applied = marker.read();
    // Also what somebody was killed over: on a repository that is whole this changes nothing.
    if applied.is_none() {
        git.run(&["init", "--bare", "--quiet"], b"")?;
    }
    // A bundle may have taken the place of those that were applied: then all there are is what is needed.
    let known = bundles.iter().position(|bundle| applied.as_ref() == Some(&word(bundle)));
    for bundle in bundles.iter().skip(known.map_or(0, |place| place + 1)) {
        apply(&git, &blobs.read_blocking(&bundle.sha256)?)?;
        marker.write(bundle)?;
    }
    if applied.is_some()
        && known.is_none()
        && let Err(error) = git.run(&["repack", "-a", "-d", "-k", "-q"], b"")
    {
        // Everything is there twice now, and works.
        tracing::warn!(%error, project.id = %project_id, "the local copy of a project's files could not be made smaller");
    }
    Ok(git)
}

/// A bundle is a list of branches and a pack; the database knows the branches better.
fn apply(git: &Git, bundle: &[u8]) -> Result<()> {
    let end = bundle.windows(END_OF_HEAD.len()).position(|bytes| bytes == END_OF_HEAD);
    let pack = end.and_then(|end| bundle.get(end + END_OF_HEAD.len()..));
    let pack = pack.ok_or_else(|| Error::Internal("a bundle has no pack".to_owned()))?;
    git.run(&["index-pack", "--stdin", "--fix-thin"], pack)?;
    Ok(())
}

/// Names the last bundle that was applied.
struct Marker {
    path: PathBuf,
}

impl Marker {
    fn read(&self) -> Option<String> {
        fs::read_to_string(&self.path).ok()
    }

    /// Whether nothing is left to be applied.
    fn is(&self, bundles: &[Bundle]) -> bool {
        bundles.last().is_some_and(|last| self.read().as_ref() == Some(&word(last)))
    }

    /// In one step, so that a reader never sees half of it.
    fn write(&self, bundle: &Bundle) -> Result<()> {
        let new = self.path.with_extension("new");
        let written = fs::write(&new, word(bundle)).and_then(|()| fs::rename(&new, &self.path));
        written.map_err(|error| unusable(&self.path, &error))
    }
}

fn word(bundle: &Bundle) -> String {
    format!("{} {}", bundle.number, bundle.sha256)
}

pub(super) fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::Internal(format!("{} cannot be used for the files of projects: {error}", path.display()))
}
