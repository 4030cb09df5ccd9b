//! The API on one machine and the worker on another, with no way between them but Postgres, and the store of blobs where there is one.

use serde_json::json;
use titan_testkit::client::{Client, id, run_of, text};
use titan_testkit::daemon::Env;
use titan_testkit::machine::Machine;
use titan_testkit::s3::FakeS3;
use url::Url;

use crate::kit::Kit;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shared_but_postgres() {
    files_are_everywhere(&Env::new(), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shared_but_postgres_and_an_s3_compatible_store() {
    let store = FakeS3::start();
    files_are_everywhere(&store.env(), &[store.port()]).await;
    assert!(!store.keys().is_empty(), "the bytes were there");
}

async fn files_are_everywhere(more: &Env, ports: &[u16]) {
    if !Machine::possible() {
        eprintln!("not tried: only root can make machines of namespaces");
        return;
    }
    let more: Vec<(&str, &str)> = more.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let server = Url::parse(&titan_testkit::db::server_url()).unwrap().port().unwrap_or(5432);
    let machine = |data: &std::path::Path| {
        let machine = Machine::with_disk_at(data);
        ports.iter().chain([&server]).for_each(|port| machine.lead_out(*port));
        machine
    };
    let mut office = None;
    let kit = Kit::with_api(&more, |env, data| {
        let machine = machine(data);
        let api = machine.api(env);
        office = Some(machine);
        api
    });
    let (office, hall) = (office.unwrap(), machine(kit.data.path()));
    let _worker = ready(&hall, &kit.env);
    apart(&office, &hall, &kit);

    // What the worker scaffolded is read and edited where it is not.
    let (project, run) = kit.project("static-site", &json!({})).await;
    kit.completed(&run).await;
    let page = kit.read(&project, "site/index.html").await;
    assert!(page.contains("Tea &amp; Co"), "{page}");
    kit.write(&project, "site/index.html", &page.replace("Tea &amp; Co", "Tea &amp; Daughters")).await;

    // Large enough that it does not stay in Postgres where there is a store.
    let leaves: Vec<String> = (0..5000).map(|_| titan_core::ids::new().to_string()).collect();
    kit.write(&project, "leaves.txt", &leaves.join("\n")).await;

    // The next build sees the edit, and so does a command; what the command changes is seen here.
    let body = json!({"inputs": {"title": "Tea & Daughters"}});
    let again = run_of(&kit.client.post(&format!("/api/projects/{project}/pipelines"), &body).await.expect(201));
    kit.completed(&again).await;
    let shown = served(&hall, &kit, &project).await;
    assert!(shown.contains("Tea &amp; Daughters") && !shown.contains("Tea &amp; Co"), "{shown}");
    let command = "grep -c Daughters site/index.html; head -c 36 leaves.txt > NOTES.md";
    let task = json!({"type": "exec", "payload": {"command": command}});
    let exec = run_of(&kit.client.post(&format!("/api/projects/{project}/tasks"), &task).await.expect(201));
    kit.completed(&exec).await;
    let made = kit.items(&format!("/api/runs/{exec}/artifacts")).await;
    let changes = made.iter().find(|output| text(&output["kind"]) == "code").unwrap();
    kit.client.post(&format!("/api/outputs/{}/approve", id(changes)), &json!({})).await.expect(200);
    assert_eq!(kit.read(&project, "NOTES.md").await, leaves[0]);

    // The machine of the worker is lost with its disk. Another one, which has never seen the project, goes on.
    drop((_worker, hall));
    let barn = machine(kit.data.path());
    let _worker = ready(&barn, &kit.env);
    let last = run_of(&kit.client.post(&format!("/api/projects/{project}/pipelines"), &body).await.expect(201));
    kit.completed(&last).await;
    assert!(served(&barn, &kit, &project).await.contains("Tea &amp; Daughters"));
    let published = kit.items(&format!("/api/projects/{project}/publications")).await;
    let numbers: Vec<i64> = published.iter().map(|one| one["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [3, 2, 1]);
}

fn ready(machine: &Machine, variables: &Env) -> titan_testkit::daemon::Daemon {
    let worker = machine.start("titan-worker", variables);
    worker.wait_for_line("titan-worker ready");
    worker
}

/// That the two machines are as far apart as the test says.
fn apart(office: &Machine, hall: &Machine, kit: &Kit) {
    let note = |machine: &Machine| format!("{}/note", machine.data().display());
    let _ = office.shell(&format!("echo here > {}", note(office)));
    assert_eq!(hall.shell(&format!("cat {} 2>/dev/null || echo nothing", note(hall))), "nothing\n");
    assert!(!kit.folder("note").exists(), "nor does this side see it");
    for machine in [office, hall] {
        assert_eq!(machine.shell("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"), "lo\n");
    }
    let listens = office.shell("tail -n +2 /proc/net/tcp | grep -c ' 0A '").trim().parse::<usize>().unwrap();
    assert!(listens >= 2, "the API and the way to Postgres: {listens}");
}

/// The first page of the preview, which is served on the worker's machine alone.
async fn served(machine: &Machine, kit: &Kit, project: &str) -> String {
    kit.until("the preview", async || {
        let address = Url::parse(kit.preview(project).await["address"].as_str()?).unwrap();
        let outside = machine.outside_of(address.port()?).to_string();
        let reply = Client::new(&outside).get("/").await;
        (reply.status == 200).then_some(reply.text)
    })
    .await
}
