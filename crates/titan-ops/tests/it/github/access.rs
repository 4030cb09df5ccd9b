//! Who Titan is at GitHub, what it may do there, and that nobody hears its secrets.

use std::process::Command;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use titan_ops::forge::settings::{Access, App, GitHubSettings};
use titan_ops::forge::{Forge, ForgeError, GitHub};

use crate::site::{BRANCH, Site, commit, executable, file};

fn with_token(site: &Site, repo: &str, token: &str) -> GitHub {
    GitHub::new(site.settings(repo, Access::Token(SecretString::from(token)))).unwrap()
}

#[tokio::test]
async fn a_wrong_token_is_denied_and_not_told() {
    let site = Site::start();
    let github = with_token(&site, "ida/tea", "a-wrong-token-of-some-length");
    let new = commit(&site.main, vec![file("a.md", "")], &[]);
    for error in [
        github.about().await.unwrap_err(),
        github.head("main").await.unwrap_err(),
        github.commit(&new).await.unwrap_err(),
    ] {
        assert!(matches!(&error, ForgeError::Denied(why) if why.contains("GITHUB_TOKEN")), "{error:?}");
        assert!(!format!("{error:?} {github:?}").contains("a-wrong-token"), "{error:?}");
    }
    assert!(site.kinds().is_empty());
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let site = Site::start();
    let permissions = json!({ "contents": "read", "metadata": "read", "pull_requests": "read" });
    site.control("token", json!({ "token": "reads-only", "permissions": permissions }));
    let github = with_token(&site, "ida/tea", "reads-only");
    assert!(!github.about().await.unwrap().can_write);
    // By GraphQL and by the other way.
    for file in [file("a.md", ""), executable("a.sh", "")] {
        let error = github.commit(&commit(&site.main, vec![file], &[])).await.unwrap_err();
        assert!(matches!(&error, ForgeError::Denied(why) if why.contains("contents=write")), "{error:?}");
    }
    assert!(site.kinds().is_empty());
}

#[tokio::test]
async fn a_repository_that_cannot_be_seen_has_no_branches_to_make() {
    let site = Site::start();
    let token = site.token.expose_secret();
    let github = with_token(&site, "ida/coffee", token);
    for error in [github.about().await.unwrap_err(), github.head(BRANCH).await.unwrap_err()] {
        assert!(matches!(&error, ForgeError::NotFound(why) if why.contains("GITHUB_REPO")), "{error:?}");
    }
}

#[tokio::test]
async fn an_app_gets_its_own_tokens() {
    let site = Site::start();
    let (app, installation) = site.app(7, 3600);
    for known in [None, Some(installation)] {
        let access = Access::App(App { installation: known, ..app.clone() });
        let github = GitHub::new(site.settings("ida/tea", access)).unwrap();
        let branch = format!("titan/ops/{}", known.unwrap_or_default());
        let new = titan_ops::forge::NewCommit { branch, ..commit(&site.main, vec![file("a.md", "tea\n")], &[]) };
        let head = github.commit(&new).await.unwrap();
        assert_eq!(site.tree(&head), site.tree_by_git(&new));
        assert!(github.about().await.unwrap().can_write);
        assert_eq!(fetched(&github).await, Some(site.main.clone()));
    }
    let tokens = site.requests().iter().filter(|line| line.ends_with("/access_tokens")).count();
    assert_eq!(tokens, 2, "one token for all requests of one forge");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let site = Site::start();
    // Shorter than octocrab lets one become.
    let (app, _) = site.app(8, 20);
    let github = GitHub::new(site.settings("ida/tea", Access::App(app))).unwrap();
    for _ in 0..3 {
        assert_eq!(github.head("main").await.unwrap(), Some(site.main.clone()));
    }
    let tokens = site.requests().iter().filter(|line| line.ends_with("/access_tokens")).count();
    assert_eq!(tokens, 3);
}

#[tokio::test]
async fn an_app_with_another_key_or_without_permissions_is_told_so() {
    let site = Site::start();
    let (app, _) = site.app(9, 3600);
    let (other, _) = site.app(10, 3600);
    let wrong = Access::App(App { private_key: other.private_key, ..app.clone() });
    let error = GitHub::new(site.settings("ida/tea", wrong)).unwrap().about().await.unwrap_err();
    assert!(matches!(&error, ForgeError::Denied(why) if why.contains("GITHUB_APP_PRIVATE_KEY")), "{error:?}");
    let nowhere = Access::App(App { installation: Some(4), ..app });
    let error = GitHub::new(site.settings("ida/tea", nowhere)).unwrap().about().await.unwrap_err();
    assert!(matches!(&error, ForgeError::NotFound(why) if why.contains("GITHUB_APP_ID")), "{error:?}");
    assert!(!error.to_string().contains("PRIVATE KEY-----"), "{error}");
}

#[tokio::test]
async fn git_fetches_with_the_header_and_not_without() {
    let site = Site::start();
    let github = site.github();
    assert_eq!(fetched(&github).await, Some(site.main.clone()));
    let remote = github.remote().await.unwrap();
    assert!(!format!("{remote:?}").contains("Basic"), "{remote:?}");
    assert_eq!(ls_remote(&remote.url, None), None);
}

#[test]
fn settings_name_the_server_of_git() {
    let access = Access::Token(SecretString::from("t"));
    let settings = GitHubSettings::new("ida/tea", access, None, None).unwrap();
    assert_eq!((settings.api.as_str(), settings.server.as_str()), ("https://api.github.com/", "https://github.com/"));
}

/// The head of main, by git itself.
async fn fetched(github: &GitHub) -> Option<String> {
    let remote = github.remote().await.unwrap();
    let header = remote.header.unwrap();
    tokio::task::spawn_blocking(move || ls_remote(&remote.url, Some(header.expose_secret()))).await.unwrap()
}

fn ls_remote(url: &str, header: Option<&str>) -> Option<String> {
    let mut git = Command::new("git");
    git.args(["ls-remote", url, "refs/heads/main"]).env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_NOSYSTEM", "1");
    if let Some(header) = header {
        git.env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", format!("http.{url}.extraHeader"))
            .env("GIT_CONFIG_VALUE_0", header);
    }
    let output = git.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().next().filter(|_| output.status.success()).map(str::to_owned)
}
