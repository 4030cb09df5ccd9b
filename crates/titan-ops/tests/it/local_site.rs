//! A local target with real processes: small programs that answer as the daemons do, good and bad ones.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use chrono::Utc;
use secrecy::SecretString;
use tempfile::TempDir;
use titan_ops::target::local::{DaemonState, Local, Role, Settings, SideSettings, State};
use titan_ops::target::{Deployment, DeploymentState, Order, Release, Side, Target as _};

pub(crate) const OLD: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const NEW: &str = "fedcba9876543210fedcba9876543210fedcba98";
/// In the environment of every daemon, and to be found nowhere else.
pub(crate) const SECRET: &str = "postgres-with-a-canary-secret";

const DAEMON: &str = include_str!("daemon.py");

pub(crate) struct Site {
    folder: TempDir,
    pub(crate) target: Local,
}

impl Site {
    /// With these ports; none is a free one.
    pub(crate) fn new(production: Option<SocketAddr>) -> Self {
        Self::with(production, Duration::from_secs(15))
    }

    pub(crate) fn with(production: Option<SocketAddr>, ready_within: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment: BTreeMap<String, SecretString> =
            [("DATABASE_URL", SECRET), ("PATH", "/usr/local/bin:/usr/bin:/bin")]
                .into_iter()
                .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
                .collect();
        let side = |bind| SideSettings { bind, environment: environment.clone() };
        let target = Local::new(Settings {
            folder: folder.path().join("target"),
            supervisor: PathBuf::from(env!("CARGO_BIN_EXE_titan-supervise")),
            production: side(production),
            canary: side(None),
            ready_within,
            grace: Duration::from_secs(3),
        });
        Site { folder, target: target.unwrap() }
    }

    pub(crate) fn of(folder: TempDir, target: Local) -> Self {
        Site { folder, target }
    }

    /// An order for a build that behaves so: `good`, or one of the words of `daemon.py`.
    pub(crate) fn order(&self, side: Side, commit: &str, behaviour: &str, key: &str) -> Order {
        let folder = self.folder.path().join(format!("build-{behaviour}-{key}"));
        fs::create_dir_all(&folder).unwrap();
        for program in ["titan-api", "titan-worker"] {
            let path = folder.join(program);
            fs::write(&path, DAEMON.replace("BEHAVIOUR", behaviour)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::copy(folder.join("titan-worker"), folder.join("titan-stage")).unwrap();
        let release = Release { commit: commit.to_owned(), folder: Some(folder) };
        Order { side, release, key: key.to_owned(), asked_at: Utc::now() }
    }

    /// Deploys it, and waits until that has ended.
    pub(crate) async fn deploy(&self, side: Side, commit: &str, behaviour: &str, key: &str) -> Deployment {
        self.target.deploy(&self.order(side, commit, behaviour, key)).await.unwrap();
        self.ended(side, key).await
    }

    pub(crate) async fn ended(&self, side: Side, key: &str) -> Deployment {
        let give_up = Instant::now() + Duration::from_secs(60);
        loop {
            let deployment = self.target.stand(side, key).await.unwrap();
            if deployment.state != DeploymentState::UnderWay {
                return deployment;
            }
            assert!(Instant::now() < give_up, "{deployment:?}\n{:?}\n{}", self.state(side), self.log(side));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn state(&self, side: Side) -> State {
        self.target.folder(side).state().unwrap().unwrap_or_default()
    }

    pub(crate) fn daemon(&self, side: Side, role: Role) -> DaemonState {
        self.state(side).daemons.into_iter().find(|daemon| daemon.role == role).unwrap()
    }

    pub(crate) fn log(&self, side: Side) -> String {
        fs::read_to_string(self.target.folder(side).supervisor_log()).unwrap_or_default()
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Waits for what the state has to say.
    pub(crate) async fn until(&self, side: Side, what: &str, there: impl Fn(&State) -> bool) -> State {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            // Asked as Titan asks, which starts a supervisor where there is none. Right after a kill its lock may still be held.
            let _ = self.target.running(side).await.unwrap();
            let state = self.state(side);
            if there(&state) {
                return state;
            }
            assert!(Instant::now() < give_up, "no {what}: {state:#?}\n{}", self.log(side));
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
}

/// Stops what the test has begun, by the numbers that the supervisors wrote down.
impl Drop for Site {
    fn drop(&mut self) {
        for side in [Side::Production, Side::Canary] {
            let Ok(Some(state)) = self.target.folder(side).state() else { continue };
            kill(state.supervisor, "TERM");
            let give_up = Instant::now() + Duration::from_secs(8);
            while is_there(state.supervisor) && Instant::now() < give_up {
                std::thread::sleep(Duration::from_millis(20));
            }
            for pid in state.daemons.iter().filter_map(|daemon| daemon.pid) {
                let own = self.folder.path().display().to_string();
                if fs::read(format!("/proc/{pid}/environ"))
                    .is_ok_and(|text| String::from_utf8_lossy(&text).contains(&own))
                {
                    kill(pid, "KILL");
                }
            }
        }
    }
}

pub(crate) fn kill(pid: u32, signal: &str) {
    if pid > 1 {
        let _ = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).output();
    }
}

pub(crate) fn is_there(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()).is_some_and(|state| state != "Z")
}
