//! The real daemons as processes, to be killed, frozen and stopped, and a Postgres cluster that may be restarted.
//!
//! Nothing is built here: the programs lie beside the test's own executable. The environment of a daemon is what the test
//! says and nothing else.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use titan_core::db::Db;

use crate::db::repository;
use crate::wait;

/// Variables for a daemon.
pub type Env = Vec<(String, String)>;

/// Makes variables of pairs.
#[must_use]
pub fn env(pairs: &[(&str, &str)]) -> Env {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A process that is killed when it is dropped. When the test fails, what it logged is printed.
pub struct Daemon {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Daemon {
    /// Starts a program of this workspace.
    ///
    /// # Panics
    /// When it was not built or cannot be started.
    #[must_use]
    pub fn spawn(program: &str, arguments: &[&str], env: &Env) -> Self {
        let mut command = Command::new(program_path(program));
        command.args(arguments).env_clear().envs(env.iter().map(|(name, value)| (name, value)));
        Self::launch(program, command)
    }

    /// Starts any program.
    pub(crate) fn launch(program: &str, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        keep(child.stdout.take().unwrap(), &lines);
        keep(child.stderr.take().unwrap(), &lines);
        Daemon { name: format!("{program}[{}]", child.id()), child, lines }
    }

    /// A worker that is ready.
    #[must_use]
    pub fn worker(env: &Env) -> Self {
        let worker = Self::spawn("titan-worker", &[], env);
        worker.wait_for_line("titan-worker ready");
        worker
    }

    /// Waits until it has logged a line with these words, and gives that line.
    ///
    /// # Panics
    /// When there is none in time.
    #[must_use = "use it or say `let _`"]
    pub fn line(&self, words: &str) -> String {
        wait::until_blocking(&format!("a line of {} with {words:?}", self.name), || {
            self.lock().iter().find(|line| line.contains(words)).cloned()
        })
    }

    /// The same for who needs no more than to have waited.
    ///
    /// # Panics
    /// When there is none in time.
    pub fn wait_for_line(&self, words: &str) {
        let _ = self.line(words);
    }

    /// Everything it has said so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.lock().join("\n")
    }

    /// `kill -9`, and waits until it is gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("wait");
    }

    /// Freezes it (SIGSTOP). It is frozen when this returns.
    pub fn freeze(&self) {
        self.signal("STOP");
        wait::until_blocking("a frozen process", || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
            // The state follows the name, which stands in brackets.
            stat.rsplit(')').next()?.trim_start().starts_with('T').then_some(())
        });
    }

    /// Lets it go on (SIGCONT).
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Sends a signal by its name without SIG.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().expect("kill");
        assert!(status.success(), "{} did not take SIG{name}", self.name);
    }

    /// The number of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// When the operating system does not know it.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the state of a child").is_none()
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it does not.
    pub fn ended(&mut self) -> ExitStatus {
        let (name, child) = (&self.name, &mut self.child);
        wait::until_blocking(&format!("the end of {name}"), || child.try_wait().expect("the state of a child"))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let lines = self.lock();
            let tail = lines.get(lines.len().saturating_sub(60)..).unwrap_or_default();
            eprintln!("--- the last lines of {} ---\n{}", self.name, tail.join("\n"));
        }
    }
}

fn keep(from: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}

/// An API process and where it listens.
pub struct Api {
    pub daemon: Daemon,
    pub url: String,
    env: Env,
}

impl Api {
    /// One that answers, on a port of the kernel's choice.
    #[must_use]
    pub fn start(env: &Env) -> Self {
        Self::start_at(env, "127.0.0.1:0")
    }

    /// Starts it again where it was, after it was killed.
    pub fn restart(&mut self) {
        let address = self.url.trim_start_matches("http://").to_owned();
        *self = Self::start_at(&self.env, &address);
    }

    /// One that may write no file of more than so many KiB, as if the disk were full then.
    #[must_use]
    pub fn start_with_file_limit(env: &Env, kib: u32) -> Self {
        let mut command = Command::new("bash");
        // The signal that goes with it would end the process, and no full disk sends one.
        command.args(["-c", &format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\"")]).arg(program_path("titan-api"));
        command.env_clear().envs(env.iter().map(|(name, value)| (name, value))).env("TITAN_BIND", "127.0.0.1:0");
        Self::of(Daemon::launch("titan-api", command), env)
    }

    fn start_at(env: &Env, address: &str) -> Self {
        let mut given = env.clone();
        given.push(("TITAN_BIND".to_owned(), address.to_owned()));
        Self::of(Daemon::spawn("titan-api", &[], &given), env)
    }

    /// Once it has said where it listens.
    pub(crate) fn of(daemon: Daemon, env: &Env) -> Self {
        let line = daemon.line("titan-api listening");
        let address = listening_address(&line).unwrap_or_else(|| panic!("no address in {line:?}"));
        Api { daemon, url: format!("http://{address}"), env: env.clone() }
    }
}

