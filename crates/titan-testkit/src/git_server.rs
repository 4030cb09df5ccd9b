//! A real git server, over https or http: git's own `http-backend` behind a small web server, with a certificate that is made when it
//! starts.
//! What lies in its repositories is committed by the git program, or written as git would never do it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::daemon::{Daemon, Env, env, listening_address};
use crate::db::repository;

/// No address of a real network, and none of those that programs reach without a proxy.
const HOST: &str = "127.0.0.2";

/// Killed when it is dropped.
pub struct GitServer {
    daemon: Daemon,
    folder: TempDir,
    address: String,
    secure: bool,
}

impl GitServer {
    /// # Panics
    /// When openssl, Python or git is not on this machine.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        make_certificate(folder.path());
        let (daemon, address) = serve(folder.path(), &format!("{HOST}:0"), true);
        GitServer { daemon, folder, address, secure: true }
    }

    /// The same over http.
    ///
    /// # Panics
    /// When Python or git is not on this machine.
    #[must_use]
    pub fn plain() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (daemon, address) = serve(folder.path(), &format!("{HOST}:0"), false);
        GitServer { daemon, folder, address, secure: false }
    }

    /// What a client must say as `Authorization` beneath `token/`.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn want(&self, authorization: &str) {
        std::fs::write(self.folder.path().join("authorization"), authorization).expect("a file");
    }

    /// The certificate that it shows.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// The variables with which a worker trusts it and may reach it.
    #[must_use]
    pub fn env(&self) -> Env {
        env(&[
            ("GIT_SSL_CAINFO", &self.certificate().display().to_string()),
            ("TITAN_EGRESS_INNER", &format!("{HOST}/32")),
        ])
    }

    /// Where something of it is.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}/{path}", self.address)
    }

    /// An empty repository: its work tree, whose every commit is to be published.
    #[must_use]
    pub fn repository(&self, name: &str) -> Repository {
        let bare = self.folder.path().join(name);
        let work = self.folder.path().join("work").join(name);
        std::fs::create_dir_all(&work).expect("a folder");
        let repository = Repository { work, bare };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main", &repository.bare.display().to_string()]);
        repository
    }

    /// From now on nothing that a client fetches is sent.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn hold(&self) {
        std::fs::write(self.folder.path().join("hold"), "").expect("a file");
    }

    /// What was held is sent.
    ///
    /// # Panics
    /// When nothing was held.
    pub fn let_go(&self) {
        std::fs::remove_file(self.folder.path().join("hold")).expect("a file");
    }

    /// What was asked for so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("requests")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Ends it: nothing answers there until it is started again.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Starts it again where it was.
    pub fn start_again(&mut self) {
        (self.daemon, _) = serve(self.folder.path(), &self.address, self.secure);
    }
}

fn serve(folder: &Path, address: &str, secure: bool) -> (Daemon, String) {
    let script = repository().join("crates/titan-testkit/src/git_server/serve.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(address).arg(folder);
    if secure {
        command.arg(folder.join("certificate.pem")).arg(folder.join("key.pem"));
    }
    let daemon = Daemon::launch("git server", command);
    let line = daemon.line("git server listening");
    let address = listening_address(&line).unwrap_or_else(|| panic!("no address in {line:?}")).to_owned();
    (daemon, address)
}

fn make_certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=git server of a test", "-addext", &format!("subjectAltName=IP:{HOST},DNS:localhost")])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(folder)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
}

/// A repository with its work tree.
pub struct Repository {
    work: PathBuf,
    bare: PathBuf,
}

impl Repository {
    /// Where its files are.
    #[must_use]
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// What is published.
    #[must_use]
    pub fn bare(&self) -> &Path {
        &self.bare
    }

    /// Writes a file of the work tree.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.work.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    /// Commits the work tree as it is, publishes it, and gives its id.
    #[must_use]
    pub fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.commit_index()
    }

    /// The same with what was added by hand.
    #[must_use]
    pub fn commit_index(&self) -> String {
        self.git(&["commit", "--quiet", "--allow-empty", "--message=A change"]);
        self.publish();
        self.git(&["rev-parse", "HEAD"])
    }

    /// Publishes all branches and tags.
    pub fn publish(&self) {
        self.git(&["push", "--quiet", "--all", &self.bare.display().to_string()]);
        self.git(&["push", "--quiet", "--tags", &self.bare.display().to_string()]);
    }

    /// Publishes a tree that git would commit for nobody, as the main branch: lines of `mode type object TAB name`.
    pub fn publish_tree(&self, lines: &str) {
        let tree = self.tell(&["mktree"], lines);
        let commit = self.git(&["commit-tree", "-m", "A tree", &tree]);
        let bare = self.bare.display().to_string();
        self.git(&["push", "--quiet", "--force", &bare, &format!("{commit}:refs/heads/main")]);
    }

    /// Runs git in the work tree, and gives what it says.
    ///
    /// # Panics
    /// When it fails.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.tell(arguments, "")
    }

    /// The same with something to read.
    ///
    /// # Panics
    /// When it fails.
    pub fn tell(&self, arguments: &[&str], told: &str) -> String {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut child = Command::new("git")
            .env_clear()
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("LC_ALL", "C")])
            .env("PATH", path)
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(arguments)
            .current_dir(&self.work)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git");
        // What it does not read is no matter.
        let _ = child.stdin.take().expect("its input").write_all(told.as_bytes());
        let done = child.wait_with_output().expect("git");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "git {arguments:?}: {said}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }
}
