//! A pipeline that failed goes on where it failed, with the files as they are then.

use std::fs;

use serde_json::json;
use titan_testkit::client::{id, run_of, text};

use crate::kit::Kit;

const MANIFEST: &str = "
name: shaky
version: 1.0.0
title: Shaky
description: A build that fails until somebody mends it.
inputs: {type: object, required: [title], properties: {title: {type: string}}}
files:
  - {from: '**'}
steps:
  build:
    - {name: Build, run: [sh, build.sh]}
deploy:
  directory: {from: out}
";

#[tokio::test(flavor = "multi_thread")]
async fn retry_from_a_failed_build_runs_only_build_and_later() {
    let templates = tempfile::tempdir().unwrap();
    let own = templates.path().join("shaky");
    fs::create_dir_all(own.join("files")).unwrap();
    fs::write(own.join("template.yaml"), MANIFEST).unwrap();
    fs::write(own.join("files/build.sh"), "echo this is broken >&2; exit 3\n").unwrap();
    let kit = Kit::with(&[("TEMPLATES_DIR", &templates.path().display().to_string())]);
    let worker = kit.worker();
    let (project, run) = kit.project("shaky", &json!({})).await;

    let failed = kit.ended(&run).await;
    let error = text(&failed["error"]);
    assert!(error.contains("Build ended with exit code 3") && error.contains("this is broken"), "{error}");
    assert_eq!(statuses(&failed), ["completed", "failed", "skipped", "skipped", "skipped"]);
    assert!(kit.items(&format!("/api/projects/{project}/publications")).await.is_empty());

    // What the template has become meanwhile changes nothing: the run's own was kept.
    fs::write(own.join("files/build.sh"), "exit 4\n").unwrap();
    kit.write(&project, "build.sh", "mkdir out && echo mended > out/index.txt\n").await;
    let task = text(&kit.tasks(&project).await[0]["id"]).to_owned();
    let again = kit.client.post(&format!("/api/tasks/{task}/execute"), &json!({})).await.json();
    let again = text(&again["run_id"]).to_owned();
    assert_ne!(again, run);
    let done = kit.completed(&again).await;
    assert_eq!(statuses(&done), ["completed"; 5]);
    let lines = kit.log(&again).await;
    assert!(lines.contains(&"Step scaffold was completed by the run before".to_owned()), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.starts_with("Step scaffold started")), "{lines:#?}");
    let scaffolded = |run: &str| kit.db.text(&format!("SELECT output FROM steps WHERE run_id = '{run}' AND seq = 1"));
    assert!(scaffolded(&run).contains("commit"));
    assert_eq!(scaffolded(&again), scaffolded(&run), "what it came to is taken over");
    let address = text(&kit.items(&format!("/api/projects/{project}/publications")).await[0]["address"]).to_owned();
    assert_eq!(fs::read_to_string(format!("{address}/index.txt")).unwrap(), "mended\n");

    // Once it has ended well, another run begins at the beginning, and keeps what a person wrote.
    let anew = kit.client.post(&format!("/api/tasks/{task}/execute"), &json!({})).await.json();
    let anew = text(&anew["run_id"]).to_owned();
    kit.completed(&anew).await;
    let lines = kit.log(&anew).await;
    assert!(lines.contains(&"build.sh was there already, and is kept as it is".to_owned()), "{lines:#?}");
    assert_eq!(kit.items(&format!("/api/projects/{project}/publications")).await.len(), 2);

    // One at a time; who asks for the same once more hears of the one that there is.
    let path = format!("/api/projects/{project}/pipelines");
    let order = || kit.client.request(reqwest::Method::POST, &path).json(&json!({}));
    let keyed = || order().header("idempotency-key", "once");
    let first = kit.client.send(keyed()).await.expect(201);
    let second = kit.client.send(order()).await;
    assert!(second.status == 409 && second.text.contains(&run_of(&first)), "{}", second.text);
    let replayed = kit.client.send(keyed()).await;
    assert_eq!((replayed.status, id(&replayed.json())), (201, id(&first)), "{}", replayed.text);
    kit.completed(&run_of(&first)).await;
    drop(worker);
}

/// What failed is mended in the files, which were built already: going on with the old build would fail for ever.
#[tokio::test(flavor = "multi_thread")]
async fn retry_of_what_failed_later_begins_at_build_when_the_files_have_changed() {
    let templates = tempfile::tempdir().unwrap();
    let own = templates.path().join("shaky");
    fs::create_dir_all(own.join("files")).unwrap();
    let check = "checks:\n  - {name: Good, file: {path: out/index.txt, contains: good}}\n";
    fs::write(own.join("template.yaml"), format!("{MANIFEST}{check}")).unwrap();
    fs::write(own.join("files/build.sh"), "mkdir out && echo bad > out/index.txt\n").unwrap();
    let kit = Kit::with(&[("TEMPLATES_DIR", &templates.path().display().to_string())]);
    let worker = kit.worker();
    let (project, run) = kit.project("shaky", &json!({})).await;
    let failed = kit.ended(&run).await;
    assert_eq!(statuses(&failed), ["completed", "completed", "completed", "failed", "skipped"], "{failed:#}");

    // Nothing has changed: only what failed is done again.
    let task = text(&kit.tasks(&project).await[0]["id"]).to_owned();
    let again = async || {
        let again = kit.client.post(&format!("/api/tasks/{task}/execute"), &json!({})).await.json();
        text(&again["run_id"]).to_owned()
    };
    let begun = async |run: &str| {
        let lines = kit.log(run).await;
        let begun = |line: &String| Some(line.strip_prefix("Step ")?.split_once(" started")?.0.to_owned());
        lines.iter().filter_map(begun).collect::<Vec<_>>()
    };
    let second = again().await;
    kit.ended(&second).await;
    assert_eq!(begun(&second).await, ["verify"]);

    kit.write(&project, "build.sh", "mkdir out && echo good > out/index.txt\n").await;
    let third = again().await;
    kit.completed(&third).await;
    assert_eq!(begun(&third).await, ["build", "deploy", "verify", "publish"]);
    drop(worker);
}

fn statuses(run: &serde_json::Value) -> Vec<&str> {
    run["steps"].as_array().unwrap().iter().map(|step| text(&step["status"])).collect()
}
