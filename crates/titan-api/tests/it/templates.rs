//! The catalogue of templates, over HTTP.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use titan_core::templates::Template;
use titan_testkit::app::TestApp;
use titan_testkit::client::text;

use crate::support::redacted;

const GOOD: &str = "name: web/shop\nversion: 1.0.0\ntitle: Shop\ndescription: A shop with a cart\ntags: [web, shop]\n\
    inputs:\n  type: object\n  required: [title]\n  properties:\n    title: {type: string, title: Title}\n\
    files:\n- {from: README.md, render: true}\n- {from: 'bin/*', executable: true}\n";

fn archive(manifest: &str) -> String {
    let files = [("README.md", "# {{ title }}\n"), ("bin/run", "#!/bin/sh\n")];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    STANDARD.encode(Template::new(manifest.to_owned(), files.into()).unwrap().archive())
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|entry| text(&entry["name"])).collect()
}

fn lay(root: &Path, folder: &str, manifest: &str) {
    let folder = root.join(folder);
    fs::create_dir_all(folder.join("files")).unwrap();
    fs::write(folder.join("template.yaml"), manifest).unwrap();
    fs::write(folder.join("files/README.md"), "# {{ title }}\n").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_templates_are_found_and_shown() {
    let app = TestApp::start().await;
    let all = app.client.get("/api/templates").await.expect(200);
    assert_eq!(names(&all), ["api-service", "cli", "persona/basic", "python-service", "static-site", "web-app"]);
    assert_eq!((&all["next_cursor"], &all["broken"]), (&Value::Null, &json!([])));
    let rust = app.client.get("/api/templates?tag=rust&q=service").await.expect(200);
    assert_eq!(names(&rust), ["api-service"]);
    let page = app.client.get("/api/templates?limit=1").await.expect(200);
    let next =
        app.client.get(&format!("/api/templates?limit=1&cursor={}", text(&page["next_cursor"]))).await.expect(200);
    assert_eq!((names(&page), names(&next)), (vec!["api-service"], vec!["cli"]));

    let basic = app.client.get("/api/templates/persona/basic").await.expect(200);
    assert_json_snapshot!(redacted(&basic));
    for same in ["persona%2Fbasic", "persona/basic@1.0.0", "persona%2Fbasic%401.0.0"] {
        assert_eq!(app.client.get(&format!("/api/templates/{same}")).await.expect(200), basic, "{same}");
    }
    for (reference, says) in [
        ("persona/advanced", "There is no template \"persona/advanced\": there are api-service, cli,"),
        ("persona/basic@3.0.0", "its versions are 1.0.0"),
        ("persona/basic@latest", "semantic versioning"),
        ("..%2F..%2Fetc", "must be one to 3 words"),
    ] {
        let reply = app.client.get(&format!("/api/templates/{reference}")).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "template_not_found"));
        assert!(text(&reply.json()["detail"]).contains(says), "{}", reply.text);
    }
    assert_eq!(app.client.get("/api/templates/install").await.status, 405);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_checked_without_being_kept() {
    let app = TestApp::start().await;
    let check = async |body: Value| app.client.post("/api/templates/validate", &body).await;
    let good = check(json!({"manifest": GOOD})).await.expect(200);
    assert_eq!(good, json!({"valid": true, "problems": []}));
    let files = json!([{"path": "README.md", "text": "# {{ title }}"}, {"path": "bin/run", "data": "IyEvYmluL3No"}]);
    assert_eq!(check(json!({"manifest": GOOD, "files": files})).await.expect(200), good);
    let manifest = GOOD.replace("1.0.0", "one").replace("Title}", "Title, minLength: x}");
    let files = json!([{"path": "README.md", "text": "# {{ title }}\n{{ price }}"}, {"path": "../run", "text": ""}]);
    assert_json_snapshot!([
        check(json!({"manifest": manifest, "files": files})).await.expect(200),
        check(json!({"manifest": GOOD, "files": files})).await.expect(200),
    ]);
    for (body, says) in [
        (json!({}), "manifest: is required"),
        (json!({"manifest": GOOD, "files": [{"text": ""}]}), "files[0].path: is required"),
        (json!({"manifest": GOOD, "files": [{"path": "a"}]}), "files[0].text: is required, or data"),
        (json!({"manifest": GOOD, "files": [{"path": "a", "data": "*"}]}), "files[0].data: must be base64"),
        (
            json!({"manifest": GOOD, "files": [{"path": "a", "text": ""}, {"path": "a", "text": ""}]}),
            "files[1].path: is there already",
        ),
    ] {
        let reply = check(body).await;
        assert!(reply.status == 422 && text(&reply.json()["detail"]).starts_with(says), "{}", reply.text);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_installed_once_and_shadows_what_lies_in_the_folder() {
    let root = tempfile::tempdir().unwrap();
    lay(root.path(), "mine/shop", &GOOD.replace("- {from: 'bin/*', executable: true}\n", ""));
    lay(root.path(), "mine/next", &GOOD.replace("1.0.0", "2.0.0").replace("- {from: 'bin/*', executable: true}\n", ""));
    lay(root.path(), "broken", "name: Broken\n");
    let app = TestApp::plan().set("TEMPLATES_DIR", &root.path().display().to_string()).start().await;
    let install = async |body: Value| app.client.post("/api/templates/install", &body).await;

    let first = install(json!({"archive": archive(GOOD)})).await.expect(200);
    assert_eq!((text(&first["reference"]), &first["unchanged"]), ("web/shop@1.0.0", &json!(false)));
    assert_eq!(install(json!({"archive": archive(GOOD)})).await.expect(200)["unchanged"], json!(true));
    let changed = install(json!({"archive": archive(&GOOD.replace("cart", "till"))})).await;
    assert_eq!((changed.status, changed.code().as_str()), (409, "conflict"));
    assert!(changed.text.contains("higher version"));

    let listed = app.client.get("/api/templates?tag=shop").await.expect(200);
    assert_json_snapshot!(redacted(&listed));
    let newest = app.client.get("/api/templates/web/shop").await.expect(200);
    assert_eq!((text(&newest["reference"]), text(&newest["offer"]["source"])), ("web/shop@2.0.0", "folder"));
    let older = app.client.get("/api/templates/web/shop@1.0.0").await.expect(200);
    assert_eq!((text(&older["offer"]["source"]), older["files"].as_array().unwrap().len()), ("installed", 2));
    let folder = install(json!({"directory": "mine/next"})).await.expect(200);
    assert_eq!(text(&folder["reference"]), "web/shop@2.0.0");
    let newest = app.client.get("/api/templates/web/shop").await.expect(200);
    assert_eq!(newest["offer"]["origin"], json!("the folder mine/next"));

    let broken = install(json!({"directory": "broken"})).await;
    assert_eq!(broken.code(), "template_invalid");
    assert_eq!(broken.json()["errors"][0]["field"], json!("/name"));
    for (body, code, says) in [
        (json!({}), "validation_failed", "archive: is required, or directory"),
        (json!({"archive": "", "directory": "x"}), "validation_failed", "archive: is required, or directory"),
        (json!({"archive": "?"}), "validation_failed", "archive: must be base64"),
        (json!({"archive": "AAAA"}), "template_invalid", "The template is wrong: archive: "),
        (json!({"directory": "../etc"}), "template_invalid", "The template is wrong: directory: must not hold \"..\""),
        (json!({"directory": "nothing"}), "template_invalid", "The template is wrong: directory: there is no folder"),
        (json!({"git": "https://example.com/shop.git"}), "validation_failed", "git: is not possible yet"),
    ] {
        let reply = install(body).await;
        assert_eq!((reply.status, reply.code().as_str()), (422, code), "{}", reply.text);
        assert!(text(&reply.json()["detail"]).starts_with(says), "{}", reply.text);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_folder_there_is_none_to_install_from() {
    let app = TestApp::start().await;
    let reply = app.client.post("/api/templates/install", &json!({"directory": "x"})).await;
    assert_eq!(reply.status, 422);
    assert!(text(&reply.json()["detail"]).contains("TEMPLATES_DIR"));
    app.finish().await;
}
