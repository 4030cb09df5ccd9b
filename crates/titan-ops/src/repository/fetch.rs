//! Bringing the mirror up to where the forge's branches stand: those that are named and nothing else.
//!
//! A branch is kept under the hash of its name (`refs/branches/...`). Names can stand in each other's way, as `a` and `a/b`, or `A` and
//! `a` on some disks, and a server may have the one today and the other tomorrow.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};

use sha2::{Digest as _, Sha256};
use titan_core::git::{Answer, Call, id};

use super::error::unusable;
use super::{MARKER, Mirror, RepositoryError, Result, why};

/// Branches that are fetched at once.
pub const MAX_BRANCHES: usize = 50;
/// Bytes of the name of one, and of a list of them.
const MAX_NAME: usize = 200;
const MAX_LIST: u64 = 64 << 10;
/// How often a branch may go away between the look and the fetch.
const TRIES: usize = 4;

impl Mirror {
    /// Fetches the branches that are named, and says where each one stands; those that the forge has not are not told of, and
    /// forgotten here.
    ///
    /// # Errors
    /// [`RepositoryError::Refused`] for a name that is none, and for what is too large or broken at the forge;
    /// [`RepositoryError::Denied`], [`RepositoryError::NotFound`] and [`RepositoryError::Unavailable`] as the server has answered.
    pub fn fetch(&self, branches: &[&str]) -> Result<BTreeMap<String, String>> {
        if branches.len() > MAX_BRANCHES {
            let message =
                format!("at most {MAX_BRANCHES} branches are fetched at once, and {} were named", branches.len());
            return Err(RepositoryError::Refused(message));
        }
        branches.iter().try_for_each(|branch| check_name(branch))?;
        let branches: BTreeSet<&str> = branches.iter().copied().collect();
        let lock = self.lock()?;
        self.remove_leftovers()?;
        let fetched = self.bring_up(&branches, &lock);
        let is_broken = matches!(&fetched, Err(RepositoryError::Broken(_)));
        if is_broken && self.mend_held(&lock)? { self.bring_up(&branches, &lock) } else { fetched }
    }

    /// For whoever found the mirror broken: looks at everything in it, and makes it again, empty, when that is so. Nothing stands in it
    /// alone. Says whether it did; then all has to be fetched again.
    ///
    /// # Errors
    /// When it cannot be made again, or another process is at it.
    pub fn mend(&self) -> Result<bool> {
        let lock = self.lock()?;
        self.remove_leftovers()?;
        self.mend_held(&lock)
    }

    fn mend_held(&self, lock: &File) -> Result<bool> {
        let call = Call::new(&["fsck", "--full", "--no-dangling", "--no-progress"]).patience(self.limits.fetch);
        let why = match self.git.ask(&call) {
            Ok(answer) if answer.code == Some(0) => return Ok(false),
            Ok(answer) => answer.failure(),
            // Who cannot look does not know.
            Err(failure) => return Err(failure.into()),
        };
        tracing::warn!(%why, mirror = %self.folder.display(), "the mirror of the repository is broken and is made again");
        self.begin_afresh(lock)?;
        Ok(true)
    }

    fn bring_up(&self, branches: &BTreeSet<&str>, lock: &File) -> Result<BTreeMap<String, String>> {
        for _ in 0..TRIES {
            let there = self.stands_at_forge(branches)?;
            let here = self.stands_here(branches)?;
            let gone = here.keys().filter(|branch| !there.contains_key(*branch));
            let orders: String = gone.map(|branch| format!("delete {}\n", kept_as(branch))).collect();
            if !orders.is_empty() {
                self.held(&Call::new(&["update-ref", "--stdin"]).told(orders.as_bytes()), lock)?;
            }
            if there.iter().all(|(branch, commit)| here.get(branch) == Some(commit)) {
                return self.can_read(&there).map(|()| there);
            }
            let answer = self.ask_for(there.keys(), lock)?;
            match answer.code {
                // What stands here may be newer than what was said first.
                Some(0) => return self.stands_here(branches),
                _ if why::is_gone(&answer.complaint) => {}
                _ => return Err(self.failed(&answer)),
            }
        }
        Err(RepositoryError::Unavailable(
            "the forge's branches come and go; the next look may find them at rest".to_owned(),
        ))
    }

    fn stands_at_forge(&self, branches: &BTreeSet<&str>) -> Result<BTreeMap<String, String>> {
        let names: Vec<String> = branches.iter().map(|branch| format!("refs/heads/{branch}")).collect();
        let mut arguments = vec!["ls-remote", "--quiet", "--refs", "--", self.remote.url()];
        // With no name it would list all there are.
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        arguments.extend(names.iter().map(String::as_str));
        let call = Call::new(&arguments).remote(&self.remote).most(MAX_LIST).patience(self.limits.list);
        let answer = self.git.ask(&call).map_err(|failure| why::no_answer(failure, &self.remote))?;
        if answer.code != Some(0) {
            return Err(self.failed(&answer));
        }
        let said = String::from_utf8_lossy(&answer.said);
        let mut there = BTreeMap::new();
        for (commit, name) in said.lines().filter_map(|line| line.split_once('\t')) {
            // A pattern is matched from its end, so that there may be others.
            let Some(branch) = name.strip_prefix("refs/heads/").filter(|branch| branches.contains(branch)) else {
                continue;
            };
            let commit = id(commit.as_bytes()).map_err(|_| {
                RepositoryError::Refused(
                    "the repository names its commits by SHA-256; Titan reads those with SHA-1 ids".to_owned(),
                )
            })?;
            there.insert(branch.to_owned(), commit);
        }
        Ok(there)
    }

