//! Processes that are killed, and processes that are at the same mirror at once.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use titan_ops::forge::Remote;
use titan_ops::repository::{Limits, Mirror, RepositoryError};
use titan_testkit::git_server::{GitServer, Repository};
use titan_testkit::wait::until_blocking;

/// Where the process of its own finds what to do. Nothing else reads them.
const MIRROR: &str = "TEST_OF_THE_MIRROR_FOLDER";
const URL: &str = "TEST_OF_THE_MIRROR_URL";

fn served() -> (GitServer, Repository, String) {
    let server = GitServer::plain();
    let repository = server.repository("r.git");
    repository.write("a", "1\n");
    let commit = repository.commit();
    (server, repository, commit)
}

fn open(folder: &Path, url: String, lock: Duration) -> Mirror {
    let limits = Limits { lock, ..Limits::default() };
    Mirror::open_with(folder, &Remote { url, header: None }, None, limits).unwrap()
}

fn patient(folder: &TempDir, server: &GitServer) -> Mirror {
    open(&folder.path().join("mirror"), server.url("r.git"), Duration::from_secs(60))
}

/// Fetches, when another test starts it so: that one is to be killed.
#[test]
#[ignore = "a process of another test"]
fn a_process_of_its_own() {
    let (Some(folder), Some(url)) = (std::env::var_os(MIRROR), std::env::var(URL).ok()) else { return };
    open(Path::new(&folder), url, Duration::from_secs(60)).fetch(&["main"]).unwrap();
}

fn fetching(folder: &TempDir, server: &GitServer) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "repository::killed::a_process_of_its_own", "--ignored"])
        .env(MIRROR, folder.path().join("mirror"))
        .env(URL, server.url("r.git"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The git that fetches into a mirror, once the server holds back what it wants.
fn git_at(folder: &TempDir, server: &GitServer) -> Pid {
    let is_asked = || server.requests().iter().any(|line| line.starts_with("POST")).then_some(());
    until_blocking("a fetch to be held", is_asked);
    let repository = folder.path().join("mirror/repository.git").canonicalize().unwrap();
    until_blocking("git to fetch", || gits(&repository).first().copied())
}

fn gits(repository: &Path) -> Vec<Pid> {
    let name = repository.to_str().unwrap();
    let is_meant = |said: &str| {
        let words: Vec<&str> = said.split('\0').collect();
        words.first() == Some(&"git") && words.contains(&name) && words.contains(&"fetch")
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let said = fs::read(entry.path().join("cmdline")).ok()?;
        is_meant(&String::from_utf8_lossy(&said)).then(|| Pid::from_raw(pid))?
    })
    .collect()
}

#[test]
fn git_is_killed_in_the_middle() {
    let (server, _repository, commit) = served();
    let folder = tempfile::tempdir().unwrap();
    let mirror = patient(&folder, &server);
    for _ in 0..3 {
        server.hold();
        let fetch = std::thread::spawn({
            let mirror = mirror.clone();
            move || mirror.fetch(&["main"])
        });
        kill_process(git_at(&folder, &server), Signal::KILL).unwrap();
        let why = fetch.join().unwrap().unwrap_err();
        assert!(matches!(why, RepositoryError::Broken(_) | RepositoryError::Unavailable(_)), "{why:?}");
        server.let_go();
    }
    assert_eq!(mirror.fetch(&["main"]).unwrap()["main"], commit);
}

/// Its git lives on and works in the repository: so it is not free before that one has ended too.
#[test]
fn the_process_is_killed_and_its_git_lives_on() {
    let (server, _repository, commit) = served();
    let folder = tempfile::tempdir().unwrap();
    server.hold();
    let mut process = fetching(&folder, &server);
    let git = git_at(&folder, &server);
    process.kill().unwrap();
    process.wait().unwrap();
    let hasty = open(&folder.path().join("mirror"), server.url("r.git"), Duration::from_millis(200));
    let why = hasty.fetch(&["main"]).unwrap_err();
    assert!(matches!(&why, RepositoryError::Unavailable(why) if why.contains("in use")), "{why:?}");
    assert!(fs::exists(format!("/proc/{}", git.as_raw_nonzero())).unwrap());
    server.let_go();
    assert_eq!(patient(&folder, &server).fetch(&["main"]).unwrap()["main"], commit);
}

#[test]
fn both_are_killed_and_leave_their_locks() {
    let (server, repository, first) = served();
    let folder = tempfile::tempdir().unwrap();
    let mirror = patient(&folder, &server);
    assert_eq!(mirror.fetch(&["main"]).unwrap()["main"], first);
    repository.write("a", "2\n");
    let second = repository.commit();
    let bare = folder.path().join("mirror/repository.git");
    let kept = fs::read_dir(bare.join("refs/branches")).unwrap().next().unwrap().unwrap().path();
    let stale = [
        kept.with_extension("lock"),
        bare.join("HEAD.lock"),
        bare.join("packed-refs.lock"),
        bare.join("config.lock"),
        bare.join("shallow.lock"),
        bare.join("objects/pack/tmp_pack_abc123"),
        bare.join("objects/pack/pack-0.keep"),
    ];
    stale.iter().for_each(|path| fs::write(path, "").unwrap());
    assert_eq!(mirror.fetch(&["main"]).unwrap()["main"], second);
    stale.iter().for_each(|path| assert!(!path.exists(), "{}", path.display()));
}

#[test]
fn a_process_that_is_killed_while_it_makes_the_mirror() {
    let (server, _repository, commit) = served();
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("mirror/repository.git");
    fs::create_dir_all(bare.join("refs")).unwrap();
    fs::write(bare.join("config.lock"), "").unwrap();
    fs::write(bare.join("HEAD.lock"), "").unwrap();
    assert_eq!(patient(&folder, &server).fetch(&["main"]).unwrap()["main"], commit);
}

#[test]
fn many_fetch_at_once() {
    let (server, repository, _) = served();
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        repository.write("a", format!("{round}\n"));
        let commit = repository.commit();
        let mut others: Vec<Child> = (0..2).map(|_| fetching(&folder, &server)).collect();
        std::thread::scope(|scope| {
            let fetches: Vec<_> =
                (0..4).map(|_| scope.spawn(|| patient(&folder, &server).fetch(&["main"]).unwrap())).collect();
            for fetch in fetches {
                assert_eq!(fetch.join().unwrap()["main"], commit);
            }
        });
        for other in &mut others {
            assert!(other.wait().unwrap().success());
        }
    }
}

