//! The programs of a change, for a target that does not build by itself: kept on this machine by the tree that they were built of, and
//! built again where they are not.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use titan_ops::repository::Mirror;
use titan_ops::target::Release;
use titan_ops::target::local::HELPERS;

use super::destination::Destination;
use super::halt::Halt;
use super::test;
use super::yard::Yard;
use crate::handler::Work;

/// What a release is made of.
const PROGRAMS: [&str; 2] = ["titan-api", "titan-worker"];
/// Builds that are kept.
const KEPT: usize = 3;
/// What was begun so long ago was left by somebody who was killed.
const HALF_MADE: Duration = Duration::from_secs(3600);

/// A release of this commit, whose tree is that: one of the repository's, or what a merge of two commits would be.
pub(super) async fn release(
    yard: &Yard,
    to: &Destination,
    work: &Work,
    mirror: &Mirror,
    commit: &str,
    tree: &str,
    merge_of: Option<(String, String)>,
) -> Result<Release, Halt> {
    let folder = match &to.programs {
        None => None,
        Some(_) => {
            let place = yard.builds().join(tree);
            if !place.is_dir() {
                // It was built on another machine, or so long ago that it was removed.
                if let Some((base, head)) = merge_of {
                    mirror.with(move |mirror| mirror.merge(&base, &head)).await?;
                }
                test::commands(yard, work, mirror, tree).await?;
            }
            Some(place)
        }
    };
    Ok(Release { commit: commit.to_owned(), folder })
}

/// Keeps what a build has left in its folder.
pub(super) fn keep(builds: &Path, tree: &str, folder: &Path, programs: &Path) -> Result<(), Halt> {
    let place = builds.join(tree);
    if place.is_dir() {
        return Ok(());
    }
    let from = folder.join(programs);
    let told = |why: String| {
        let shown = programs.display();
        Halt::Failed(format!(
            "the build leaves no programs in {shown}: {why}; TITAN_OPS_LOCAL_PROGRAMS says where they are"
        ))
    };
    // What a build leaves may be a link to what is not its own.
    let inside = fs::canonicalize(&from).and_then(|from| Ok((from, fs::canonicalize(folder)?)));
    let (from, folder) = inside.map_err(|error| told(error.to_string()))?;
    if !from.starts_with(&folder) {
        return Err(told("it leads out of the repository".to_owned()));
    }
    for program in PROGRAMS {
        let about = fs::symlink_metadata(from.join(program)).map_err(|error| told(format!("{program}: {error}")))?;
        if !about.is_file() {
            return Err(told(format!("{program} is no file")));
        }
    }
    copy(builds, &place, &from).map_err(|error| Halt::Passing(format!("{} cannot be made: {error}", place.display())))
}

fn copy(builds: &Path, place: &Path, from: &Path) -> io::Result<()> {
    fs::create_dir_all(builds)?;
    let new = tempfile::Builder::new().prefix("new-").tempdir_in(builds)?;
    let helpers =
        HELPERS.into_iter().filter(|helper| fs::symlink_metadata(from.join(helper)).is_ok_and(|about| about.is_file()));
    for program in PROGRAMS.into_iter().chain(helpers) {
        fs::copy(from.join(program), new.path().join(program))?;
    }
    tidy(builds)?;
    match fs::rename(new.keep(), place) {
        // Somebody else was faster.
        Err(_) if place.is_dir() => Ok(()),
        done => done,
    }
}

/// Removes all but the newest of those that are whole, and what was left half made.
fn tidy(builds: &Path) -> io::Result<()> {
    let mut old: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(builds)?.flatten() {
        let made = entry.metadata()?.modified()?;
        if !entry.file_name().to_string_lossy().starts_with("new-") {
            old.push((made, entry.path()));
        } else if made.elapsed().is_ok_and(|age| age > HALF_MADE) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    old.sort();
    let too_many = (old.len() + 1).saturating_sub(KEPT);
    old.into_iter().take(too_many).try_for_each(|(_, path)| fs::remove_dir_all(path))
}