/// The address in the line that says where the API listens.
pub(crate) fn listening_address(line: &str) -> Option<&str> {
    Some(line.split("address=").nth(1)?.split_whitespace().next()?.trim_matches('"'))
}

/// Beside the test's executable, which lies in `target/<profile>/deps`, or in `target/<profile>` for a program.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn program_path(program: &str) -> PathBuf {
    let own = std::env::current_exe().expect("the path of this executable");
    let mut folder = own.parent().expect("a folder").to_owned();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join(program);
    assert!(
        path.is_file(),
        "{} is not built; run `cargo build -p titan-api -p titan-worker` first (tests of the whole workspace build it)",
        path.display()
    );
    path
}

/// A Postgres of its own, with an empty database `titan`, for tests that restart it. Gone when it is dropped.
pub struct Cluster {
    dir: PathBuf,
    /// How it was made, which is repeated when it is started again.
    options: Vec<String>,
    pub url: SecretString,
    pub db: Db,
}

impl Cluster {
    /// # Panics
    /// When there is no Postgres server on this machine.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(vec!["--throwaway".to_owned()])
    }

    /// One that keeps what it has confirmed although it crashes, with settings such as `max_connections=60`.
    ///
    /// # Panics
    /// When there is no Postgres server on this machine.
    #[must_use]
    pub fn durable(settings: &[&str]) -> Self {
        Self::start_with(settings.iter().flat_map(|setting| ["--set".to_owned(), (*setting).to_owned()]).collect())
    }

    fn start_with(options: Vec<String>) -> Self {
        let id = titan_core::ids::new().simple().to_string();
        let dir = repository().join(format!("target/throwaway-postgres.{id}"));
        std::fs::create_dir_all(&dir).expect("a folder for the cluster");
        // What a killed test leaves behind is cleared away by scripts/with-postgres.sh, which looks for this file.
        std::fs::write(dir.join("owner"), std::process::id().to_string()).expect("the owner's number");
        let url = SecretString::from(ensure(&dir, &options));
        let db = Db::new(&url, 4).expect("a pool");
        Cluster { dir, options, url, db }
    }

    /// The URL with its password.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.expose_secret()
    }

    /// Stops the server, ending every connection, and starts it again on the same port.
    pub fn restart(&self) {
        script(&["restart", "--dir", &self.dir.to_string_lossy()]);
    }

    /// Stops the server.
    pub fn stop(&self) {
        script(&["stop", "--dir", &self.dir.to_string_lossy()]);
    }

    /// Ends the server as a crash does: nothing is finished, nothing is written down (SIGQUIT, "immediate").
    ///
    /// # Panics
    /// When it does not run.
    pub fn crash(&self) {
        let file = self.dir.join("cluster/postmaster.pid");
        let pid = std::fs::read_to_string(&file).expect("the number of the server's process");
        let pid = pid.lines().next().expect("a number").to_owned();
        let status = Command::new("kill").args(["-QUIT", &pid]).status().expect("kill");
        assert!(status.success(), "Postgres (process {pid}) did not take SIGQUIT");
        let process = PathBuf::from(format!("/proc/{pid}"));
        wait::until_blocking("the end of Postgres", || (!process.exists()).then_some(()));
    }

    /// Starts it after [`Cluster::stop`] or [`Cluster::crash`], on the same port.
    pub fn start_again(&self) {
        ensure(&self.dir, &self.options);
    }
}

fn ensure(dir: &Path, options: &[String]) -> String {
    let dir = dir.to_string_lossy();
    let mut arguments = vec!["ensure", "--dir", &*dir];
    arguments.extend(options.iter().map(String::as_str));
    script(&arguments)
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let dir = self.dir.to_string_lossy();
        let _ = Command::new(repository().join("scripts/postgres.sh")).args(["destroy", "--dir", &dir]).output();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Runs scripts/postgres.sh and gives its last line.
fn script(arguments: &[&str]) -> String {
    let started = Instant::now();
    let output =
        Command::new(repository().join("scripts/postgres.sh")).args(arguments).output().expect("scripts/postgres.sh");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "scripts/postgres.sh {arguments:?}: {said}");
    assert!(
        started.elapsed() < Duration::from_secs(120),
        "scripts/postgres.sh {arguments:?} took {:?}",
        started.elapsed()
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
