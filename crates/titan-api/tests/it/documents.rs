//! Documents through the router: given, read, found, downloaded in parts, refused with what is wrong.

use insta::assert_json_snapshot;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{Client, Reply, id, text};
use titan_testkit::wait;

use crate::support::redacted;

fn give(
    client: &Client,
    project: &str,
    name: &str,
    media_type: &str,
    bytes: impl Into<reqwest::Body>,
) -> RequestBuilder {
    let request = client.request(Method::POST, &format!("/api/projects/{project}/documents?name={name}"));
    request.header("content-type", media_type).body(bytes)
}

async fn read(client: &Client, document: &Value) -> Value {
    let path = format!("/api/documents/{}", id(document));
    wait::until("a document that was read", async || {
        let now = client.get(&path).await.expect(200);
        ["ready", "failed"].contains(&text(&now["state"])).then_some(now)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_given_read_found_and_deleted() {
    let app = TestApp::with_worker().await;
    let client = &app.client;
    let project = client.project("p").await;
    let prices = "# Prices\n\nGreen tea costs 3 euros.";
    let given = client.send(give(client, &project, "prices.md", "application/octet-stream", prices)).await.expect(201);
    assert_eq!((&given["format"], &given["media_type"]), (&json!("markdown"), &json!("text/markdown")));
    let document = read(client, &given).await;
    assert_json_snapshot!(redacted(&document));
    let list = client.get(&format!("/api/projects/{project}/documents")).await.expect(200);
    assert_eq!(list["items"], json!([document]));
    let found = client.get(&format!("/api/projects/{project}/documents/search?q=gre%20tea")).await.expect(200);
    assert_eq!((&found["items"][0]["name"], &found["items"][0]["excerpt"]), (&json!("prices.md"), &json!(prices)));

    let path = format!("/api/documents/{}/download", id(&document));
    let whole = client.get(&path).await;
    assert_eq!((whole.status, whole.text.as_str(), whole.header("accept-ranges")), (200, prices, "bytes"));
    assert_eq!(whole.header("content-type"), "text/markdown; charset=utf-8");
    assert!(whole.header("content-security-policy").starts_with("sandbox;"));
    assert!(whole.header("content-disposition").starts_with("attachment"));
    let part = client.send(client.request(Method::GET, &path).header("range", "bytes=2-7")).await;
    assert_eq!((part.status, part.text.as_str(), part.header("content-range")), (206, "Prices", "bytes 2-7/34"));
    let none = client.send(client.request(Method::GET, &path).header("range", "bytes=99-")).await;
    assert_eq!((none.status, none.code().as_str()), (416, "range_not_satisfiable"));

    let one = format!("/api/documents/{}", id(&document));
    assert_eq!(client.delete(&one).await.status, 204);
    assert_eq!(client.delete(&one).await.code(), "document_not_found");
    assert_eq!(app.db.count("SELECT count(*) FROM document_passages"), 0);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_says_why() {
    let app = TestApp::with_worker().await;
    let client = &app.client;
    let project = client.project("p").await;
    for (name, media_type, bytes, says) in [
        ("scan.pdf", "application/pdf", b"%PDF-1.7 and nothing else".as_slice(), "damaged, or no PDF"),
        ("letter.docx", "application/octet-stream", b"PK\x03\x04 and nothing else", "no Word document"),
        ("empty.html", "text/html", b"<script>x()</script>", "no text in it"),
    ] {
        let given = client.send(give(client, &project, name, media_type, bytes)).await.expect(201);
        let read = read(client, &given).await;
        assert!(text(&read["state"]) == "failed" && text(&read["reason"]).contains(says), "{read}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_refused_and_nothing_of_it_is_stored() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let path = format!("/api/projects/{project}/documents");
    let mut replies: Vec<(&str, Reply)> = Vec::new();
    for (what, name, media_type, bytes) in [
        ("a picture", "a.png", "image/png", b"\x89PNG\r\n\x1a\n\0".to_vec()),
        ("a lie", "a.pdf", "application/pdf", b"plain".to_vec()),
        ("another lie", "a.txt", "text/markdown", b"%PDF-1.7".to_vec()),
        ("nothing", "a.txt", "application/octet-stream", Vec::new()),
        ("a form", "a.txt", "text/plain", b"plain".to_vec()),
        ("50 MB", "a.txt", "application/octet-stream", vec![b'a'; 50 << 20]),
        ("no name", "", "application/octet-stream", b"a".to_vec()),
    ] {
        replies.push((what, client.send(give(client, &project, name, media_type, bytes)).await));
    }
    let nowhere = give(client, "01900000-0000-7000-8000-000000000000", "a.txt", "application/octet-stream", "a");
    replies.push(("no project", client.send(nowhere).await));
    replies.push(("no question", client.get(&format!("{path}/search")).await));
    let said: Vec<Value> =
        replies.iter().map(|(what, reply)| json!([what, reply.status, reply.code(), reply.json()["detail"]])).collect();
    assert_json_snapshot!(said);
    assert_eq!(
        app.db.count(
            "SELECT (SELECT count(*) FROM documents) + (SELECT count(*) FROM blobs) + (SELECT count(*) FROM jobs)"
        ),
        0
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_makes_one_document() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let send = async |name: &str, text: &'static str| {
        client.send(give(client, &project, name, "text/csv", text).header("idempotency-key", "k")).await
    };
    let (first, again) = (send("a.csv", "a,b").await, send("a.csv", "a,b").await);
    assert_eq!((first.json(), again.header("idempotent-replayed")), (again.json(), "true"));
    assert_eq!(send("a.csv", "c,d").await.code(), "idempotency_key_reused");
    assert_eq!(app.db.count("SELECT count(*) FROM documents"), 1);
    app.abandon().await;
}
