//! The files of a project over HTTP: what is written is read, listed and told of in the history, and nothing leads outside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use reqwest::Method;
use serde_json::{Value, json};
use titan_core::ids;
use titan_core::workspaces::{Branch, Change, Precondition, Said, Workspace};
use titan_testkit::app::TestApp;
use titan_testkit::client::{Reply, text};

struct Files {
    app: TestApp,
    root: String,
}

impl Files {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let project = app.client.project("p").await;
        Files { app, root: format!("/api/projects/{project}") }
    }

    async fn get(&self, path: &str) -> Reply {
        self.app.client.get(&format!("{}/{path}", self.root)).await
    }

    async fn put(&self, path: &str, body: &Value) -> Reply {
        self.app.client.put(&format!("{}/files/{path}", self.root), body).await
    }

    async fn put_if(&self, path: &str, header: (&str, &str), body: &Value) -> Reply {
        let request = self.app.client.request(Method::PUT, &format!("{}/files/{path}", self.root));
        self.app.client.send(request.header(header.0, header.1).json(body)).await
    }

    async fn delete(&self, path: &str) -> Reply {
        self.app.client.delete(&format!("{}/files/{path}", self.root)).await
    }
}

fn refusal(reply: &Reply) -> (u16, String) {
    (reply.status, text(&reply.json()["code"]).to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_written_read_listed_and_deleted() {
    let files = Files::start().await;
    let empty = files.get("files").await.expect(200);
    assert_eq!(empty, json!({"commit": null, "total": 0, "total_size": 0, "items": [], "next_cursor": null}));
    let status = files.get("git/status").await.expect(200);
    assert_eq!(status, json!({"branch": "main", "head": null, "unmerged_runs": []}));
    assert_eq!(refusal(&files.get("git/diff").await), (404, "file_not_found".to_owned()));

    let written = files.put("docs/a%20b.md", &json!({"content": "# é\n", "message": "Begin"})).await.expect(200);
    assert_eq!((&written["path"], &written["changed"]), (&json!("docs/a b.md"), &json!(true)));
    let same = files.put("docs/a%20b.md", &json!({"content": "# é\n"})).await.expect(200);
    assert_eq!((&same["commit"], &same["changed"]), (&written["commit"], &json!(false)));
    let script = json!({"data": STANDARD.encode(b"#!/bin/sh\n\xff"), "executable": true});
    files.put("run.sh", &script).await.expect(200);
    // Still executable: nothing was said of it.
    files.put("run.sh", &json!({"content": "#!/bin/sh\n"})).await.expect(200);

    let list = files.get("files").await.expect(200);
    let items = list["items"].as_array().unwrap();
    let told: Vec<_> = items.iter().map(|item| (text(&item["path"]), &item["size"], &item["executable"])).collect();
    assert_eq!(told, [("docs/a b.md", &json!(5), &json!(false)), ("run.sh", &json!(10), &json!(true))]);
    assert_eq!((&list["total"], &list["total_size"]), (&json!(2), &json!(15)));
    let beneath = files.get("files?path=docs/").await.expect(200);
    assert_eq!((&beneath["total"], text(&beneath["items"][0]["path"])), (&json!(1), "docs/a b.md"));
    let first = files.get("files?limit=1").await.expect(200);
    assert_eq!((first["items"].as_array().unwrap().len(), text(&first["next_cursor"])), (1, "docs/a b.md"));
    let second = files.get("files?limit=1&cursor=docs/a%20b.md").await.expect(200);
    assert_eq!((text(&second["items"][0]["path"]), &second["next_cursor"]), ("run.sh", &Value::Null));

    let read = files.get("files/docs/a%20b.md").await;
    assert_eq!((read.status, read.text.as_str()), (200, "# é\n"));
    assert_eq!(read.header("content-type"), "text/plain; charset=utf-8");
    assert!(read.header("content-security-policy").starts_with("sandbox;"));
    assert_eq!(read.header("etag"), format!("\"{}\"", text(&items[0]["id"])));

    files.delete("run.sh").await.expect(200);
    assert_eq!(refusal(&files.delete("run.sh").await), (404, "file_not_found".to_owned()));
    assert_eq!(refusal(&files.get("files/run.sh").await), (404, "file_not_found".to_owned()));
    let before = files.get(&format!("files/docs/a%20b.md?at={}", text(&written["commit"]))).await;
    assert_eq!(before.text, "# é\n");
    files.app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_over_what_they_have_not_seen() {
    let files = Files::start().await;
    files.put_if("a", ("If-None-Match", "*"), &json!({"content": "1"})).await.expect(200);
    let twice = files.put_if("a", ("If-None-Match", "*"), &json!({"content": "2"})).await;
    assert_eq!(refusal(&twice), (412, "precondition_failed".to_owned()));
    let tag = files.get("files/a").await.header("etag").to_owned();
    files.put_if("a", ("If-Match", &tag), &json!({"content": "3"})).await.expect(200);
    let late = files.put_if("a", ("If-Match", &tag), &json!({"content": "4"})).await;
    assert_eq!(refusal(&late), (412, "precondition_failed".to_owned()));
    let odd = files.put_if("a", ("If-Match", "W/x"), &json!({"content": "4"})).await;
    assert_eq!(refusal(&odd), (400, "invalid_request".to_owned()));
    assert_eq!(files.get("files/a").await.text, "3");
    files.app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_told() {
    let files = Files::start().await;
    for number in 0..3 {
        let body = json!({"content": format!("{number}\n"), "message": format!("Step {number}\n\nMore of it")});
        files.put("a", &body).await.expect(200);
    }
    files.put("b", &json!({"content": "x"})).await.expect(200);
    let log = files.get("git/log?path=a&limit=2").await.expect(200);
    let titles = |log: &Value| -> Vec<String> {
        log["items"].as_array().unwrap().iter().map(|commit| text(&commit["title"]).to_owned()).collect()
    };
    assert_eq!(titles(&log), ["Step 2", "Step 1"]);
    let rest = files.get(&format!("git/log?path=a&limit=2&cursor={}", text(&log["next_cursor"]))).await.expect(200);
    assert_eq!((titles(&rest), &rest["next_cursor"]), (vec!["Step 0".to_owned()], &Value::Null));
    let status = files.get("git/status").await.expect(200);
    assert_eq!(text(&status["head"]["title"]), "Write b");

    let newest = files.get("git/diff").await.expect(200);
    assert!(text(&newest["patch"]).contains("+++ b/b\n"), "{newest}");
    let (from, to) = (text(&rest["items"][0]["id"]), text(&log["items"][0]["id"]));
    let diff = files.get(&format!("git/diff?from={from}&to={to}")).await.expect(200);
    assert!(text(&diff["patch"]).contains("-0\n+2\n"), "{diff}");
    assert_eq!(diff["files"], json!([{"path": "a", "added": 1, "removed": 1}]));
    let gone = files.get(&format!("git/diff?to=run/{}", ids::new())).await;
    assert_eq!((gone.status, gone.json()["errors"][0]["field"].as_str()), (422, Some("to")));
    assert!(gone.text.contains("has no files of its own"), "{}", gone.text);
    let same = files.get("git/diff?from=main&to=main").await.expect(200);
    assert_eq!((text(&same["patch"]), &same["from"]), ("", &same["to"]));
    for wrong in [
        "git/log?cursor=x:1",
        "git/diff?from=HEAD",
        "git/diff?to=--output=x",
        "git/log?cursor=0000000",
        "files/a?at=main",
        "git/log?branch=x",
    ] {
        let reply = files.get(wrong).await;
        assert!((400..500).contains(&reply.status), "{wrong}: {}", reply.text);
    }
    files.app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_history_lose_nothing_where_two_lines_of_it_were_merged() {
    let files = Files::start().await;
    files.put("a", &json!({"content": "1"})).await.expect(200);
    let (project, run_id) = (files.root.rsplit('/').next().unwrap().parse().unwrap(), ids::new());
    let workspaces = &files.app.state().workspaces;
    let at = DateTime::UNIX_EPOCH;
    let work = move |workspace: &Workspace| {
        for number in 0..3 {
            let path = format!("run/{number}");
            let change = Change::Put { path, bytes: b"x".to_vec(), executable: false };
            let said = Said { author: "Ida", message: "Work", at };
            workspace.write(Branch::OfRun(run_id), &[change], &Precondition::None, &said)?;
        }
        Ok(())
    };
    // Each of them on top of the one before.
    workspaces.with(project, work).await.unwrap();
    files.put("b", &json!({"content": "2"})).await.expect(200);
    let merge = move |workspace: &Workspace| {
        let shown = workspace.head(Branch::OfRun(run_id)).unwrap().to_owned();
        workspace.merge(run_id, &shown, &Said { author: "Ida", message: "Merge", at }, &mut |_| Ok(()))
    };
    workspaces.with(project, merge).await.unwrap();
    let all = files.get("git/log").await.expect(200)["items"].as_array().unwrap().clone();
    assert_eq!(all.len(), 6);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = files.get(&format!("git/log?limit=2{cursor}")).await.expect(200);
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    files.app.abandon().await;
}

/// Each is decoded once by the router; what is left of it is what was meant to be hidden.
#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_outside() {
    let files = Files::start().await;
    files.put("a", &json!({"content": "1"})).await.expect(200);
    for path in [
        "..%2fx",
        "a/..%2f..%2fx",
        "%2e%2e/x",
        "%2e%2e%2fx",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "a%00b",
        "a%0ab",
        "..%5cx",
        "c:%5cx",
        ".git/config",
        ".git%2fhooks%2fpre-commit",
        ".GIT/x",
        "git~1/x",
        "%ef%bb%bf.git/x",
        ".g%e2%80%8cit/x",
        "a//b",
        "a/",
        "a/./b",
        "%2e",
        "con",
        "x.",
        "x%20",
        "a/b",
        "A",
    ] {
        let reply = files.put(path, &json!({"content": "x"})).await;
        assert!((400..500).contains(&reply.status), "{path}: {} {}", reply.status, reply.text);
        let reply = files.get(&format!("files/{path}")).await;
        assert!((400..500).contains(&reply.status), "{path}: {} {}", reply.status, reply.text);
    }
    let list = files.get("files").await.expect(200);
    assert_eq!(list["total"], json!(1));
    for body in [json!({}), json!({"content": "x", "data": "eA=="}), json!({"data": "%%"}), json!({"content": 1})] {
        let reply = files.put("b", &body).await;
        assert_eq!(reply.status, 422, "{body}: {}", reply.text);
    }
    files.app.abandon().await;
}
