//! Without a sign-in the guards are what keeps other web sites out. Spoken over a plain socket, as no client library would.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use titan_testkit::app::TestApp;

async fn say(address: &str, request: &str) -> String {
    let talk = async {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    tokio::time::timeout(titan_testkit::wait::PATIENCE, talk).await.expect("an answer")
}

fn post(headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("POST /api/projects HTTP/1.1\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_create_anything() {
    let app = TestApp::start().await;
    let address = app.address();
    let here = format!("Host: {address}");
    let port = address.rsplit(':').next().unwrap();
    let json = "Content-Type: application/json";
    let body = r#"{"name":"mine"}"#;
    let cases: Vec<(&str, Vec<String>, &str)> = vec![
        ("a foreign Host", vec!["Host: evil.example".into(), json.into()], "403 forbidden_host"),
        (
            "a foreign Host that ends like ours",
            vec![format!("Host: localhost.evil.example:{port}"), json.into()],
            "403 forbidden_host",
        ),
        (
            "a foreign Origin",
            vec![here.clone(), "Origin: http://evil.example".into(), json.into()],
            "403 forbidden_origin",
        ),
        (
            "another port of this machine",
            vec![here.clone(), "Origin: http://127.0.0.1:1".into(), json.into()],
            "403 forbidden_origin",
        ),
        ("an Origin that hides", vec![here.clone(), "Origin: null".into(), json.into()], "403 forbidden_origin"),
        (
            "the browser says cross-site",
            vec![here.clone(), "Sec-Fetch-Site: cross-site".into(), json.into()],
            "403 forbidden_origin",
        ),
        (
            "the browser says same-site",
            vec![here.clone(), "Sec-Fetch-Site: same-site".into(), json.into()],
            "403 forbidden_origin",
        ),
        (
            "a form",
            vec![here.clone(), "Content-Type: application/x-www-form-urlencoded".into()],
            "415 unsupported_media_type",
        ),
        ("a form of plain text", vec![here.clone(), "Content-Type: text/plain".into()], "415 unsupported_media_type"),
        (
            "a form with files",
            vec![here.clone(), "Content-Type: multipart/form-data; boundary=x".into()],
            "415 unsupported_media_type",
        ),
        ("no type", vec![here.clone()], "415 unsupported_media_type"),
    ];
    for (what, headers, expected) in cases {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let answer = say(&address, &post(&headers, body)).await;
        let (status, code) = expected.split_once(' ').unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
        assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{what}: {answer}");
    }
    assert_eq!(app.db.count("SELECT count(*) FROM projects"), 0);

    let own = format!("Origin: http://{address}");
    let ours = say(&address, &post(&[&here, &own, "Sec-Fetch-Site: same-origin", json], body)).await;
    assert!(ours.starts_with("HTTP/1.1 201 "), "{ours}");
    let by_name = say(&address, &post(&[&format!("Host: localhost:{port}"), json], body)).await;
    assert!(by_name.starts_with("HTTP/1.1 201 "), "{by_name}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_read_either() {
    let app = TestApp::start().await;
    let address = app.address();
    for headers in ["Host: evil.example".to_owned(), format!("Host: {address}\r\nOrigin: http://evil.example")] {
        let answer =
            say(&address, &format!("GET /api/projects HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
    let plain =
        say(&address, &format!("GET /api/projects HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")).await;
    assert!(plain.starts_with("HTTP/1.1 200 "), "{plain}");
    assert!(!plain.to_lowercase().contains("access-control-"), "nothing is shared with other sites: {plain}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn further_names_are_allowed_when_they_are_configured() {
    let app = TestApp::plan().set("TITAN_ALLOWED_HOSTS", "titan.lan").start().await;
    let answer =
        say(&app.address(), "GET /healthz HTTP/1.1\r\nHost: titan.lan:8080\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    app.finish().await;
}