    fn stands_here(&self, branches: &BTreeSet<&str>) -> Result<BTreeMap<String, String>> {
        let said = self.git.run(&["for-each-ref", "--format=%(objectname) %(refname)", "refs/branches/"], b"")?;
        let said = String::from_utf8_lossy(&said);
        let kept: BTreeMap<&str, &str> =
            said.lines().filter_map(|line| line.split_once(' ')).map(|(commit, name)| (name, commit)).collect();
        let found = branches.iter().filter_map(|branch| {
            kept.get(kept_as(branch).as_str()).map(|commit| ((*branch).to_owned(), (*commit).to_owned()))
        });
        Ok(found.collect())
    }

    fn can_read(&self, there: &BTreeMap<String, String>) -> Result<()> {
        match there.values().find(|commit| self.tree_of(commit).is_err()) {
            Some(commit) => Err(RepositoryError::Broken(format!("{commit} was fetched, and cannot be read"))),
            None => Ok(()),
        }
    }

    /// Git waits for the names, so that its limits hold before it has spoken with anybody.
    fn ask_for<'b>(&self, branches: impl Iterator<Item = &'b String>, lock: &File) -> Result<Answer> {
        let wanted: String = branches.map(|branch| format!("+refs/heads/{branch}:{}\n", kept_as(branch))).collect();
        let arguments = [
            "fetch",
            "--stdin",
            "--quiet",
            "--atomic",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
            self.remote.url(),
        ];
        let call = Call::new(&arguments).told(wanted.as_bytes()).remote(&self.remote).holds(lock);
        let call = call.patience(self.limits.fetch).file_size(self.limits.pack);
        self.git.ask(&call).map_err(|failure| why::no_answer(failure, &self.remote))
    }

    fn failed(&self, answer: &Answer) -> RepositoryError {
        if self.is_full() {
            let most = self.limits.pack >> 20;
            return RepositoryError::Refused(format!(
                "what is to be fetched has more than {most} MiB, which is the limit"
            ));
        }
        why::why(&answer.complaint, &self.remote)
    }

    /// Whether what came did not fit: git itself only says that something is wrong with it.
    fn is_full(&self) -> bool {
        let packs = fs::read_dir(self.git.repository.join("objects/pack"));
        let is_full = |entry: fs::DirEntry| entry.metadata().is_ok_and(|meta| meta.len() >= self.limits.pack);
        packs.is_ok_and(|packs| packs.flatten().any(is_full))
    }

    /// Runs what changes references, while the lock is held.
    pub(super) fn held(&self, call: &Call<'_>, lock: &File) -> Result<()> {
        let answer = self.git.ask(&call.clone().holds(lock))?;
        if answer.code == Some(0) { Ok(()) } else { Err(answer.failure().into()) }
    }

    fn begin_afresh(&self, lock: &File) -> Result<()> {
        let repository = &self.git.repository;
        // Without its mark first, so that whoever is killed over it has begun afresh too.
        let marker = repository.join(MARKER);
        match fs::remove_file(&marker) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(&marker, &error)),
            _ => {}
        }
        fs::remove_dir_all(repository).map_err(|error| unusable(repository, &error))?;
        self.begin(lock)
    }
}

fn kept_as(branch: &str) -> String {
    let mut name = String::from("refs/branches/");
    for byte in Sha256::digest(branch.as_bytes()) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// As git has it, <https://git-scm.com/docs/git-check-ref-format>, and on one line.
fn check_name(name: &str) -> Result<()> {
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let is_name = name.len() <= MAX_NAME
        && !name.starts_with('-')
        && !name.ends_with('.')
        && name != "@"
        && name.split('/').all(is_part)
        && !name.contains("..")
        && !name.contains("@{")
        && !name.contains(|c: char| c.is_control() || " ~^:?*[\\".contains(c));
    if is_name {
        return Ok(());
    }
    let shown = titan_core::text::head(name, MAX_NAME);
    Err(RepositoryError::Refused(format!("{shown:?} is no name of a branch; one is like main or titan/ops/7")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_branches() {
        for name in ["main", "titan/ops/7", "a.b", "größe", "a@b"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in [
            "", "/a", "a/", "a//b", ".a", "a/.b", "a..b", "a.lock", "a.lock/b", "a.", "@", "a@{1}", "-x", "a b",
            "a\nb", "a:b", "a*", "a~1", "a^", "a\\b", "+a[",
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert!(check_name(&"x".repeat(201)).is_err());
    }
}
