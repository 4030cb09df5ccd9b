//! Contacts through the router, and that erasing a person reaches them.

use insta::assert_json_snapshot;
use serde_json::json;
use titan_testkit::app::TestApp;
use titan_testkit::client::id;

use crate::support::redacted;

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_written_changed_found_and_deleted() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let path = format!("/api/projects/{project}/contacts");
    let body =
        json!({"name": "Ida Holm", "role": "Owner", "email": "ida@example.com", "phone": "+49 30 1", "tags": ["VIP"]});
    let contact = client.post(&path, &body).await.expect(201);
    let one = format!("/api/contacts/{}", id(&contact));
    let changed = client.patch(&one, &json!({"role": null, "organisation": "Tea House"})).await.expect(200);
    assert_json_snapshot!(redacted(&changed));
    assert_eq!(client.get(&one).await.expect(200), changed);
    assert_eq!(client.get(&format!("{path}?q=tea&tag=vip")).await.expect(200)["items"], json!([changed]));
    assert_eq!(client.get(&format!("{path}?q=coffee")).await.expect(200)["items"], json!([]));
    let refused = client.post(&path, &json!({"name": "x", "email": "nobody"})).await;
    assert_eq!((refused.status, refused.json()["errors"][0]["field"].clone()), (422, json!("email")));
    assert_eq!(client.post(&path, &json!({"email": "a@b"})).await.code(), "validation_failed");
    assert_eq!(client.delete(&one).await.status, 204);
    assert_eq!(client.get(&one).await.code(), "contact_not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_is_no_contact_and_no_lead_any_more() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    for path in ["contacts", "leads"] {
        client.post(&format!("/api/projects/{project}/{path}"), &json!({"name": "Ida Holm"})).await.expect(201);
    }
    let erase = json!({"person": "ida holm", "confirm": true});
    let erased = client.post(&format!("/api/projects/{project}/memories/erase"), &erase).await.expect(200);
    assert_eq!(erased, json!({"erased": 0, "projects": 0, "contacts": 1, "leads": 1}));
    app.finish().await;
}
