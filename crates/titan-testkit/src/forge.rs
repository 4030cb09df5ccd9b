//! A GitHub or a Forgejo as a process of its own, over real bare repositories: `crates/titan-testkit/forge`. Each request to it and
//! each of its answers is held against the forge's own OpenAPI document, each query against GitHub's GraphQL schema; what does not fit
//! is a violation, and a test that leaves one behind fails. What people and other machines do there is ordered on a second port.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::daemon::{Daemon, listening_address};
use crate::db::repository;
use crate::plain_http;

/// May write in every repository.
pub const TOKEN: &str = "ghp_the-token-of-a-test";

/// Killed when it is dropped, which panics when there were violations.
pub struct Forge {
    daemon: Daemon,
    address: String,
    control: String,
    folder: TempDir,
    is_killed: bool,
}

impl Forge {
    /// A GitHub without repositories, which knows [`TOKEN`].
    ///
    /// # Panics
    /// When Node or git is not on this machine, or its packages are not installed.
    #[must_use]
    pub fn github() -> Self {
        Self::start("github")
    }

    /// The same for a Forgejo.
    ///
    /// # Panics
    /// When Node or git is not on this machine, or its packages are not installed.
    #[must_use]
    pub fn forgejo() -> Self {
        Self::start("forgejo")
    }

    fn start(kind: &str) -> Self {
        let home = repository().join("crates/titan-testkit/forge");
        assert!(
            home.join("node_modules/.package-lock.json").is_file(),
            "the forge's packages are not installed: node scripts/forge.mjs install"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("node");
        command.arg(home.join("main.mjs")).arg(kind).arg(folder.path());
        let daemon = Daemon::launch("forge", command);
        let line = daemon.line("forge listening");
        let address = listening_address(&line).unwrap_or_else(|| panic!("no address in {line:?}")).to_owned();
        let control = line.rsplit("control=").next().expect("a second address").to_owned();
        let forge = Forge { daemon, address, control, folder, is_killed: false };
        forge.order("token", &json!({ "token": TOKEN }));
        forge
    }

    /// Where its API is (a Forgejo's beneath `/api/v1`), and git at `/{owner}/{repo}.git`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A repository such as `acme/titan` with a README on its main branch.
    #[must_use]
    pub fn repository(&self, name: &str) -> Repository<'_> {
        let made = self.order("repository", &json!({ "name": name }));
        let bare = PathBuf::from(text(&made["folder"]));
        Repository { forge: self, name: name.to_owned(), bare, first: text(&made["head"]) }
    }

    /// A further token: `{token, login, permissions: {contents: "read", ...}, repositories: ["acme/titan"], lifetime: seconds}`.
    pub fn token(&self, token: &Value) {
        self.order("token", token);
    }

    /// An app that is installed at these owners, and whose installation tokens live so many seconds: its private key as PEM, and the
    /// numbers of its installations.
    #[must_use]
    pub fn app(&self, id: u64, owners: &[&str], lifetime: u64) -> (String, Vec<u64>) {
        let app = json!({ "id": id, "slug": "titan-ops", "owners": owners, "lifetime": lifetime });
        let made = self.order("app", &app);
        let installations = made["installations"].as_array().expect("a list");
        (text(&made["private_key"]), installations.iter().filter_map(Value::as_u64).collect())
    }

    /// What goes wrong with the next requests that match: `{kind, method, path: a regular expression, times, ...}`. The kinds stand in
    /// `forge/lib/faults.mjs`.
    pub fn fault(&self, rule: &Value) {
        self.order("fault", rule);
    }

    /// How many faults were ordered and have not happened.
    #[must_use]
    pub fn faults_left(&self) -> u64 {
        self.order("faults_left", &json!({})).as_u64().expect("a number")
    }

    /// Moves its clock forward.
    pub fn skip(&self, seconds: u64) {
        self.order("skip", &json!({ "seconds": seconds }));
    }

    /// All that was written, in order: `{repo, kind, ref, number, id, sha}`, whoever did it.
    #[must_use]
    pub fn writes(&self) -> Vec<Value> {
        list(self.order("writes", &json!({})))
    }

    /// The same of some kinds, such as `pull.open` or `pull.merge`.
    #[must_use]
    pub fn writes_of(&self, kinds: &[&str]) -> Vec<Value> {
        self.writes()
            .into_iter()
            .filter(|each| each["kind"].as_str().is_some_and(|kind| kinds.contains(&kind)))
            .collect()
    }

