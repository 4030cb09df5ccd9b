//! Tasks of the type `exec`: a command on a project's files, behind walls, whose changes wait for a person.

use std::fs;

use serde_json::{Value, json};
use titan_testkit::client::{id, run_of, text};

use crate::kit::{Kit, is_clear};

const CANARY: &str = "canary-2c9f4be1";

async fn exec(kit: &Kit, project: &str, payload: Value) -> String {
    let body = json!({"type": "exec", "payload": payload});
    run_of(&kit.client.post(&format!("/api/projects/{project}/tasks"), &body).await.expect(201))
}

async fn outputs(kit: &Kit, run: &str) -> Vec<Value> {
    kit.items(&format!("/api/runs/{run}/artifacts")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_changed_waits_for_a_person_and_is_merged_once() {
    let kit = Kit::new();
    let worker = kit.worker();
    let project = kit.client.project("Shop").await;
    kit.write(&project, "a.txt", "one\n").await;
    kit.write(&project, "b.txt", "two\n").await;
    let run =
        exec(&kit, &project, json!({"command": "cat a.txt; echo more >> a.txt; rm b.txt; echo new > c.txt"})).await;
    kit.completed(&run).await;
    assert!(kit.log(&run).await.contains(&"one".to_owned()));
    assert_eq!(kit.read(&project, "a.txt").await, "one\n", "nothing is merged without a yes");
    let made = outputs(&kit, &run).await;
    let changes = made.iter().find(|output| text(&output["name"]) == "Changes").expect("the changes");
    assert!(text(&changes["preview"]).contains("+more"));

    let approve = format!("/api/outputs/{}/approve", id(changes));
    let long = kit.client.post(&approve, &json!({"comment": "c".repeat(4001)})).await;
    assert_eq!((long.status, long.json()["errors"][0]["field"].as_str()), (422, Some("comment")));
    assert_eq!(kit.read(&project, "a.txt").await, "one\n", "what cannot be decided merges nothing");
    kit.client.post(&approve, &json!({})).await.expect(200);
    kit.client.post(&approve, &json!({})).await.expect(200);
    assert_eq!(kit.read(&project, "a.txt").await, "one\nmore\n");
    assert_eq!(kit.read(&project, "c.txt").await, "new\n");
    assert_eq!(kit.client.get(&format!("/api/projects/{project}/files/b.txt")).await.status, 404);
    assert_eq!(kit.items(&format!("/api/projects/{project}/git/log")).await.len(), 3);
    assert!(is_clear(&kit.folder("work/exec")), "no folder is left");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_any_more_is_told_and_nothing_is_decided() {
    let kit = Kit::new();
    let worker = kit.worker();
    let project = kit.client.project("Shop").await;
    kit.write(&project, "a.txt", "one\n").await;
    let run = exec(&kit, &project, json!({"command": "echo theirs > a.txt"})).await;
    kit.completed(&run).await;
    kit.write(&project, "a.txt", "mine\n").await;
    let changes = outputs(&kit, &run).await.into_iter().find(|made| text(&made["kind"]) == "code").unwrap();
    let refused = kit.client.post(&format!("/api/outputs/{}/approve", id(&changes)), &json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "merge_conflict"));
    assert_eq!(refused.json()["errors"][0]["field"], "a.txt");
    let now = kit.client.get(&format!("/api/outputs/{}", id(&changes))).await.expect(200);
    assert_eq!((text(&now["review"]), kit.read(&project, "a.txt").await.as_str()), ("pending", "mine\n"));
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rejected_is_not_merged_with_the_rest_of_the_run() {
    let kit = Kit::new();
    let worker = kit.worker();
    let project = kit.client.project("Shop").await;
    kit.write(&project, "a.txt", "one\n").await;
    let unmerged = async || kit.client.get(&format!("/api/projects/{project}/git/status")).await.expect(200);
    for (first, second, status) in [("Changes", "Result", 200), ("Result", "Changes", 409)] {
        let run = exec(&kit, &project, json!({"command": "echo theirs > a.txt"})).await;
        kit.completed(&run).await;
        assert_eq!(unmerged().await["unmerged_runs"], json!([run]));
        let made = outputs(&kit, &run).await;
        let called = |name: &str| id(made.iter().find(|output| text(&output["name"]) == name).expect(name));
        kit.client.post(&format!("/api/outputs/{}/reject", called(first)), &json!({})).await.expect(200);
        let decided = kit.client.post(&format!("/api/outputs/{}/approve", called(second)), &json!({})).await;
        assert_eq!(decided.status, status, "{}", decided.text);
        assert_eq!(kit.read(&project, "a.txt").await, "one\n");
        assert_eq!(unmerged().await["unmerged_runs"], json!([]));
    }
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_sees_no_secret_and_nobody_else() {
    let kit = Kit::new();
    let worker =
        kit.worker_with(&[("OPENAI_API_KEY", CANARY), ("OPENAI_BASE_URL", "http://127.0.0.1:9"), ("OTHER", CANARY)]);
    let project = kit.client.project("Shop").await;
    let look = "env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; ls -a / /root /home /tmp 2>&1; \
                cat /root/.cargo/credentials.toml 2>&1; (exec 3<>/dev/tcp/127.0.0.1/9) 2>&1; echo looked";
    let run = exec(&kit, &project, json!({"command": ["bash", "-c", look]})).await;
    kit.completed(&run).await;
    let said = kit.log(&run).await.join("\n");
    assert!(said.contains("looked"), "{said}");
    for hidden in [CANARY, "DATABASE_URL", &kit.db.name] {
        assert!(!said.contains(hidden), "{hidden} in {said}");
    }
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_said_and_leaves_nothing() {
    let kit = Kit::new();
    let worker = kit.worker();
    let project = kit.client.project("Shop").await;
    for (payload, says) in [
        (json!({"command": "echo it is broken >&2; exit 7"}), "exit code 7"),
        (json!({"command": "echo it is broken >&2; exit 7"}), "it is broken"),
        (json!({"command": ["no-such-program"]}), "no-such-program"),
        (json!({"command": "sleep 60", "timeout_seconds": 1}), "it took longer than 1 s"),
        (json!({"command": "kill -SEGV $$"}), "signal 11"),
    ] {
        let run = exec(&kit, &project, payload.clone()).await;
        let ended = kit.ended(&run).await;
        assert_eq!(text(&ended["status"]), "failed", "{payload}");
        assert!(text(&ended["error"]).contains(says), "{payload}: {}", ended["error"]);
    }
    let refused = json!({"type": "exec", "payload": {"command": []}});
    let refused = kit.client.post(&format!("/api/projects/{project}/tasks"), &refused).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["field"].as_str()), (422, Some("payload.command")));
    assert!(is_clear(&kit.folder("work/exec")), "no folder is left");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_all_of_its_processes() {
    let kit = Kit::new();
    let worker = kit.worker();
    let project = kit.client.project("Shop").await;
    // A number that nothing else sleeps for.
    let run = exec(&kit, &project, json!({"command": "setsid sleep 86399 & echo begun; sleep 86399"})).await;
    kit.until("the command to run", async || kit.log(&run).await.contains(&"begun".to_owned()).then_some(())).await;
    assert!(sleeping() > 0);
    kit.client.post(&format!("/api/runs/{run}/cancel"), &json!({})).await;
    let ended = kit.ended(&run).await;
    assert_eq!(text(&ended["status"]), "canceled");
    kit.until("its processes to end", async || (sleeping() == 0).then_some(())).await;
    drop(worker);
}

/// Processes of this machine that sleep for that long.
fn sleeping() -> usize {
    let sleeps = |line: Vec<u8>| line.split(|byte| *byte == 0).eq([b"sleep".as_slice(), b"86399", b""]);
    let lines =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| sleeps(line.clone())).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_walls_nothing_runs() {
    let kit = Kit::new();
    // Without its stage beside it a worker can build no walls.
    let alone = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let folder = program.ancestors().find(|folder| folder.join("titan-worker").is_file()).expect("the built worker");
    fs::copy(folder.join("titan-worker"), alone.path().join("titan-worker")).unwrap();
    let worker = kit.worker_at(&alone.path().join("titan-worker"));
    let project = kit.client.project("Shop").await;
    let run = exec(&kit, &project, json!({"command": "echo ran"})).await;
    let ended = kit.ended(&run).await;
    assert!(text(&ended["error"]).contains("no command is run without walls"), "{}", ended["error"]);
    assert!(!kit.log(&run).await.contains(&"ran".to_owned()));
    let health = kit.client.get("/api/worker/health").await.expect(200);
    assert!(text(&health["workers"][0]["sandbox"]).contains("titan-stage"), "{health}");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_and_a_deleted_project_left_is_cleared_away() {
    let kit = Kit::new();
    let mut killed = kit.worker();
    let project = kit.client.project("Shop").await;
    let other = kit.client.project("Other").await;
    kit.write(&project, "a.txt", "one\n").await;
    kit.write(&other, "a.txt", "one\n").await;
    let run = exec(&kit, &project, json!({"command": "echo begun; sleep 300"})).await;
    kit.until("the command to run", async || kit.log(&run).await.contains(&"begun".to_owned()).then_some(())).await;
    killed.kill();
    assert!(!is_clear(&kit.folder("work/exec")), "this is what is cleared away");
    kit.client.post(&format!("/api/runs/{run}/cancel"), &json!({})).await;
    let next = kit.worker();
    kit.ended(&run).await;
    drop(next);
    for folder in ["work", "caches"] {
        for project in [&project, &other] {
            fs::create_dir_all(kit.folder(&format!("{folder}/{project}/x"))).unwrap();
        }
    }
    kit.client.delete(&format!("/api/projects/{project}")).await;
    let _last = kit.worker();
    let gone = ["work/", "caches/", "workspaces/"].map(|folder| kit.folder(&format!("{folder}{project}")));
    kit.until("what is left to be cleared away", async || {
        let copy = kit.folder(&format!("workspaces/{project}.git"));
        let left = gone.iter().chain([&copy]).any(|path| path.exists());
        (is_clear(&kit.folder("work/exec")) && !left).then_some(())
    })
    .await;
    for kept in [format!("work/{other}/x"), format!("caches/{other}/x"), format!("workspaces/{other}.git")] {
        assert!(kit.folder(&kept).exists(), "{kept}");
    }
}
