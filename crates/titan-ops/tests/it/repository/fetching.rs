//! Fetching from a real server: what is named and nothing else, and every way in which a server may not answer.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tempfile::TempDir;
use titan_ops::forge::Remote;
use titan_ops::repository::{Limits, Mirror, RepositoryError};
use titan_testkit::git_server::{GitServer, Repository};

/// `x-access-token:opensesame`.
const RIGHT: &str = "Basic eC1hY2Nlc3MtdG9rZW46b3BlbnNlc2FtZQ==";

fn remote(url: String) -> Remote {
    Remote { url, header: None }
}

fn quick() -> Limits {
    Limits { lock: Duration::from_secs(30), list: Duration::from_secs(20), ..Limits::default() }
}

fn open(folder: &TempDir, remote: &Remote, limits: Limits) -> Mirror {
    Mirror::open_with(&folder.path().join("mirror"), remote, None, limits).unwrap()
}

/// A server with one repository whose main branch holds a file.
fn served(path: &str) -> (GitServer, Repository, String) {
    let server = GitServer::plain();
    let repository = server.repository(path);
    repository.write("a", "1\n");
    let commit = repository.commit();
    (server, repository, commit)
}

fn pushed(repository: &Repository, what: &str) {
    let bare = repository.bare().display().to_string();
    repository.git(&["push", "--quiet", "--force", &bare, what]);
}

fn refs(folder: &TempDir) -> usize {
    let said = Command::new("git")
        .arg("--git-dir")
        .arg(folder.path().join("mirror/repository.git"))
        .args(["for-each-ref", "--format=x"])
        .output()
        .unwrap();
    String::from_utf8(said.stdout).unwrap().lines().count()
}

