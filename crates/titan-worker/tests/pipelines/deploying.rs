//! Where a build goes: to a preview that is taken over by a retry, to a directory without what links lead to, to a hook.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;
use titan_testkit::client::text;

use crate::kit::Kit;

/// A template of one file and what stands here behind it.
fn template(rest: &str) -> TempDir {
    let templates = tempfile::tempdir().unwrap();
    let own = templates.path().join("own");
    fs::create_dir_all(own.join("files/out")).unwrap();
    let head = "name: own\nversion: 1.0.0\ntitle: Own\ndescription: A template of this test.\n\
        inputs: {type: object, required: [title], properties: {title: {type: string}}}\nfiles:\n  - {from: '**'}\n";
    fs::write(own.join("template.yaml"), format!("{head}{rest}")).unwrap();
    fs::write(own.join("files/out/index.html"), "good\n").unwrap();
    templates
}

fn kit(templates: &TempDir, more: &[(&str, &str)]) -> Kit {
    let folder = templates.path().display().to_string();
    Kit::with(&[&[("TEMPLATES_DIR", folder.as_str())], more].concat())
}

async fn again(kit: &Kit, project: &str) -> String {
    let task = text(&kit.tasks(project).await[0]["id"]).to_owned();
    let again = kit.client.post(&format!("/api/tasks/{task}/execute"), &json!({})).await.json();
    text(&again["run_id"]).to_owned()
}

/// What was built and deployed by the run before is what is verified: neither built nor deployed a second time.
#[tokio::test(flavor = "multi_thread")]
async fn retry_of_a_failed_verify_goes_on_with_what_was_deployed() {
    let templates = template(
        "steps:\n  build:\n    - {name: Build, run: 'date +%N > out/built'}\n  verify:\n    - {name: Once, run: 'test -e tried || { touch tried; exit 1; }'}\n\
         checks:\n  - {name: Served, http: {path: /, contains: good}}\n\
         deploy:\n  preview: {run: 'exec python3 -m http.server --bind 127.0.0.1 --directory out \"$PORT\"', health: /}\n",
    );
    let kit = kit(&templates, &[]);
    let worker = kit.worker();
    let (project, run) = kit.project("own", &json!({})).await;
    let failed = kit.ended(&run).await;
    assert!(text(&failed["error"]).contains("Once ended with exit code 1"), "{failed:#}");
    let built = kit.page(&project, "/built").await.unwrap();

    let second = again(&kit, &project).await;
    kit.completed(&second).await;
    assert_eq!(kit.page(&project, "/built").await.unwrap(), built, "it was built once");
    assert_eq!(kit.preview(&project).await["run_id"], json!(run), "and is shown by the run that deployed it");
    let step = |run: &str, what: &str| {
        kit.db.text(&format!("SELECT {what} FROM steps WHERE run_id = '{run}' AND name = 'build'"))
    };
    assert_eq!(step(&second, "output->>'run_id'"), run);
    assert_eq!(kit.items(&format!("/api/projects/{project}/publications")).await.len(), 1);
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_the_folder_leads_nobody_out() {
    let templates = template(
        "steps:\n  build:\n    - {name: Build, run: 'rm -rf out && ln -s \"$PLACE\" out', env: {PLACE: /etc}}\ndeploy:\n  directory: {from: out}\n",
    );
    let kit = kit(&templates, &[]);
    let worker = kit.worker();
    let (project, run) = kit.project("own", &json!({})).await;
    let failed = kit.ended(&run).await;
    let error = text(&failed["error"]);
    assert!(error.contains("the template deploys the folder \"out\", and the build left none there"), "{error}");
    assert!(kit.items(&format!("/api/projects/{project}/publications")).await.is_empty());
    let left: Vec<_> = walk(&kit.folder("output"));
    assert!(left.is_empty(), "{left:?}");
    drop(worker);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// A service that is told of new versions: answers in turn with these statuses, then with the last of them.
fn service(statuses: &'static [u16]) -> (String, Arc<Mutex<Vec<(String, Value)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/deploy?key=canary-77ab", listener.local_addr().unwrap());
    let calls: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
    let heard = Arc::clone(&calls);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut key, mut length) = (String::new(), 0);
            for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
                let (name, value) = line.split_once(": ").unwrap_or_default();
                match name.to_lowercase().as_str() {
                    "idempotency-key" => key = value.to_owned(),
                    "content-length" => length = value.parse().unwrap(),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let mut calls = heard.lock().unwrap();
            let status = statuses.get(calls.len()).or(statuses.last()).unwrap();
            calls.push((key, serde_json::from_slice(&body).unwrap()));
            let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, calls)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_called_again_with_the_same_key_and_its_address_is_nobodys() {
    let templates = template("checks:\n  - {name: There, file: {path: out/index.html}}\ndeploy:\n  hook: true\n");
    let (address, calls) = service(&[503, 429, 200]);
    let kit = kit(&templates, &[("TITAN_HOOK_SHOP", &address)]);
    let worker = kit.worker();
    let body = json!({"name": "Tea", "template_ref": "own", "hook": "SHOP", "target": "hook"});
    let project = kit.client.post("/api/projects", &body).await.expect(201);
    let project = text(&project["id"]).to_owned();
    let run = titan_testkit::client::run_of(&kit.tasks(&project).await[0]);
    kit.completed(&run).await;
    let calls = calls.lock().unwrap().clone();
    assert_eq!(calls.len(), 3);
    assert!(
        calls
            .iter()
            .all(|(key, body)| *key == run && body["project_id"] == json!(project) && body["run_id"] == json!(run))
    );
    let commit = text(&kit.items(&format!("/api/projects/{project}/publications")).await[0]["commit_id"]).to_owned();
    assert_eq!(calls[0].1["commit"], json!(commit));
    let told = [kit.log(&run).await.join("\n"), worker.log()].concat();
    assert!(told.contains("the deploy hook SHOP took it") && !told.contains("canary-77ab"), "{told}");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_refuses_or_is_not_known_says_so() {
    let templates = template("deploy:\n  hook: true\n");
    let (address, calls) = service(&[403]);
    let kit = kit(&templates, &[("TITAN_HOOK_SHOP", &address)]);
    let worker = kit.worker();
    for (hook, says) in
        [("SHOP", "the deploy hook SHOP answers 403"), ("OTHER", "TITAN_HOOK_OTHER is not set where the worker runs")]
    {
        let body = json!({"name": hook, "template_ref": "own", "hook": hook, "target": "hook"});
        let project = kit.client.post("/api/projects", &body).await.expect(201);
        let run = titan_testkit::client::run_of(&kit.tasks(text(&project["id"])).await[0]);
        let failed = kit.ended(&run).await;
        assert!(text(&failed["error"]).contains(says), "{failed:#}");
    }
    assert_eq!(calls.lock().unwrap().len(), 1);
    drop(worker);
}
