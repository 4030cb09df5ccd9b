//! The target Render against a server that answers as its API reference says.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use secrecy::SecretString;
use titan_ops::target::render::{Access, Settings};
use titan_ops::target::{Deployment, DeploymentState, Order, Release, Render, Side, Target as _, TargetError};
use titan_testkit::render::{API, FakeRender, Fault, HOOK_KEY, KEY, WORKER};

const OLD: &str = "0123456789abcdef0123456789abcdef01234567";
const NEW: &str = "fedcba9876543210fedcba9876543210fedcba98";

fn by_key(fake: &FakeRender, key: &str) -> Render {
    let access = Access::Key {
        key: SecretString::from(key),
        api_url: fake.url(),
        service_api: API.to_owned(),
        service_worker: WORKER.to_owned(),
    };
    Render::new(Settings { access, address: None }).unwrap()
}

fn by_hooks(fake: &FakeRender, key: &str) -> Render {
    let hook = |service| SecretString::from(fake.hook(service).replace(HOOK_KEY, key));
    let access = Access::Hooks { api: hook(API), worker: hook(WORKER) };
    Render::new(Settings { access, address: Some(fake.url()) }).unwrap()
}

fn order(commit: &str) -> Order {
    let release = Release { commit: commit.to_owned(), folder: None };
    Order { side: Side::Canary, release, key: "rollout-1-canary".to_owned(), asked_at: Utc::now() }
}

async fn ended(target: &Render, id: &str) -> Deployment {
    for _ in 0..20 {
        let deployment = target.stand(Side::Canary, id).await.unwrap();
        if deployment.state != DeploymentState::UnderWay {
            return deployment;
        }
    }
    panic!("{id} does not end")
}

fn made(fake: &FakeRender) -> Vec<(String, String)> {
    fake.deploys().into_iter().map(|made| (made.service, made.commit)).collect()
}

fn both(commit: &str) -> Vec<(String, String)> {
    [API, WORKER].map(|service| (service.to_owned(), commit.to_owned())).to_vec()
}

#[tokio::test]
async fn a_commit_is_deployed_to_both_services_and_answers() {
    let fake = FakeRender::start(OLD).unwrap();
    let target = by_key(&fake, KEY);
    assert_eq!(target.running(Side::Production).await.unwrap().commit.as_deref(), Some(OLD));
    let order = order(NEW);
    assert_eq!(target.find(&order).await.unwrap(), None);
    let begun = target.deploy(&order).await.unwrap();
    assert_eq!(begun.state, DeploymentState::UnderWay, "{begun:?}");
    assert_eq!(target.find(&order).await.unwrap().unwrap().id, begun.id);
    let live = ended(&target, &begun.id).await;
    assert_eq!((live.state, live.commit.as_str()), (DeploymentState::Live, NEW), "{live:?}");
    assert_eq!(target.running(Side::Production).await.unwrap().commit.as_deref(), Some(NEW));
    assert_eq!(made(&fake), both(NEW));
    // The same order once more makes none, another one of the same commit does: going back to it is a deploy.
    target.deploy(&order).await.unwrap();
    assert_eq!(made(&fake).len(), 2);
    let later = Order { asked_at: Utc::now() + TimeDelta::minutes(5), ..order };
    assert_eq!(target.find(&later).await.unwrap(), None);
}

#[tokio::test]
async fn a_reply_that_was_lost_is_found_again() {
    for lost in 0..2 {
        let fake = FakeRender::start(OLD).unwrap();
        let target = by_key(&fake, KEY);
        for _ in 0..lost {
            fake.push(Fault::Pass);
        }
        fake.push(Fault::ReplyLost);
        let order = order(NEW);
        let error = target.deploy(&order).await.unwrap_err();
        assert!(matches!(&error, TargetError::Unavailable(why) if !why.contains(KEY)), "{error:?}");
        // Another worker, later: with the first reply lost the second service was not asked yet.
        let found = by_key(&fake, KEY).find(&order).await.unwrap();
        assert_eq!(found.is_some(), lost == 1);
        let deployment = by_key(&fake, KEY).deploy(&order).await.unwrap();
        assert_eq!(ended(&target, &deployment.id).await.state, DeploymentState::Live);
        assert_eq!(made(&fake), both(NEW));
    }
}

#[tokio::test]
async fn queued_deploys_have_no_body_and_are_found() {
    let fake = FakeRender::start(OLD).unwrap();
    fake.push(Fault::Queued);
    let target = by_key(&fake, KEY);
    let deployment = target.deploy(&order(NEW)).await.unwrap();
    assert_eq!(ended(&target, &deployment.id).await.state, DeploymentState::Live);
    assert_eq!(made(&fake), both(NEW));
}