#[test]
fn the_branches_that_are_named_and_nothing_else() {
    let (server, repository, first) = served("r.git");
    repository.git(&["tag", "v1"]);
    pushed(&repository, "HEAD:refs/heads/titan/ops/7");
    pushed(&repository, "HEAD:refs/heads/other");
    pushed(&repository, "refs/tags/v1");
    let folder = tempfile::tempdir().unwrap();
    let mirror = open(&folder, &remote(server.url("r.git")), quick());
    let both = BTreeMap::from([("main".to_owned(), first.clone()), ("titan/ops/7".to_owned(), first.clone())]);
    assert_eq!(mirror.fetch(&["main", "titan/ops/7", "titan/ops/8"]).unwrap(), both);
    assert_eq!(refs(&folder), 2);
    assert_eq!(mirror.fetch(&[]).unwrap(), BTreeMap::new());
    // One goes, one is begun anew elsewhere, and one takes the place of a folder of names.
    pushed(&repository, ":refs/heads/titan/ops/7");
    repository.git(&["checkout", "--quiet", "--orphan", "anew"]);
    repository.write("a", "2\n");
    repository.git(&["add", "--all"]);
    repository.git(&["commit", "--quiet", "--message=Anew"]);
    let anew = repository.git(&["rev-parse", "HEAD"]);
    pushed(&repository, "HEAD:refs/heads/main");
    pushed(&repository, "HEAD:refs/heads/titan");
    let now = mirror.fetch(&["main", "titan", "titan/ops/7"]).unwrap();
    assert_eq!(now, BTreeMap::from([("main".to_owned(), anew.clone()), ("titan".to_owned(), anew.clone())]));
    assert_eq!(refs(&folder), 2);
    assert_eq!(mirror.file(&anew, "a", 10).unwrap().unwrap(), b"2\n");
    assert_eq!(mirror.file(&first, "a", 10).unwrap().unwrap(), b"1\n", "what stood there once is still known");
    for name in ["", "-x", "a b", "a:b", "*", "../a", "--upload-pack=id"] {
        let why = mirror.fetch(&[name]).unwrap_err();
        assert!(
            matches!(&why, RepositoryError::Refused(why) if why.contains("no name of a branch")),
            "{name}: {why:?}"
        );
    }
    let many: Vec<String> = (0..51).map(|at| format!("b{at}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(matches!(mirror.fetch(&many), Err(RepositoryError::Refused(_))));
}

#[test]
fn a_token_is_told_to_the_server_and_to_nobody_else() {
    let (server, _repository, first) = served("token/r.git");
    server.want(RIGHT);
    let folder = tempfile::tempdir().unwrap();
    let with = |header: Option<String>| {
        let header = header.map(SecretString::from);
        open(&folder, &Remote { url: server.url("token/r.git"), header }, quick())
    };
    let fetched = with(Some(format!("Authorization: {RIGHT}"))).fetch(&["main"]).unwrap();
    assert_eq!(fetched["main"], first);
    let config = fs::read_to_string(folder.path().join("mirror/repository.git/config")).unwrap();
    assert!(!config.contains("Authorization"), "{config}");
    let wrong = "Basic eC1hY2Nlc3MtdG9rZW46d3Jvbmctc2VjcmV0";
    let why = with(Some(format!("Authorization: {wrong}"))).fetch(&["main"]).unwrap_err();
    assert!(matches!(&why, RepositoryError::Denied(why) if why.contains("does not take the token")), "{why:?}");
    assert!(!why.to_string().contains("d3Jvbmct") && !why.to_string().contains("wrong-secret"), "{why}");
    let why = with(None).fetch(&["main"]).unwrap_err();
    assert!(matches!(&why, RepositoryError::Denied(why) if why.contains("there is no token")), "{why:?}");
}

#[test]
fn a_server_that_repeats_the_token_gets_it_into_no_error() {
    let (server, _repository, _) = served("echo/r.git");
    let folder = tempfile::tempdir().unwrap();
    let header = Some(SecretString::from(format!("Authorization: {RIGHT}")));
    let mirror = open(&folder, &Remote { url: server.url("echo/r.git"), header }, quick());
    let why = mirror.fetch(&["main"]).unwrap_err();
    assert!(matches!(&why, RepositoryError::Denied(why) if why.contains("[removed]")), "{why:?}");
    assert!(!why.to_string().contains("eC1hY2Nl") && !format!("{mirror:?}").contains("eC1hY2Nl"), "{why}");
}

#[test]
fn answers_that_are_no_repository() {
    let (server, _repository, _) = served("r.git");
    let folder = tempfile::tempdir().unwrap();
    let asked = |path: &str| open(&folder, &remote(server.url(path)), quick()).fetch(&["main"]).unwrap_err();
    let why = asked("moved/r.git");
    assert!(matches!(&why, RepositoryError::Refused(why) if why.contains("sends elsewhere")), "{why:?}");
    assert_eq!(server.requests().iter().filter(|line| line.contains("moved")).count(), 1, "it is asked once");
    assert!(matches!(asked("private/r.git"), RepositoryError::Denied(_)));
    assert!(matches!(asked("none.git"), RepositoryError::NotFound(_)));
    assert!(matches!(asked("busy/r.git"), RepositoryError::Unavailable(why) if why.contains("less often")));
    assert!(matches!(asked("down/r.git"), RepositoryError::Unavailable(why) if why.contains("in trouble")));
    let nobody = open(&folder, &remote("http://127.0.0.2:1/r.git".to_owned()), quick()).fetch(&["main"]).unwrap_err();
    assert!(matches!(&nobody, RepositoryError::Unavailable(why) if why.contains("cannot be reached")), "{nobody:?}");
    for url in ["ssh://h/r.git", "/srv/r.git", "https://ida:secret@h/r.git", "ext::id"] {
        let why = Mirror::open(folder.path(), &remote(url.to_owned())).unwrap_err();
        assert!(matches!(why, RepositoryError::Refused(_)), "{url}");
        assert!(!why.to_string().contains("secret"), "{why}");
    }
}

#[test]
fn a_certificate_must_be_trusted() {
    let server = GitServer::start();
    let repository = server.repository("r.git");
    repository.write("a", "1\n");
    let commit = repository.commit();
    let folder = tempfile::tempdir().unwrap();
    let remote = remote(server.url("r.git"));
    let why = open(&folder, &remote, quick()).fetch(&["main"]).unwrap_err();
    assert!(matches!(&why, RepositoryError::Refused(why) if why.contains("certificate")), "{why:?}");
    let path = folder.path().join("mirror");
    let mirror = Mirror::open_with(&path, &remote, Some(server.certificate()), quick()).unwrap();
    assert_eq!(mirror.fetch(&["main"]).unwrap()["main"], commit);
}

#[test]
fn a_server_that_hangs_is_left() {
    let (server, _repository, commit) = served("r.git");
    let folder = tempfile::tempdir().unwrap();
    server.hold();
    let whole = Limits { fetch: Duration::from_secs(2), ..quick() };
    let slow = Limits { stalled: Duration::from_secs(2), ..quick() };
    for (limits, says) in [(whole, "within 2 s"), (slow, "sends nothing any more")] {
        let began = Instant::now();
        let why = open(&folder, &remote(server.url("r.git")), limits).fetch(&["main"]).unwrap_err();
        assert!(matches!(&why, RepositoryError::Unavailable(why) if why.contains(says)), "{why:?}");
        assert!(began.elapsed() < Duration::from_secs(60));
    }
    server.let_go();
    let mirror = open(&folder, &remote(server.url("r.git")), quick());
    assert_eq!(mirror.fetch(&["main"]).unwrap()["main"], commit);
}

#[test]
fn what_is_too_large_is_not_kept() {
    let (server, repository, first) = served("r.git");
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { pack: 100_000, ..quick() };
    let mirror = open(&folder, &remote(server.url("r.git")), limits);
    assert_eq!(mirror.fetch(&["main"]).unwrap()["main"], first);
    // Nothing makes these smaller.
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    });
    let noise: Vec<u8> = noise.take(400_000).collect();
    repository.write("noise", &noise);
    let large = repository.commit();
    let why = mirror.fetch(&["main"]).unwrap_err();
    assert!(matches!(&why, RepositoryError::Refused(why) if why.contains("which is the limit")), "{why:?}");
    let why = mirror.tree_of(&large).unwrap_err();
    assert!(matches!(why, RepositoryError::NotFound(_)), "{why:?}");
    let mirror = open(&folder, &remote(server.url("r.git")), quick());
    assert_eq!(mirror.fetch(&["main"]).unwrap()["main"], large);
    assert_eq!(parts(&folder.path().join("mirror/repository.git")), Vec::<String>::new());
}

