//! What is served beside the API.

use reqwest::Method;
use titan_testkit::app::TestApp;

#[cfg(not(feature = "dashboard"))]
#[tokio::test(flavor = "multi_thread")]
async fn without_the_dashboard_the_root_says_so() {
    let app = TestApp::start().await;
    let root = app.client.get("/").await;
    assert_eq!((root.status, root.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert!(root.text.contains("without the dashboard"));
    app.finish().await;
}

#[cfg(feature = "dashboard")]
#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_is_one_page_with_a_nonce_of_its_own_each_time() {
    let app = TestApp::start().await;
    let (first, second) = (app.client.get("/").await, app.client.get("/projects/x/input").await);
    for page in [&first, &second] {
        assert_eq!((page.status, page.header("cache-control")), (200, "no-cache"));
        assert!(!page.text.contains("__CSP_NONCE__"));
        let policy = page.header("content-security-policy");
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
        assert!(page.text.contains(nonce));
    }
    assert_ne!(first.header("content-security-policy"), second.header("content-security-policy"));
    let asset = first.text.split("src=\"/assets/").nth(1).and_then(|rest| rest.split('"').next()).expect("a script");
    let path = format!("/assets/{asset}");
    for encoding in ["br", "gzip"] {
        let packed = app.client.request(Method::GET, &path).header("accept-encoding", encoding).send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], encoding);
        assert!(packed.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    }
    assert_eq!(app.client.get(&path).await.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(app.client.get("/assets/gone.js").await.code(), "not_found");
    assert_eq!(app.client.get("/api/gone").await.code(), "not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_asks_for_a_page_does_not_get_json() {
    let app = TestApp::start().await;
    let page =
        app.client.request(Method::GET, "/workflows").header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    assert_ne!(app.client.send(page).await.header("content-type"), "application/json");
    assert_eq!(app.client.get("/workflows").await.header("content-type"), "application/json");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_the_body() {
    let app = TestApp::start().await;
    for (path, status) in [("/healthz", 200), ("/api/projects", 200), ("/api/projects/x", 400), ("/api/nothing", 404)] {
        let head = app.client.send(app.client.request(Method::HEAD, path)).await;
        assert_eq!((head.status, head.text.as_str()), (status, ""), "{path}");
        assert_eq!(head.header("content-type"), app.client.get(path).await.header("content-type"), "{path}");
    }
    let put = app.client.send(app.client.request(Method::PUT, "/api/projects")).await;
    assert_eq!((put.status, put.header("allow")), (405, "HEAD, GET, POST"));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_an_id_and_the_careful_headers() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for path in ["/healthz", "/api/projects", "/api/nothing", "/nothing", "/api/projects?limit=0"] {
        let reply = app.client.get(path).await;
        ids.push(reply.header("x-request-id").to_owned());
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{path}");
        assert!(reply.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
    }
    assert!(ids.iter().all(|id| !id.is_empty()));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    app.finish().await;
}
