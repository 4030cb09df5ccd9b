//! Downloads of what runs made: whole, in part, large, damaged; and an API whose directory of files is full.

use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;
use titan_testkit::app::TestApp;
use titan_testkit::client::{Client, Reply, id};
use titan_testkit::daemon::{Api, env};
use titan_testkit::db::TestDb;
use titan_testkit::wait;

/// An output of a run in a project that is there, with a blob of so many bytes: its id and its checksum.
fn with_output(db: &TestDb, project: &str, name: &str, media_type: &str, bytes: usize) -> (String, String) {
    let output = db.text("SELECT gen_random_uuid()");
    db.execute(&format!(
        "CREATE TEMP TABLE made AS SELECT convert_to(left(repeat('0123456789abcdef', {bytes} / 16 + 1), {bytes}), 'UTF8') AS data; \
         INSERT INTO blobs (sha256, size) SELECT sha256(data), {bytes} FROM made; \
         INSERT INTO blob_chunks SELECT sha256(data), n, substring(data FROM n * 1048576 + 1 FOR 1048576) \
           FROM made, generate_series(0, ({bytes} - 1) / 1048576) AS n; \
         INSERT INTO outputs (id, project_id, task_id, run_id, name, kind, media_type, size, sha256) \
           SELECT '{output}', '{project}', gen_random_uuid(), gen_random_uuid(), '{name}', 'file', '{media_type}', {bytes}, \
             sha256(data) FROM made"
    ));
    let sha256 = db.text(&format!("SELECT encode(sha256, 'hex') FROM outputs WHERE id = '{output}'"));
    (output, sha256)
}