#[tokio::test]
async fn limits_and_trouble_are_told_apart() {
    let fake = FakeRender::start(OLD).unwrap();
    let target = by_key(&fake, KEY);
    for (fault, wanted) in [
        (Fault::RateLimited { retry_after: Some(17) }, Some(17)),
        (Fault::RateLimited { retry_after: None }, Some(45)),
        (Fault::Status(503), None),
        (Fault::Status(500), None),
    ] {
        fake.push(fault.clone());
        match (target.deploy(&order(NEW)).await.unwrap_err(), wanted) {
            (TargetError::RateLimited { after, .. }, Some(seconds)) => assert_eq!(after, Duration::from_secs(seconds)),
            (TargetError::Unavailable(_), None) => {}
            (error, _) => panic!("{fault:?}: {error:?}"),
        }
    }
    assert_eq!(made(&fake), []);
    fake.push(Fault::Status(400));
    let refused = target.deploy(&order(NEW)).await.unwrap_err();
    assert!(matches!(&refused, TargetError::Refused(why) if why.contains("something went wrong")), "{refused:?}");
    let refused = by_key(&fake, "rnd_wrong_key_of_nobody").deploy(&order(NEW)).await.unwrap_err();
    assert!(
        matches!(&refused, TargetError::Refused(why) if why.contains("RENDER_API_KEY") && !why.contains("rnd_")),
        "{refused:?}"
    );
    assert!(matches!(target.deploy(&order("main")).await.unwrap_err(), TargetError::Refused(_)));
}

#[tokio::test]
async fn a_build_that_fails_fails_both() {
    for ends in ["build_failed", "update_failed", "canceled"] {
        let fake = FakeRender::start(OLD).unwrap();
        fake.push(Fault::Pass);
        fake.push(Fault::Ends(ends));
        let target = by_key(&fake, KEY);
        let deployment = target.deploy(&order(NEW)).await.unwrap();
        let failed = ended(&target, &deployment.id).await;
        assert_eq!(failed.state, DeploymentState::Failed, "{failed:?}");
        assert!(failed.reason.unwrap().contains("worker: "));
    }
}

#[tokio::test]
async fn hooks_tell_nothing_and_the_version_endpoint_does() {
    let fake = FakeRender::start(OLD).unwrap();
    let target = by_hooks(&fake, HOOK_KEY);
    let order = order(NEW);
    // An answer that broke off may have been heard: it is not asked again.
    fake.push(Fault::ReplyLost);
    let begun = target.deploy(&order).await.unwrap();
    assert_eq!(begun.state, DeploymentState::UnderWay);
    assert_eq!(target.find(&order).await.unwrap(), None);
    assert_eq!(ended(&target, &begun.id).await.state, DeploymentState::Live);
    assert_eq!(target.find(&order).await.unwrap().unwrap().commit, NEW);
    assert_eq!(made(&fake), both(NEW));
    // A wrong hook is refused by its variable, and not by its address.
    let refused = by_hooks(&fake, "wronghook").deploy(&order).await.unwrap_err();
    assert!(matches!(&refused, TargetError::Refused(why) if why.contains("RENDER_DEPLOY_HOOK_API")), "{refused:?}");
    fake.push(Fault::RateLimited { retry_after: Some(5) });
    let limited = target.deploy(&order).await.unwrap_err();
    for said in [format!("{refused:?}"), format!("{limited:?}"), format!("{target:?}")] {
        assert!(!said.contains(HOOK_KEY) && !said.contains("wronghook") && !said.contains("/deploy/"), "{said}");
    }
}

#[test]
fn wrong_settings_name_the_variable_and_no_secret() {
    let key = || SecretString::from(KEY);
    let url = || "https://api.render.com".parse().unwrap();
    let service = |api: &str, worker: &str| Access::Key {
        key: key(),
        api_url: url(),
        service_api: api.to_owned(),
        service_worker: worker.to_owned(),
    };
    let hooks = |api: &str| Access::Hooks { api: SecretString::from(api), worker: SecretString::from("https://x/y") };
    for (access, variable) in [
        (service("my-api", "srv-1"), "RENDER_SERVICE_API"),
        (service("srv-1", "../1"), "RENDER_SERVICE_WORKER"),
        (hooks("not-an-address-but-secret"), "RENDER_DEPLOY_HOOK_API"),
        (hooks("https://api.render.com/deploy/srv-1?key=secret"), "address of production"),
    ] {
        let why = Render::new(Settings { access, address: None }).unwrap_err();
        assert!(why.contains(variable) && !why.contains("secret"), "{why}");
    }
}
