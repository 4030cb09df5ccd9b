//! Where proposals are rolled out in tests: Titan's own daemons, as production and as a canary beside it, on this machine. A release is
//! what the repository has in `bin`: programs that begin the daemons that were built, or something that harms them on the way.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use titan_testkit::client::text;
use titan_testkit::daemon::program_path;
use titan_testkit::forge::{Forge, Repository};

use crate::kit::Kit;
use crate::ops::{kit, repository};

/// A release that is as it should be.
pub(crate) const GOOD: &str = "#!/bin/sh\nexec \"$BUILT/titan-api\" \"$@\"\n";
const WORKER: &str = "#!/bin/sh\nexec \"$BUILT/titan-worker\" \"$@\"\n";
const PROXY: &str = include_str!("ops_proxy.py");
/// Samples that are short, and few of them.
const TEMPLATE: &str = "
interval: 700ms
samples: 5
probe: {paths: [/api/projects, /readyz], rate: 15, timeout: 2s}
metrics:
  - {name: probe-errors, source: {probe: errors}, direction: lower_is_better, success: '<= 0.01', failure: '> 0.1', failure_limit: 1, min_events: 5}
  - {name: probe-latency, source: {probe: {latency: {q: 0.5}}}, direction: lower_is_better, compare: {tolerance: 1.0, margin: 0.03}, min_events: 5}
  - name: server-errors
    source: {prometheus: {ratio: {of: {name: titan_http_requests_total, labels: {status: '5*'}}, to: {name: titan_http_requests_total}}}}
    direction: lower_is_better
    success: '<= 0.01'
    failure: '> 0.05'
    failure_limit: 1
    min_events: 5
";
/// It only watches, and nobody asks anything.
const QUIET: &str = "
interval: 300ms
samples: 2
metrics:
  - {name: errors, source: {prometheus: {ratio: {of: {name: titan_http_requests_total, labels: {status: '5*', method: PATCH}}, to: {name: titan_http_requests_total, labels: {method: PATCH}}}}}, direction: lower_is_better, success: '<= 0.01'}
";

/// A forge, a production that runs what its main branch has, and an API.
pub(crate) struct Site<'a> {
    pub(crate) repository: Repository<'a>,
    pub(crate) kit: Kit,
    /// The commit that production began with.
    pub(crate) first: String,
    folder: TempDir,
    address: String,
}

/// What `bin/titan-api` is in a proposal that harms the daemon so: see `ops_proxy.py`.
pub(crate) fn harmed(how: &str) -> String {
    PROXY.replace("HOW", how)
}

impl<'a> Site<'a> {
    pub(crate) fn new(forge: &'a Forge) -> Self {
        Self::with(forge, TEMPLATE, &[])
    }

    /// Where nobody asks anything.
    pub(crate) fn quiet(forge: &'a Forge) -> Self {
        Self::with(forge, QUIET, &[])
    }

    /// Where production's own worker does all the work, and so is replaced by its own rollouts.
    pub(crate) fn of_itself(forge: &'a Forge) -> Self {
        Self::made(forge, TEMPLATE, &[], true)
    }

    pub(crate) fn with(forge: &'a Forge, template: &str, more: &[(&str, &str)]) -> Self {
        Self::made(forge, template, more, false)
    }

