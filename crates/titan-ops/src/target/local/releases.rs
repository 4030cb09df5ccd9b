//! The programs of releases: `releases/<commit>/titan-api` and `titan-worker`, put there as a whole or not at all. Those of the last
//! commits stay, so that going back needs no build.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::files::Role;

/// What a daemon looks for beside itself: the sandbox's stage, and the supervisor where a worker of the release rolls out the next one.
pub const HELPERS: [&str; 2] = ["titan-stage", "titan-supervise"];
/// Releases that are kept beside those in use.
const KEPT: usize = 5;

/// Where the programs of this commit lie, once they are copied from the folder where they were built.
///
/// # Errors
/// When they are neither here nor there, or are no programs.
pub(super) fn install(releases: &Path, commit: &str, from: Option<&Path>) -> Result<PathBuf, String> {
    let place = releases.join(commit);
    if place.is_dir() {
        return Ok(place);
    }
    let from =
        from.ok_or_else(|| format!("the programs of {commit} are not kept here any more; it has to be built again"))?;
    for role in Role::ALL {
        let program = from.join(role.program());
        if !is_program(&program) {
            return Err(format!("{} must be a program, and is none", program.display()));
        }
    }
    copy(releases, &place, from).map_err(|error| format!("{} cannot be made: {error}", place.display()))?;
    Ok(place)
}

fn is_program(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o100 != 0)
}

fn copy(releases: &Path, place: &Path, from: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(releases)?;
    let new = releases.join(format!("new-{}", uuid::Uuid::now_v7().simple()));
    fs::DirBuilder::new().mode(0o700).create(&new)?;
    let put = || -> io::Result<()> {
        for role in Role::ALL {
            let to = new.join(role.program());
            fs::copy(from.join(role.program()), &to)?;
            fs::File::open(&to)?.sync_all()?;
        }
        for helper in HELPERS.into_iter().filter(|helper| is_program(&from.join(helper))) {
            fs::copy(from.join(helper), new.join(helper))?;
        }
        fs::rename(&new, place)
    };
    put().or_else(|error| {
        let _ = fs::remove_dir_all(&new);
        // Somebody else was faster.
        if place.is_dir() { Ok(()) } else { Err(error) }
    })
}

/// Removes old ones, and what was left half made an hour ago.
pub(super) fn tidy(releases: &Path, in_use: &[String]) -> io::Result<()> {
    let mut old: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(releases)?.flatten() {
        let (name, made) = (entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.modified()?);
        if name.starts_with("new-") {
            if made.elapsed().is_ok_and(|age| age.as_secs() > 3600) {
                fs::remove_dir_all(entry.path())?;
            }
        } else if !in_use.contains(&name) {
            old.push((made, entry.path()));
        }
    }
    old.sort();
    let too_many = old.len().saturating_sub(KEPT);
    for (_, path) in old.into_iter().take(too_many) {
        fs::remove_dir_all(path)?;
    }
    Ok(())
}
