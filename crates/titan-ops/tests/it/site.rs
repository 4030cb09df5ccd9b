//! A forge of a test with one repository in it, and what git makes of the same changes.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use titan_ops::forge::settings::{Access, App, ForgejoSettings, GitHubSettings, Timeouts};
use titan_ops::forge::{Forge, Forgejo, GitHub, NewCommit, NewFile, NewPullRequest};
use titan_testkit::forge::Forge as FakeForge;

pub(crate) const BRANCH: &str = "titan/ops/7";

pub(crate) struct Site {
    fake: FakeForge,
    pub(crate) token: SecretString,
    /// The commit that main stands at when it begins.
    pub(crate) main: String,
    folder: String,
}

impl Site {
    pub(crate) fn start() -> Self {
        Self::of(FakeForge::github())
    }

    /// A Forgejo with the same in it.
    pub(crate) fn start_forgejo() -> Self {
        Self::of(FakeForge::forgejo())
    }

    fn of(fake: FakeForge) -> Self {
        let files = json!([
            { "path": "README.md", "content": "# Leaves\n" },
            { "path": "old.txt", "content": "old\n" },
            { "path": "docs/old.md", "content": "old\n" },
            { "path": "scripts/go.sh", "content": "#!/bin/sh\n", "mode": "100755" },
            { "path": "link", "content": "README.md", "mode": "120000" },
        ]);
        let made = fake.order("repository", &json!({ "name": "ida/tea", "files": files }));
        let token = "ghp_0123456789abcdefghij0123456789abcdef";
        fake.order("token", &json!({ "token": token }));
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Site { token: SecretString::from(token), main: text("head"), folder: text("folder"), fake }
    }

    pub(crate) fn github(&self) -> GitHub {
        GitHub::new(self.settings("ida/tea", Access::Token(self.token.clone()))).unwrap()
    }

    /// One that does not wait for long.
    pub(crate) fn impatient(&self) -> GitHub {
        let settings = self.settings("ida/tea", Access::Token(self.token.clone()));
        let timeouts = Timeouts { whole: Duration::from_secs(2), ..settings.timeouts };
        GitHub::new(GitHubSettings { timeouts, ..settings }).unwrap()
    }

    pub(crate) fn settings(&self, repo: &str, access: Access) -> GitHubSettings {
        GitHubSettings::new(repo, access, Some(&self.fake.url()), Some(&self.fake.url())).unwrap()
    }

    /// An app that is installed here, and its installation; its tokens live for so many seconds.
    pub(crate) fn app(&self, id: u64, lifetime: u64) -> (App, u64) {
        let app = json!({ "id": id, "slug": format!("titan-{id}"), "owners": ["ida"], "lifetime": lifetime });
        let made = self.control("app", app);
        let private_key = SecretString::from(made["private_key"].as_str().unwrap());
        (App { id, private_key, installation: None }, made["installations"][0].as_u64().unwrap())
    }

    pub(crate) fn forgejo(&self) -> Forgejo {
        self.forgejo_with("ida/tea", self.token.expose_secret(), Timeouts::default())
    }

    pub(crate) fn forgejo_with(&self, repo: &str, token: &str, timeouts: Timeouts) -> Forgejo {
        let settings = ForgejoSettings::new(repo, &self.fake.url(), SecretString::from(token)).unwrap();
        Forgejo::new(ForgejoSettings { timeouts, ..settings }).unwrap()
    }

    /// A commit on a branch with a pull request for it.
    pub(crate) async fn opened(&self, forge: &dyn Forge) -> (String, u64) {
        let new = commit(&self.main, vec![file("docs/tea.md", "Brew it.\n")], &[]);
        let head = forge.commit(&new).await.unwrap();
        let (branch, base) = (BRANCH.to_owned(), "main".to_owned());
        let pull = NewPullRequest { branch, base, title: "Brew tea".to_owned(), body: "A plan".to_owned() };
        (head, forge.open(&pull).await.unwrap().number)
    }

    pub(crate) fn control(&self, name: &str, body: Value) -> Value {
        self.fake.order(name, &body)
    }

    pub(crate) fn fault(&self, rule: Value) {
        self.control("fault", rule);
    }

    pub(crate) fn faults_left(&self) -> u64 {
        self.control("faults_left", json!({})).as_u64().unwrap()
    }

    /// A commit of somebody's, by hand.
    pub(crate) fn push(&self, branch: &str, path: &str, content: &str) -> String {
        let files = json!([{ "path": path, "content": content }]);
        let pushed = self.control("push", json!({ "repo": "ida/tea", "branch": branch, "files": files }));
        pushed["sha"].as_str().unwrap().to_owned()
    }

    /// What was written through the API so far, in order.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let writes = self.control("writes", json!({}));
        let kinds = writes.as_array().unwrap().iter().map(|write| write["kind"].as_str().unwrap().to_owned());
        kinds.filter(|kind| kind != "push").collect()
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.control("requests", json!({}));
        requests.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn comments(&self, number: u64) -> Vec<String> {
        let comments = self.control("comments", json!({ "repo": "ida/tea", "number": number }));
        comments.as_array().unwrap().iter().map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
    }

    /// Git in the repository of the forge itself.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(Path::new(&self.folder), arguments)
    }

    pub(crate) fn tree(&self, commit: &str) -> String {
        self.git(&["rev-parse", &format!("{commit}^{{tree}}")])
    }

    /// The tree that git itself makes of a change, in a clone.
    pub(crate) fn tree_by_git(&self, new: &NewCommit) -> String {
        let clone = tempfile::tempdir().unwrap();
        let folder = clone.path();
        git(folder, &["clone", "--quiet", "--no-checkout", &self.folder, "."]);
        git(folder, &["checkout", "--quiet", "--detach", &new.parent]);
        for path in &new.deletions {
            std::fs::remove_file(folder.join(path)).unwrap();
        }
        for file in &new.files {
            let path = folder.join(&file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            // Not through a link that was there.
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, &file.content).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(if file.executable { 0o755 } else { 0o644 });
            std::fs::set_permissions(&path, mode).unwrap();
        }
        git(folder, &["-c", "core.autocrlf=false", "add", "--all", "--force"]);
        git(folder, &["write-tree"])
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Secrets are nowhere in what the forge was asked.
        if !std::thread::panicking() {
            let token = self.token.expose_secret();
            assert!(self.requests().iter().all(|line| !line.contains(token)), "a token stands in an address");
        }
    }
}

pub(crate) fn file(path: &str, content: &str) -> NewFile {
    NewFile { path: path.to_owned(), content: content.as_bytes().to_vec(), executable: false }
}

pub(crate) fn executable(path: &str, content: &str) -> NewFile {
    NewFile { executable: true, ..file(path, content) }
}

pub(crate) fn commit(parent: &str, files: Vec<NewFile>, deletions: &[&str]) -> NewCommit {
    NewCommit {
        branch: BRANCH.to_owned(),
        parent: parent.to_owned(),
        headline: "Brew tea".to_owned(),
        body: "Because it is cold.".to_owned(),
        files,
        deletions: deletions.iter().map(|path| (*path).to_owned()).collect(),
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = git.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