    fn made(forge: &'a Forge, template: &str, more: &[(&str, &str)], rolls_itself_out: bool) -> Self {
        let repository = repository(forge);
        let program = |path: &str, content: &str| json!({"path": path, "content": content, "mode": "100755"});
        let first = repository
            .push_files("main", &json!([program("bin/titan-api", GOOD), program("bin/titan-worker", WORKER)]));
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::write(at("canary.yaml"), template).unwrap();
        let (target, production, canary, yaml) =
            (at("target"), at("production.env"), at("canary.env"), at("canary.yaml"));
        let mut env = vec![
            ("TITAN_OPS_TEST", "chmod 755 bin/titan-api bin/titan-worker ;; test -f README.md"),
            ("TITAN_OPS_TARGET", "local"),
            ("TITAN_OPS_LOCAL_PROGRAMS", "bin"),
            ("TITAN_OPS_LOCAL_DIR", target.as_str()),
            ("TITAN_OPS_LOCAL_ENV", production.as_str()),
            ("TITAN_OPS_LOCAL_CANARY_ENV", canary.as_str()),
            ("TITAN_OPS_CANARY", yaml.as_str()),
            // A busy machine takes its time, and a build that never gets ready is waited for three quarters of it.
            ("TITAN_OPS_DEPLOY_TIMEOUT", "40s"),
            ("TITAN_OPS_AUTO_PR", "high"),
            ("ALLOWED_PATHS", "README.md,docs/**,bin/**"),
        ];
        env.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        env.extend(more);
        let kit = kit(forge, &env);
        let built = program_path("titan-api").parent().unwrap().display().to_string();
        let common = format!(
            "DATABASE_URL={}\nPATH={}\nBUILT={built}\n",
            kit.db.url.expose_secret(),
            std::env::var("PATH").unwrap()
        );
        // Their workers take no job of others.
        let apart = |name: &str| {
            let data = at(name);
            format!("{common}TITAN_DATA_DIR={data}\nTITAN_WORKER_NAME={name}\nTITAN_WORKER_QUEUES={name}\n")
        };
        let whole = || {
            let lines = kit.env.iter().map(|(name, value)| format!("{name}={value}\n"));
            format!("BUILT={built}\n{}", lines.collect::<String>())
        };
        fs::write(&production, if rolls_itself_out { whole() } else { apart("production") }).unwrap();
        fs::write(&canary, apart("canary")).unwrap();
        let mut site = Site { repository, kit, first, folder, address: String::new() };
        site.begin_production(&target, &production);
        site
    }

    /// As an operator begins with it.
    fn begin_production(&mut self, target: &str, env: &str) {
        let programs = self.path("first");
        fs::create_dir_all(&programs).unwrap();
        for (name, content) in [("titan-api", GOOD), ("titan-worker", WORKER)] {
            let path = programs.join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let done = Command::new(program_path("titan-supervise"))
            .args(["deploy", "--dir", target, "--env", env, "--commit", &self.first, "--programs"])
            .arg(&programs)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        self.address = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A proposal that makes `bin/titan-api` this.
    pub(crate) async fn propose_api(&self, program: &str) -> (String, String) {
        let patch = json!({"path": "bin/titan-api", "content": program, "executable": true});
        self.kit.propose(&json!({"title": "Another API", "now": "Update README", "patches": [patch]}).to_string()).await
    }

    /// The commit that production answers; none when it does not.
    pub(crate) async fn production(&self) -> Option<String> {
        let state: Value = serde_json::from_slice(&fs::read(self.path("target/production/state.json")).ok()?).ok()?;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        let health: Value =
            http.get(format!("{}/api/health", text(&state["address"]))).send().await.ok()?.json().await.ok()?;
        health["commit"].as_str().map(str::to_owned)
    }

    /// Whether daemons of a canary run.
    pub(crate) fn has_canary(&self) -> bool {
        let state = fs::read(self.path("target/canary/state.json")).unwrap_or_default();
        let state: Value = serde_json::from_slice(&state).unwrap_or_default();
        state["daemons"].as_array().is_some_and(|daemons| daemons.iter().any(|daemon| !daemon["pid"].is_null()))
    }

    /// How many deployments both sides remember, beside the one that production began with.
    pub(crate) fn deployments(&self) -> usize {
        let of = |side: &str| {
            let state = fs::read(self.path(&format!("target/{side}/state.json"))).unwrap_or_default();
            let state: Value = serde_json::from_slice(&state).unwrap_or_default();
            state["ended"].as_array().map_or(0, Vec::len) + usize::from(!state["deployment"].is_null())
        };
        of("production") + of("canary") - 1
    }

    /// The rollout of a proposal, once it has ended.
    pub(crate) async fn rolled_out(&self, id: &str) -> Value {
        self.kit
            .until("the rollout to end", async || {
                let rollout = self.kit.proposal(id).await["rollout"].clone();
                (!rollout["ended_at"].is_null()).then_some(rollout)
            })
            .await
    }
}

/// Its supervisors outlive who started them.
impl Drop for Site<'_> {
    fn drop(&mut self) {
        for side in ["production", "canary"] {
            let state = fs::read(self.path(&format!("target/{side}/state.json"))).unwrap_or_default();
            let state: Value = serde_json::from_slice(&state).unwrap_or_default();
            let Some(supervisor) = state["supervisor"].as_u64().filter(|pid| *pid > 1) else { continue };
            let _ = Command::new("kill").arg(supervisor.to_string()).output();
            let give_up = Instant::now() + Duration::from_secs(15);
            while fs::metadata(format!("/proc/{supervisor}")).is_ok() && Instant::now() < give_up {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}