    /// What was asked for, each as `GET /path?query`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        list(self.order("requests", &json!({}))).iter().map(text).collect()
    }

    /// What did not fit its documents so far.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        list(self.order("violations", &json!({}))).iter().map(text).collect()
    }

    /// The same for a test that means them: they are forgotten.
    #[must_use]
    pub fn take_violations(&self) -> Vec<String> {
        list(self.order("take_violations", &json!({}))).iter().map(text).collect()
    }

    /// Any call of `forge/lib/control.mjs`.
    ///
    /// # Panics
    /// When it is refused.
    pub fn order(&self, call: &str, body: &Value) -> Value {
        let answer = plain_http::ask(&self.control, "POST", &format!("/{call}"), &body.to_string());
        let (head, said) = answer.split_once("\r\n\r\n").expect("an answer");
        assert!(head.starts_with("HTTP/1.1 200"), "{call} {body}: {said}");
        serde_json::from_str(said).expect("JSON")
    }

    /// Ends it: nothing answers there any more.
    pub fn kill(&mut self) {
        self.is_killed = true;
        self.daemon.kill();
    }

    /// Where its bare repositories lie.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Forge {
    fn drop(&mut self) {
        // A test that fails already has its reason.
        if self.is_killed || std::thread::panicking() {
            return;
        }
        let violations = self.violations();
        assert!(violations.is_empty(), "the forge's documents forbid:\n{}", violations.join("\n"));
    }
}

/// A repository of a forge.
pub struct Repository<'a> {
    forge: &'a Forge,
    name: String,
    bare: PathBuf,
    first: String,
}

impl Repository<'_> {
    /// `owner/name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its first commit.
    #[must_use]
    pub fn first(&self) -> &str {
        &self.first
    }

    /// The bare repository itself.
    #[must_use]
    pub fn bare(&self) -> &Path {
        &self.bare
    }

    /// Runs git in the bare repository, and gives what it says.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn git(&self, arguments: &[&str]) -> String {
        let done = Command::new("git")
            .env_clear()
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("LC_ALL", "C")])
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .args(arguments)
            .current_dir(&self.bare)
            .output()
            .expect("git");
        assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// Where a branch stands.
    #[must_use]
    pub fn head(&self, branch: &str) -> Option<String> {
        let reference = format!("refs/heads/{branch}");
        let line = self.git(&["for-each-ref", "--format=%(objectname)", &reference]);
        (!line.is_empty()).then_some(line)
    }

    /// What a person pushes: files with their content, none for one that is removed; the branch is made on main when it is not there.
    /// Gives the commit.
    pub fn push(&self, branch: &str, files: &[(&str, Option<&str>)]) -> String {
        let files: Vec<Value> =
            files.iter().map(|(path, content)| json!({ "path": path, "content": content })).collect();
        self.push_files(branch, &json!(files))
    }

    /// The same with modes and bytes: `[{path, content or base64, mode: "100755"}]`.
    pub fn push_files(&self, branch: &str, files: &Value) -> String {
        text(&self.order("push", json!({ "branch": branch, "files": files }))["sha"])
    }

    /// Somebody removes a branch.
    pub fn remove_branch(&self, branch: &str) {
        self.order("remove_branch", json!({ "branch": branch }));
    }

    /// What others say of a commit: check-runs `{name, status, conclusion, summary}`, statuses `{context, state, description}`.
    pub fn check(&self, sha: &str, runs: &Value, statuses: &Value) {
        self.order("checks", json!({ "sha": sha, "runs": runs, "statuses": statuses }));
    }

    /// Somebody closes a pull request without merging it.
    pub fn close(&self, number: u64) {
        self.order("close", json!({ "number": number }));
    }

    /// Somebody opens it again.
    pub fn reopen(&self, number: u64) {
        self.order("reopen", json!({ "number": number }));
    }

    /// Nothing may be merged, for this reason; none lifts it.
    pub fn protect(&self, message: Option<&str>) {
        self.order("protect", json!({ "message": message }));
    }

    /// Its pull requests as the forge keeps them: `{number, state, branch, base, head, title, body, mergeCommit, ...}`.
    #[must_use]
    pub fn pulls(&self) -> Vec<Value> {
        list(self.order("pulls", json!({})))
    }

    /// The comments of a pull request: `{id, body, user}`.
    #[must_use]
    pub fn comments(&self, number: u64) -> Vec<Value> {
        list(self.order("comments", json!({ "number": number })))
    }

    fn order(&self, call: &str, mut body: Value) -> Value {
        body["repo"] = json!(self.name);
        self.forge.order(call, &body)
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        other => panic!("no list: {other}"),
    }
}
