//! The local target: real supervisors, real processes, killed at every turn.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use titan_ops::target::local::Role;
use titan_ops::target::{DeploymentState, Side, Target as _, TargetError};

use crate::local_site::{NEW, OLD, SECRET, Site, is_there, kill};

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_release_runs_with_the_environment_that_was_given_and_no_other() {
    let site = Site::new(None);
    let order = site.order(Side::Production, OLD, "good", "first");
    assert_eq!(site.target.find(&order).await.unwrap(), None);
    assert_eq!(site.target.running(Side::Production).await.unwrap().commit, None);
    site.target.deploy(&order).await.unwrap();
    let live = site.ended(Side::Production, "first").await;
    assert_eq!((live.state, live.commit.as_str()), (DeploymentState::Live, OLD), "{live:?}");
    let running = site.target.running(Side::Production).await.unwrap();
    assert!(running.ready && running.commit.as_deref() == Some(OLD), "{running:?}");
    let address = site.target.address(Side::Production).unwrap();
    let about: serde_json::Value = reqwest::get(format!("{address}/api/health")).await.unwrap().json().await.unwrap();
    // Python on its own adds LC_CTYPE.
    let names: Vec<&str> = about["variables"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str())
        .filter(|name| *name != "LC_CTYPE")
        .collect();
    assert_eq!(
        names,
        [
            "DATABASE_URL",
            "PATH",
            "TITAN_BIND",
            "TITAN_COMMIT",
            "TITAN_SUPERVISED_DEPLOYMENT",
            "TITAN_SUPERVISED_FOLDER",
            "TITAN_SUPERVISED_ROLE"
        ]
    );
    // What a daemon looks for beside itself is there, and what the build did not leave is not missed.
    let release = site.path().join("target/releases").join(OLD);
    assert!(release.join("titan-stage").is_file() && !release.join("titan-supervise").exists());
    // The same order again makes nothing new.
    let before = site.state(Side::Production).daemons;
    site.target.deploy(&order).await.unwrap();
    assert_eq!(site.target.find(&order).await.unwrap().unwrap().state, DeploymentState::Live);
    assert_eq!(site.state(Side::Production).daemons, before);
    // What it wrote down is nobody else's to read.
    for file in ["wanted.json", "serving.json", "state.json"] {
        let about = fs::metadata(site.target.folder(Side::Production).path().join(file)).unwrap();
        assert_eq!(about.permissions().mode() & 0o077, 0, "{file}");
    }
    assert!(
        !fs::read_to_string(site.target.folder(Side::Production).path().join("state.json")).unwrap().contains(SECRET)
    );
    assert!(!site.log(Side::Production).contains(SECRET));
}

#[tokio::test]
async fn with_a_free_port_the_new_one_is_ready_before_the_old_one_stops() {
    let site = Site::new(None);
    site.deploy(Side::Production, OLD, "good", "first").await;
    let old = site.daemon(Side::Production, Role::Api);
    let (address, pid) = (old.address.unwrap(), old.pid.unwrap());
    site.target.deploy(&site.order(Side::Production, NEW, "good", "second")).await.unwrap();
    // At every moment one of them answers.
    loop {
        let now = site.target.address(Side::Production).unwrap();
        let old = reqwest::get(format!("{address}/readyz")).await;
        let new = reqwest::get(format!("{now}/readyz")).await;
        if old.is_err() && new.is_err() {
            // It was replaced since the address was read.
            let now = site.target.address(Side::Production).unwrap();
            reqwest::get(format!("{now}/readyz")).await.unwrap();
        }
        let state = site.target.stand(Side::Production, "second").await.unwrap();
        assert_ne!(state.state, DeploymentState::Failed, "{state:?}");
        if state.state == DeploymentState::Live {
            break;
        }
    }
    assert!(!is_there(pid));
    assert_eq!(site.target.running(Side::Production).await.unwrap().commit.as_deref(), Some(NEW));
    // Both are remembered, and the programs of the old one are kept: going back needs no build.
    assert_eq!(site.target.stand(Side::Production, "first").await.unwrap().commit, OLD);
    let mut back = site.order(Side::Production, OLD, "good", "back");
    back.release.folder = None;
    site.target.deploy(&back).await.unwrap();
    assert_eq!(site.ended(Side::Production, "back").await.state, DeploymentState::Live);
    assert_eq!(site.target.running(Side::Production).await.unwrap().commit.as_deref(), Some(OLD));
}

#[tokio::test]
async fn with_a_fixed_port_the_new_one_takes_it_over() {
    let port = free_port();
    let site = Site::new(Some(port));
    for (commit, key) in [(OLD, "first"), (NEW, "second")] {
        let live = site.deploy(Side::Production, commit, "good", key).await;
        assert_eq!(live.state, DeploymentState::Live, "{live:?}");
        assert_eq!(site.target.address(Side::Production).unwrap(), format!("http://{port}"));
        assert_eq!(site.target.running(Side::Production).await.unwrap().commit.as_deref(), Some(commit));
    }
}

