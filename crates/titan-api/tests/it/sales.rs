//! Offers and leads through the router.

use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::json;
use titan_testkit::app::TestApp;
use titan_testkit::client::{Client, Reply, id};

use crate::support::redacted;

async fn table(client: &Client, project: &str, query: &str, csv: &str) -> Reply {
    let request = client.request(Method::POST, &format!("/api/projects/{project}/leads/import?{query}"));
    client.send(request.header("content-type", "text/csv").body(csv.to_owned())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_is_drafted_published_and_sold_to_a_lead() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let body = json!({"title": "Website", "price": 4900, "currency": "EUR", "unit": "month"});
    let offer = client.post(&format!("/api/projects/{project}/offers"), &body).await.expect(201);
    let one = format!("/api/offers/{}", id(&offer));
    let published = client.patch(&one, &json!({"state": "published", "description": "A small one."})).await.expect(200);
    assert_eq!(client.patch(&one, &json!({"state": "draft"})).await.code(), "conflict");

    let leads = format!("/api/projects/{project}/leads");
    let lead = json!({"name": "Ida", "email": "ida@example.com", "offer_id": id(&offer), "value": 9800});
    let lead = client.post(&leads, &lead).await.expect(201);
    let of_lead = format!("/api/leads/{}", id(&lead));
    assert_eq!(client.patch(&of_lead, &json!({"stage": "won"})).await.code(), "conflict");
    client.patch(&of_lead, &json!({"stage": "qualified"})).await.expect(200);
    let won = client.patch(&of_lead, &json!({"stage": "won"})).await.expect(200);
    let note = client.post(&format!("{of_lead}/notes"), &json!({"content": "Signed."})).await.expect(201);
    let notes = client.get(&format!("{of_lead}/notes")).await.expect(200);
    assert_eq!(notes["items"], json!([note]));
    let summary = client.get(&format!("{leads}/summary")).await.expect(200);
    assert_eq!(
        summary["stages"][4],
        json!({"stage": "won", "leads": 1, "values": [{"currency": "EUR", "value": 9800}]})
    );
    assert_json_snapshot!(redacted(&json!({"offer": published, "lead": won, "note": note})));
    assert_eq!(client.get(&format!("{leads}?stage=won&q=ida")).await.expect(200)["items"][0]["notes"], json!(1));
    assert_eq!(client.get(&format!("{leads}?stage=new")).await.expect(200)["items"], json!([]));
    assert_eq!(client.post(&leads, &json!({"name": "Twin", "email": "IDA@example.com"})).await.code(), "conflict");

    assert_eq!(client.delete(&format!("/api/lead-notes/{}", id(&note))).await.status, 204);
    assert_eq!(client.delete(&of_lead).await.status, 204);
    assert_eq!(client.delete(&one).await.status, 204);
    for (path, code) in [(one, "offer_not_found"), (of_lead, "lead_not_found")] {
        assert_eq!(client.get(&path).await.code(), code);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_tried_imported_and_exported() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let csv = "Who;Mail;Betrag;Currency\n=cmd|' /C calc'!A0;a@example.com;1.200,50;EUR\nBo;nothing;;\n";
    let tried = table(client, &project, "dry_run=true&name=Who", csv).await.expect(200);
    assert_json_snapshot!(tried);
    assert_eq!(app.db.count("SELECT count(*) FROM leads"), 0);
    let done = table(client, &project, "name=Who", csv).await.expect(200);
    assert_eq!((&done["created"], &done["refused"]), (&json!(1), &json!(1)));
    let export = client.get(&format!("/api/projects/{project}/leads/export")).await;
    assert_eq!(export.header("content-type"), "text/csv; charset=utf-8");
    assert!(export.text.lines().nth(1).unwrap().starts_with("'=cmd|"), "{}", export.text);
    assert!(export.text.contains(",1200.50,EUR,"), "{}", export.text);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_table_is_said() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let mut said = Vec::new();
    for (query, csv) in
        [("", ""), ("", "shoe size\n42\n"), ("email=Mail", "name\nIda\n"), ("dry_run=maybe", "name\nIda\n")]
    {
        let reply = table(client, &project, query, csv).await;
        said.push(json!([reply.status, reply.code(), reply.json()["detail"]]));
    }
    let form = client.request(Method::POST, &format!("/api/projects/{project}/leads/import"));
    let form = client.send(form.header("content-type", "text/plain").body("name\nIda\n")).await;
    said.push(json!([form.status, form.code(), form.json()["detail"]]));
    assert_json_snapshot!(said);
    app.finish().await;
}