/// What git had not finished.
fn parts(repository: &Path) -> Vec<String> {
    let names = fs::read_dir(repository.join("objects/pack")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with("pack-") || name.ends_with(".keep")).collect()
}

#[test]
fn what_git_would_never_write_is_not_fetched() {
    let (server, repository, _) = served("r.git");
    let blob = repository.tell(&["hash-object", "-w", "--stdin"], "x");
    for name in [".git", "..", ".GIT", "."] {
        repository.publish_tree(&format!("100644 blob {blob}\t{name}\n"));
        let folder = tempfile::tempdir().unwrap();
        let why = open(&folder, &remote(server.url("r.git")), quick()).fetch(&["main"]).unwrap_err();
        assert!(
            matches!(&why, RepositoryError::Refused(why) if why.contains("holds what git refuses")),
            "{name}: {why:?}"
        );
    }
}

#[test]
fn a_mirror_that_is_broken_is_made_again() {
    let (server, repository, first) = served("r.git");
    let folder = tempfile::tempdir().unwrap();
    let mirror = open(&folder, &remote(server.url("r.git")), quick());
    mirror.fetch(&["main"]).unwrap();
    assert!(!mirror.mend().unwrap(), "it is sound");
    let damage = || {
        for entry in fs::read_dir(folder.path().join("mirror/repository.git/objects/pack")).unwrap() {
            let path = entry.unwrap().path();
            fs::remove_file(&path).unwrap();
            fs::write(&path, "no pack").unwrap();
        }
    };
    damage();
    repository.write("a", "2\n");
    let second = repository.commit();
    assert_eq!(mirror.fetch(&["main"]).unwrap()["main"], second);
    assert_eq!(mirror.file(&first, "a", 10).unwrap().unwrap(), b"1\n");
    // The same when there is nothing new to fetch.
    damage();
    assert_eq!(mirror.fetch(&["main"]).unwrap()["main"], second);
    assert_eq!(mirror.file(&second, "a", 10).unwrap().unwrap(), b"2\n");
    // And for whoever finds out.
    damage();
    let why = mirror.file(&second, "a", 10).unwrap_err();
    assert!(matches!(why, RepositoryError::NotFound(_) | RepositoryError::Broken(_)), "{why:?}");
    assert!(mirror.mend().unwrap());
    mirror.fetch(&["main"]).unwrap();
    assert_eq!(mirror.file(&second, "a", 10).unwrap().unwrap(), b"2\n");
}