#[tokio::test]
async fn a_release_that_never_becomes_ready_fails_and_the_old_one_serves() {
    for port in [None, Some(free_port())] {
        let site = Site::with(port, Duration::from_secs(4));
        site.deploy(Side::Production, OLD, "good", "first").await;
        for (behaviour, why) in [("never-ready", "was not ready within 4s"), ("exits", "cannot start: no table")] {
            let failed = site.deploy(Side::Production, NEW, behaviour, behaviour).await;
            assert_eq!(failed.state, DeploymentState::Failed, "{failed:?}");
            let reason = failed.reason.unwrap();
            assert!(reason.contains(why), "{reason}");
            assert!(!reason.contains(SECRET), "{reason}");
            site.until(Side::Production, "old API", |state| {
                state.daemons.len() == 2 && state.daemons.iter().all(|daemon| daemon.ready && daemon.commit == OLD)
            })
            .await;
            assert_eq!(site.target.running(Side::Production).await.unwrap().commit.as_deref(), Some(OLD));
            // The release is one of another commit next time.
            fs::remove_dir_all(site.path().join("target/releases").join(NEW)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_port_that_somebody_else_has_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = Site::new(Some(taken.local_addr().unwrap()));
    let failed = site.deploy(Side::Production, OLD, "good", "first").await;
    assert_eq!(failed.state, DeploymentState::Failed);
    assert!(failed.reason.as_ref().is_some_and(|why| why.contains("cannot listen on")), "{failed:?}");
}

#[tokio::test]
async fn daemons_that_are_killed_are_begun_again() {
    let site = Site::new(None);
    site.deploy(Side::Production, OLD, "good", "first").await;
    for role in [Role::Api, Role::Worker] {
        let pid = site.daemon(Side::Production, role).pid.unwrap();
        kill(pid, "KILL");
        let state = site
            .until(Side::Production, "new process", |state| {
                state
                    .daemons
                    .iter()
                    .any(|daemon| daemon.role == role && daemon.ready && daemon.pid.is_some_and(|now| now != pid))
            })
            .await;
        let daemon = state.daemons.into_iter().find(|daemon| daemon.role == role).unwrap();
        assert_eq!(daemon.restarts, 1);
        let why = daemon.last_error.unwrap();
        assert!(why.contains("signal: 9") && !why.contains(SECRET), "{why}");
    }
    assert_eq!(site.target.running(Side::Production).await.unwrap().commit.as_deref(), Some(OLD));
}

#[tokio::test]
async fn a_supervisor_that_is_killed_leaves_its_daemons_to_the_next_one() {
    let site = Site::new(None);
    site.deploy(Side::Production, OLD, "good", "first").await;
    let before = site.state(Side::Production);
    kill(before.supervisor, "KILL");
    while is_there(before.supervisor) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Nobody watches, and all is well.
    assert!(before.daemons.iter().all(|daemon| is_there(daemon.pid.unwrap())));
    // Who only wants to know starts nothing.
    let seen = site.target.glance(Side::Production).await.unwrap();
    assert_eq!((seen.commit.as_deref(), seen.ready), (Some(OLD), true), "{seen:?}");
    assert!(site.target.folder(Side::Production).lock().unwrap().is_some(), "a supervisor was started");
    assert_eq!(site.target.running(Side::Production).await.unwrap().commit.as_deref(), Some(OLD));
    let after = site
        .until(Side::Production, "new supervisor", |state| {
            state.supervisor != before.supervisor
                && state.daemons.len() == 2
                && state.daemons.iter().all(|daemon| daemon.ready)
        })
        .await;
    let pids =
        |state: &titan_ops::target::local::State| state.daemons.iter().map(|daemon| daemon.pid).collect::<Vec<_>>();
    assert_eq!(pids(&after), pids(&before));
    // One that was taken over is watched all the same.
    kill(after.daemons[0].pid.unwrap(), "KILL");
    site.until(Side::Production, "new process", |state| {
        state.daemons.iter().all(|daemon| daemon.ready) && pids(state) != pids(&after)
    })
    .await;
    // And replaced.
    let live = site.deploy(Side::Production, NEW, "good", "second").await;
    assert_eq!(live.state, DeploymentState::Live);
    assert!(after.daemons.iter().all(|daemon| !is_there(daemon.pid.unwrap())));
}

#[tokio::test]
async fn a_supervisor_that_is_killed_in_the_middle_of_a_deployment_goes_on_with_it() {
    let site = Site::new(Some(free_port()));
    site.deploy(Side::Production, OLD, "good", "first").await;
    let order = site.order(Side::Production, NEW, "good", "second");
    for round in 0..6_u64 {
        site.target.deploy(&order).await.unwrap();
        tokio::time::sleep(Duration::from_millis(round * 150)).await;
        kill(site.state(Side::Production).supervisor, "KILL");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let found = site.target.find(&order).await.unwrap().unwrap();
    assert_ne!(found.state, DeploymentState::Failed, "{found:?}");
    assert_eq!(site.ended(Side::Production, "second").await.state, DeploymentState::Live);
    site.until(Side::Production, "new daemons alone", |state| {
        state.daemons.iter().all(|daemon| daemon.commit == NEW && daemon.ready)
    })
    .await;
    assert_eq!(site.target.running(Side::Production).await.unwrap().commit.as_deref(), Some(NEW));
    assert_eq!(daemons_of(&site).len(), 2);
}

#[tokio::test]
async fn a_worker_that_was_killed_after_asking_finds_out() {
    let site = Site::new(None);
    let order = site.order(Side::Production, OLD, "good", "first");
    // Only what it wrote down is there: it was killed before it started a supervisor.
    site.target.deploy(&order).await.unwrap();
    let state = site.until(Side::Production, "supervisor", |state| state.supervisor != 0).await;
    kill(state.supervisor, "KILL");
    let found = site.target.find(&order).await.unwrap().unwrap();
    assert_eq!(found.commit, OLD);
    assert_eq!(site.ended(Side::Production, "first").await.state, DeploymentState::Live);
    assert_eq!(daemons_of(&site).len(), 2);
}

#[tokio::test]
async fn the_canary_runs_beside_production_and_goes_without_a_trace() {
    let site = Site::new(None);
    site.deploy(Side::Production, OLD, "good", "first").await;
    for (round, behaviour) in ["good", "stubborn", "good"].into_iter().enumerate() {
        let key = format!("canary-{round}");
        let _ = fs::remove_dir_all(site.path().join("target/releases").join(NEW));
        let live = site.deploy(Side::Canary, NEW, behaviour, &key).await;
        assert_eq!(live.state, DeploymentState::Live, "{live:?}");
        for (side, commit) in [(Side::Production, OLD), (Side::Canary, NEW)] {
            assert_eq!(site.target.running(side).await.unwrap().commit.as_deref(), Some(commit));
            assert_eq!(site.target.died(side).await.unwrap(), None);
        }
        if round == 0 {
            // One whose worker dies is none that does well, whatever its API says.
            let worker = site.daemon(Side::Canary, Role::Worker).pid.unwrap();
            kill(worker, "KILL");
            site.until(Side::Canary, "new worker", |state| {
                state.daemons.iter().all(|daemon| daemon.pid.is_some_and(|pid| pid != worker) && daemon.ready)
            })
            .await;
            let running = site.target.running(Side::Canary).await.unwrap();
            assert!(running.ready && running.commit.as_deref() == Some(NEW), "{running:?}");
            let why = site.target.died(Side::Canary).await.unwrap().unwrap();
            assert!(why.starts_with("titan-worker has died: ") && why.contains("signal: 9"), "{why}");
        }
        let state = site.state(Side::Canary);
        if round == 2 {
            kill(state.supervisor, "KILL");
        }
        for _ in 0..2 {
            site.target.end_canary().await.unwrap();
        }
        assert!(
            state.daemons.iter().all(|daemon| !is_there(daemon.pid.unwrap())),
            "{state:?}\n{}",
            site.log(Side::Canary)
        );
        let running = site.target.running(Side::Canary).await.unwrap();
        assert_eq!(running.reason.as_deref(), Some("nothing is deployed to canary"));
    }
    assert_eq!(site.target.running(Side::Production).await.unwrap().commit.as_deref(), Some(OLD));
}

#[tokio::test]
async fn bad_orders_are_refused() {
    let site = Site::new(None);
    let good = site.order(Side::Production, OLD, "good", "first");
    let refused = async |change: &dyn Fn(&mut titan_ops::target::Order)| {
        let mut order = good.clone();
        change(&mut order);
        match site.target.deploy(&order).await {
            Err(TargetError::Refused(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    assert!(refused(&|order| order.release.commit = "../../etc".to_owned()).await.contains("hexadecimal"));
    assert!(refused(&|order| order.key = "a/b".to_owned()).await.contains("a-z, 0-9"));
    assert!(refused(&|order| order.release.folder = None).await.contains("built again"));
    assert!(refused(&|order| order.release.folder = Some("/nowhere".into())).await.contains("titan-worker"));
    assert!(matches!(site.target.stand(Side::Canary, "none").await, Err(TargetError::Refused(_))));
}

/// The processes that carry the mark of this site's production.
fn daemons_of(site: &Site) -> Vec<String> {
    let folder = format!("TITAN_SUPERVISED_FOLDER={}", site.target.folder(Side::Production).path().display());
    let pids = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    pids.filter(|pid| {
        fs::read(format!("/proc/{pid}/environ")).is_ok_and(|text| String::from_utf8_lossy(&text).contains(&folder))
    })
    .collect()
}