async fn ask(client: &Client, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let request =
        headers.iter().fold(client.request(method, path), |request, (name, value)| request.header(*name, *value));
    client.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_is_given_whole_and_in_part() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let size = (2 << 20) + 10;
    let (output, sha256) = with_output(&app.db, &project, "data \u{e9}.html", "text/html", size);
    let path = format!("/api/artifacts/{output}/content");
    let etag = format!("\"{sha256}\"");

    let whole = client.get(&path).await;
    assert_eq!((whole.status, whole.text.len()), (200, size));
    assert_eq!((whole.header("etag"), whole.header("accept-ranges")), (etag.as_str(), "bytes"));
    assert_eq!(whole.header("content-length"), size.to_string());
    assert!(whole.header("repr-digest").starts_with("sha-256=:"), "{:?}", whole.headers);
    assert_eq!(whole.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert_eq!(whole.header("content-disposition"), "attachment; filename*=UTF-8''data%20%C3%A9.html");
    assert!(whole.header("content-security-policy").starts_with("sandbox;"));

    // Over the border of a chunk, from the end, and of what the client has.
    let border = (1 << 20) - 3;
    let range = format!("bytes={border}-{}", border + 5);
    let part = ask(client, Method::GET, &path, &[("range", &range)]).await;
    assert_eq!((part.status, part.text.as_str()), (206, &whole.text[border..border + 6]));
    assert_eq!(part.header("content-range"), format!("bytes {border}-{}/{size}", border + 5));
    let end = ask(client, Method::GET, &path, &[("range", "bytes=-4"), ("if-range", &etag)]).await;
    assert_eq!((end.status, end.text.as_str()), (206, &whole.text[size - 4..]));
    let other = ask(client, Method::GET, &path, &[("range", "bytes=-4"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status, other.text.len()), (200, size));
    let none = ask(client, Method::GET, &path, &[("range", &format!("bytes={size}-"))]).await;
    assert_eq!((none.status, none.code().as_str()), (416, "range_not_satisfiable"));
    let known = ask(client, Method::GET, &path, &[("if-none-match", &etag)]).await;
    assert_eq!((known.status, known.text.as_str(), known.header("etag")), (304, "", etag.as_str()));

    let head = ask(client, Method::HEAD, &path, &[]).await;
    assert_eq!((head.status, head.header("content-length"), head.text.len()), (200, size.to_string().as_str(), 0));
    let head = ask(client, Method::HEAD, &path, &[("range", "bytes=0-9")]).await;
    assert_eq!((head.status, head.header("content-length")), (206, "10"));

    let shown = client.get(&format!("/api/outputs/{output}/content")).await;
    assert!(shown.header("content-disposition").starts_with("inline"));
    let nobody = client.get("/api/artifacts/01900000-0000-7000-8000-000000000000/content").await;
    assert_eq!(nobody.code(), "artifact_not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_shown_is_sandboxed_and_framed_by_this_site_only() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    for media_type in ["application/pdf", "image/svg+xml", "application/xhtml+xml"] {
        let (output, _) = with_output(&app.db, &project, "x", media_type, 10 + media_type.len());
        let shown = app.client.get(&format!("/api/outputs/{output}/content")).await;
        let policy = shown.header("content-security-policy");
        assert!(policy.starts_with("sandbox; default-src 'none';"), "{policy}");
        assert!(
            policy.contains("frame-ancestors 'self'") && shown.header("x-frame-options") == "SAMEORIGIN",
            "{policy}"
        );
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_turns_out_to_be_damaged_does_not_become_complete() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let (output, _) = with_output(&app.db, &project, "x", "text/plain", 3 << 20);
    app.db.execute("UPDATE blob_chunks SET data = overlay(data PLACING 'X' FROM 1 FOR 1) WHERE chunk = 1");
    let path = format!("/api/artifacts/{output}/content");
    let answer = app.client.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err(), "the connection ends too early");
    assert_eq!(app.client.get("/healthz").await.status, 200);
    app.finish().await;
}

/// In kB, as the kernel tells it.
fn most_resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_artifact_takes_little_memory() {
    let db = tokio::task::spawn_blocking(TestDb::new).await.unwrap();
    let api = tokio::task::block_in_place(|| Api::start(&env(&[("DATABASE_URL", db.url.expose_secret())])));
    let client = Client::new(api.url.trim_start_matches("http://"));
    let project = client.project("p").await;
    let size = 50 << 20;
    let (output, _) = with_output(&db, &project, "large", "application/octet-stream", size);
    let path = format!("/api/artifacts/{output}/content");
    // What the first requests take is none of it.
    client.get("/api/projects").await;
    let before = most_resident(api.daemon.pid());
    let mut read = 0;
    let mut answer = client.request(Method::GET, &path).send().await.unwrap();
    while let Some(piece) = answer.chunk().await.unwrap() {
        read += piece.len();
    }
    let grown = most_resident(api.daemon.pid()) - before;
    assert_eq!(read, size);
    assert!(grown < 24 << 10, "{grown} kB more for 50 MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_directory_refuses_cleanly_and_the_api_goes_on() {
    let db = tokio::task::spawn_blocking(TestDb::new).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let url = format!("file://{}", directory.path().display());
    let settings = env(&[("DATABASE_URL", db.url.expose_secret()), ("TITAN_BLOB_URL", &url)]);
    let api = tokio::task::block_in_place(|| Api::start_with_file_limit(&settings, 64));
    let client = Client::new(api.url.trim_start_matches("http://"));
    let project = client.project("p").await;
    let give = |name: &str, bytes: usize| {
        let request = client.request(Method::POST, &format!("/api/projects/{project}/documents?name={name}"));
        client.send(request.header("content-type", "application/octet-stream").body("x".repeat(bytes)))
    };
    let refused = give("large.txt", 1 << 20).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "storage_unavailable"));
    assert!(!refused.text.contains(&url["file://".len()..]), "{}", refused.text);
    let stored = "SELECT (SELECT count(*) FROM documents) + (SELECT count(*) FROM blobs) + (SELECT count(*) FROM jobs)";
    assert_eq!(db.count(stored), 0);
    let left: usize = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count())
        .sum();
    assert_eq!(left, 0, "no part of it is left");
    api.daemon.wait_for_line("cannot be written");

    assert_eq!(client.get("/healthz").await.status, 200);
    let given = give("small.txt", 20_000).await.expect(201);
    let path = format!("/api/documents/{}/download", id(&given));
    assert_eq!(client.get(&path).await.text.len(), 20_000);
    wait::until("the health of the API", async || {
        (client.get("/api/health").await.json()["status"] != json!("down")).then_some(())
    })
    .await;
}