#[test]
fn what_nobody_holds_any_more_is_cleared() {
    let (server, repository, _) = served();
    let folder = tempfile::tempdir().unwrap();
    let mirror = patient(&folder, &server);
    let alive = mirror.scratch().unwrap();
    fs::write(alive.path().join("x"), "x").unwrap();
    let dead = folder.path().join("mirror/scratch/dead");
    let young = folder.path().join("mirror/scratch/young");
    for path in [&dead, &young] {
        fs::create_dir_all(path.join("files")).unwrap();
        fs::write(path.join("files/index"), "x").unwrap();
        fs::write(path.join("held"), "").unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    let age = |path: &Path| fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
    age(&dead);
    age(alive.path().parent().unwrap());
    mirror.clear_old().unwrap();
    assert!(!dead.exists());
    assert!(young.exists(), "it may be about to be held");
    assert!(alive.path().join("x").exists());
    let path = alive.path().to_owned();
    drop(alive);
    assert!(!path.exists());
    // And many packs become one.
    let packs = || {
        let names = fs::read_dir(folder.path().join("mirror/repository.git/objects/pack")).unwrap();
        names.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "pack")).count()
    };
    let mut last = String::new();
    for round in 0..31 {
        repository.write("a", format!("{round}\n"));
        last = repository.commit();
        mirror.fetch(&["main"]).unwrap();
    }
    assert_eq!(packs(), 31);
    let tree = mirror.tree_of(&last).unwrap();
    let loose = mirror.commit_of_tree(&tree, &[&last], "On nothing's way", chrono::DateTime::UNIX_EPOCH).unwrap();
    mirror.clear_old().unwrap();
    assert_eq!(packs(), 1);
    assert_eq!(mirror.file(&last, "a", 10).unwrap().unwrap(), b"30\n");
    assert_eq!(mirror.tree_of(&loose).unwrap(), tree, "what was made here is kept for a while");
}
