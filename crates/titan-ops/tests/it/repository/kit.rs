//! A mirror, and a work tree whose commits are in it as if they had been fetched.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use titan_core::ops::{Change, Patch, RepoPath, Unified};
use titan_ops::forge::Remote;
use titan_ops::repository::{Mirror, RepositoryError};

pub(super) struct Kit {
    folder: TempDir,
    pub(super) mirror: Mirror,
}

impl Kit {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let remote = Remote { url: "http://127.0.0.1:9/o/r.git".to_owned(), header: None };
        let mirror = Mirror::open(&folder.path().join("mirror"), &remote).unwrap();
        let kit = Kit { folder, mirror };
        fs::create_dir(kit.work()).unwrap();
        kit.git(&["init", "--quiet", "--initial-branch=main"]);
        kit
    }

    pub(super) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(super) fn repository(&self) -> PathBuf {
        self.folder.path().join("mirror/repository.git")
    }

    /// An empty folder for files.
    pub(super) fn empty(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.tell(arguments, b"")).unwrap().trim().to_owned()
    }

    /// Git in the work tree, with the mirror's objects.
    pub(super) fn tell(&self, arguments: &[&str], told: &[u8]) -> Vec<u8> {
        let mut child = Command::new("git")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("GIT_OBJECT_DIRECTORY", self.repository().join("objects"))
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("LC_ALL", "C")])
            .args(["-c", "user.name=Ida", "-c", "user.email=ida@example.com", "-c", "gc.auto=0"])
            .args(arguments)
            .current_dir(self.work())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(told).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.work().join(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(super) fn remove(&self, path: &str) {
        fs::remove_file(self.work().join(path)).unwrap();
    }

    pub(super) fn link(&self, path: &str, target: &str) {
        let path = self.work().join(path);
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        let to = self.work().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.work().join(from), to).unwrap();
    }

    /// A submodule that nobody has cloned.
    pub(super) fn submodule(&self, path: &str, commit: &str) {
        fs::create_dir_all(self.work().join(path)).unwrap();
        self.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
    }

    pub(super) fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=A change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// A commit of these files, on top of what there is.
    pub(super) fn commit_of(&self, files: &[(&str, &str)]) -> String {
        files.iter().for_each(|(path, content)| self.write(path, content));
        self.commit()
    }

    /// What somebody makes of a commit.
    pub(super) fn on(&self, base: &str, change: impl FnOnce(&Self)) -> String {
        self.git(&["checkout", "--quiet", "--force", "--detach", base]);
        self.git(&["clean", "--quiet", "-ffdx"]);
        change(self);
        self.commit()
    }

    /// The tree that git makes of the work tree.
    pub(super) fn tree(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["write-tree"])
    }

    /// A tree as git would write it for nobody: entries of mode, kind, id and name.
    pub(super) fn raw_tree(&self, entries: &[(&str, &str, &str)]) -> String {
        let kind = |mode: &str| match mode {
            "040000" => "tree",
            "160000" => "commit",
            _ => "blob",
        };
        let lines = entries.iter().map(|(mode, id, name)| format!("{mode} {} {id}\t{name}\0", kind(mode)));
        let lines: String = lines.collect();
        String::from_utf8(self.tell(&["mktree", "-z", "--missing"], lines.as_bytes())).unwrap().trim().to_owned()
    }

    pub(super) fn blob(&self, content: &[u8]) -> String {
        String::from_utf8(self.tell(&["hash-object", "-w", "--stdin"], content)).unwrap().trim().to_owned()
    }
}

pub(super) fn content(path: &str, content: impl AsRef<[u8]>) -> Patch {
    content_of_mode(path, content, None)
}

pub(super) fn content_of_mode(path: &str, content: impl AsRef<[u8]>, executable: Option<bool>) -> Patch {
    let change = Change::Content { bytes: content.as_ref().to_vec(), executable };
    Patch { path: RepoPath::parse(path).unwrap(), change }
}

pub(super) fn deletion(path: &str) -> Patch {
    Patch { path: RepoPath::parse(path).unwrap(), change: Change::Delete }
}

/// The hunks of a diff, as git writes them.
pub(super) fn diff(path: &str, hunks: &str) -> Patch {
    let path = RepoPath::parse(path).unwrap();
    let change = Change::Diff(Unified::parse(&format!("--- a/{path}\n+++ b/{path}\n{hunks}"), &path).unwrap());
    Patch { path, change }
}

/// Places and messages.
pub(super) fn faults<T: std::fmt::Debug>(result: Result<T, RepositoryError>) -> Vec<String> {
    match result {
        Err(RepositoryError::Faults(faults)) => {
            faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect()
        }
        other => panic!("no faults, but {other:?}"),
    }
}

pub(super) fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}
