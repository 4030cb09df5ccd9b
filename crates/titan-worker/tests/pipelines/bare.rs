//! A machine without bubblewrap: commands and builds run behind Landlock, and what needs more says so.

use std::fs;

use serde_json::{Value, json};
use titan_testkit::client::{id, run_of, text};
use titan_testkit::machine::Machine;
use url::Url;

use crate::kit::Kit;

const MANIFEST: &str = "
name: own
version: 1.0.0
title: Own
description: A template of this test.
inputs: {type: object, required: [title], properties: {title: {type: string}}}
files:
  - {from: '**'}
steps:
  build:
    - {name: Build, run: 'mkdir out && id -u > out/user && cp page.txt out/'}
  verify:
    - {name: Test, run: 'grep -q tea page.txt'}
checks:
  - {name: There, file: {path: out/page.txt, contains: tea}}
deploy:
  directory: {from: out}
  preview: {run: 'exec python3 -m http.server --bind 127.0.0.1 \"$PORT\"', health: /}
";

#[tokio::test(flavor = "multi_thread")]
async fn landlock_alone_is_enough_for_what_needs_no_network() {
    if !Machine::possible() {
        eprintln!("not tried: only root can make machines of namespaces");
        return;
    }
    let templates = tempfile::tempdir().unwrap();
    let own = templates.path().join("own");
    fs::create_dir_all(own.join("files")).unwrap();
    fs::write(own.join("template.yaml"), MANIFEST).unwrap();
    fs::write(own.join("files/page.txt"), "green tea\n").unwrap();
    let kit = Kit::with(&[("TEMPLATES_DIR", &templates.path().display().to_string())]);
    let disk = tempfile::tempdir().unwrap();
    let machine = Machine::with_disk_at(disk.path());
    machine.lead_out(Url::parse(&titan_testkit::db::server_url()).unwrap().port().unwrap_or(5432));
    let _ = machine.shell(
        "for place in /usr/bin/bwrap /usr/local/bin/bwrap; do [ ! -e $place ] || mount --bind /dev/null $place; done",
    );
    let mut env = kit.env.clone();
    env.push(("TITAN_DATA_DIR".to_owned(), disk.path().display().to_string()));
    let worker = machine.start_copy("titan-worker", &["titan-stage"], &env);
    worker.wait_for_line("titan-worker ready");
    let health = kit.client.get("/api/worker/health").await.expect(200);
    assert_eq!(health["workers"][0]["sandbox"], json!("landlock"), "{health:#}");

    let body = json!({"name": "Tea", "template_ref": "own", "target": "directory"});
    let project = id(&kit.client.post("/api/projects", &body).await.expect(201));
    kit.completed(&run_of(&kit.tasks(&project).await[0])).await;
    let address = text(&kit.items(&format!("/api/projects/{project}/publications")).await[0]["address"]).to_owned();
    assert_eq!(machine.shell(&format!("cat {address}/page.txt")), "green tea\n");
    assert_ne!(machine.shell(&format!("cat {address}/user")), "0\n", "nothing runs as root");

    let exec = async |payload: Value| {
        let task = json!({"type": "exec", "payload": payload});
        run_of(&kit.client.post(&format!("/api/projects/{project}/tasks"), &task).await.expect(201))
    };
    let run = exec(json!({"command": "sed -i s/green/black/ page.txt; cat /etc/shadow"})).await;
    let refused = kit.ended(&run).await;
    assert!(text(&refused["error"]).contains("Permission denied"), "{refused:#}");
    let run = exec(json!({"command": "sed -i s/green/black/ page.txt"})).await;
    kit.completed(&run).await;
    let made = kit.items(&format!("/api/runs/{run}/artifacts")).await;
    let changes = made.iter().find(|output| text(&output["kind"]) == "code").unwrap();
    kit.client.post(&format!("/api/outputs/{}/approve", id(changes)), &json!({})).await.expect(200);
    assert_eq!(kit.read(&project, "page.txt").await, "black tea\n");

    let run = exec(json!({"command": "true", "network": "registries"})).await;
    let refused = kit.ended(&run).await;
    assert!(text(&refused["error"]).contains("a network needs bubblewrap"), "{refused:#}");
    let again = json!({"target": "preview"});
    let again = run_of(&kit.client.post(&format!("/api/projects/{project}/pipelines"), &again).await.expect(201));
    let refused = kit.ended(&again).await;
    let error = text(&refused["error"]);
    assert!(error.contains("preview does not come up") && error.contains("needs bubblewrap"), "{refused:#}");
}
