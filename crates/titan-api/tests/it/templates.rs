//! The catalogue of templates, over HTTP.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use insta::assert_json_snapshot;
use reqwest::Method;
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
        ("persona/advanced", "There is no template \"persona/advanced\": the nearest are persona/basic."),
        ("nothing", "There is no template \"nothing\": there are api-service, cli,"),
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
        (json!({}), "validation_failed", "archive: is required, or git or directory"),
        (json!({"archive": "", "directory": "x"}), "validation_failed", "archive: stands alone"),
        (json!({"archive": "", "git": "https://example.com/x.git"}), "validation_failed", "archive: stands alone"),
        (json!({"directory": "mine/next", "ref": "v1"}), "validation_failed", "ref: is for a git repository"),
        (json!({"archive": "?"}), "validation_failed", "archive: must be base64"),
        (json!({"archive": "AAAA"}), "template_invalid", "The template is wrong: archive: "),
        (json!({"directory": "../etc"}), "template_invalid", "The template is wrong: directory: must not hold \"..\""),
        (json!({"directory": "nothing"}), "template_invalid", "The template is wrong: directory: there is no folder"),
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

const SHOP: &str = "https://example.com/team/shop.git";

#[tokio::test(flavor = "multi_thread")]
async fn an_install_from_git_is_written_down_for_a_worker() {
    let app = TestApp::start().await;
    let install = async |key: &str, body: &Value| {
        let request = app.client.request(Method::POST, "/api/templates/install");
        app.client.send(request.header("idempotency-key", key).json(body)).await
    };
    let body = json!({"git": " https://EXAMPLE.com:443/team/shop.git", "ref": "v1.2", "directory": "web/shop/"});
    let first = install("one", &body).await;
    let begun = first.expect(202);
    assert_eq!(first.header("location"), format!("/api/templates/installs/{}", text(&begun["id"])));
    assert_json_snapshot!(begun, {".id" => "[id]", ".created_at" => "[time]", ".updated_at" => "[time]"});
    let again = install("one", &body).await;
    assert_eq!((again.expect(202), again.header("idempotent-replayed")), (begun.clone(), "true"));
    assert_eq!(install("one", &json!({"git": SHOP})).await.code(), "idempotency_key_reused");
    let second = install("two", &json!({"git": SHOP})).await.expect(202);
    let page = app.client.get("/api/templates/installs?limit=1").await.expect(200);
    assert_eq!(page["items"], json!([second]));
    let next = format!("/api/templates/installs?limit=1&cursor={}", text(&page["next_cursor"]));
    assert_eq!(app.client.get(&next).await.expect(200), json!({"items": [begun], "next_cursor": null}));
    let one = format!("/api/templates/installs/{}", text(&begun["id"]));
    assert_eq!(app.client.get(&one).await.expect(200), begun);
    let nothing = app.client.get("/api/templates/installs/01900000-0000-7000-8000-000000000000").await;
    assert_eq!((nothing.status, nothing.code().as_str()), (404, "template_install_not_found"));

    // Not more at once than somebody would wait for.
    for number in 2..20 {
        install(&number.to_string(), &json!({"git": SHOP})).await.expect(202);
    }
    let full = install("full", &json!({"git": SHOP})).await;
    assert_eq!((full.status, full.code().as_str()), (409, "conflict"));
    assert!(text(&full.json()["detail"]).contains("20 templates are being installed"), "{}", full.text);
    // One whose job was taken away has failed, and is in nobody's way.
    app.db.execute("DELETE FROM jobs WHERE kind = 'install_template'");
    let lost = app.client.get(&one).await.expect(200);
    assert_eq!(text(&lost["state"]), "failed");
    assert!(text(&lost["error"]).contains("install it once more"), "{lost}");
    install("full", &json!({"git": SHOP})).await.expect(202);
    app.db.execute("DELETE FROM jobs WHERE kind = 'install_template'");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_git_is_not_to_be_asked_is_refused_at_once() {
    let app = TestApp::start().await;
    for (git, reference, directory, says) in [
        ("", None, None, "git: must be the address of a git repository"),
        ("example.com/shop", None, None, "git: must be a whole address"),
        ("http://example.com/shop.git", None, None, "git: must be fetched over https"),
        ("ssh://git@example.com/shop.git", None, None, "git: must be fetched over https"),
        ("git@example.com:team/shop.git", None, None, "git: must be a whole address"),
        ("file:///etc", None, None, "git: must be fetched over https"),
        ("ext::sh -c id", None, None, "git: must not hold spaces"),
        ("--upload-pack=id", None, None, "git: must be a whole address"),
        ("https://me:secret@example.com/shop.git", None, None, "git: must hold no user or password"),
        ("https://example.com/shop.git?a=b", None, None, "git: must end with its path"),
        ("https://example.com", None, None, "git: must name a repository on that host"),
        (SHOP, Some("--upload-pack=id"), None, "ref: must be a tag, a branch or a whole commit id, and none begins"),
        (SHOP, Some("a b"), None, "ref: must be a tag, a branch or a whole commit id, and none holds ' '"),
        (SHOP, Some("main:other"), None, "ref: must be a tag, a branch or a whole commit id, and none holds ':'"),
        (SHOP, None, Some("../shop"), "directory: must not hold \"..\" as a folder"),
        (SHOP, None, Some("/shop"), "directory: must be relative to the repository's folder"),
        (SHOP, None, Some(".git/hooks"), "directory: must not lie in .git"),
    ] {
        let body = json!({"git": git, "ref": reference, "directory": directory});
        let reply = app.client.post("/api/templates/install", &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (422, "validation_failed"), "{body}: {}", reply.text);
        assert!(text(&reply.json()["detail"]).starts_with(says), "{body}: {}", reply.text);
        assert!(!reply.text.contains("secret"), "{}", reply.text);
    }
    let reply = app.client.post("/api/templates/install", &json!({"git": 7})).await;
    assert_eq!((reply.status, reply.code().as_str()), (422, "validation_failed"), "{}", reply.text);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installed_version_is_taken_away_and_no_other() {
    let root = tempfile::tempdir().unwrap();
    lay(root.path(), "mine/shop", &GOOD.replace("- {from: 'bin/*', executable: true}\n", ""));
    let app = TestApp::plan().set("TEMPLATES_DIR", &root.path().display().to_string()).start().await;
    app.client.post("/api/templates/install", &json!({"archive": archive(GOOD)})).await.expect(200);
    let delete = async |reference: &str| app.client.delete(&format!("/api/templates/{reference}")).await;
    assert_eq!(delete("web%2Fshop%401.0.0").await.status, 204);
    // What it was laid before is to be seen again.
    let shop = app.client.get("/api/templates/web/shop").await.expect(200);
    assert_eq!((text(&shop["offer"]["source"]), &shop["offer"]["shadowed_by"]), ("folder", &Value::Null));
    for (reference, status, code, says) in [
        ("web/shop@1.0.0", 409, "conflict", "lies in the folder \"mine/shop\" of TEMPLATES_DIR: take it away there"),
        ("static-site@1.0.0", 409, "conflict", "is part of Titan, and stays"),
        ("web/shop", 422, "validation_failed", "reference: must be one version, such as web/shop@1.0.0"),
        ("web/shop@7.0.0", 404, "template_not_found", "its versions are 1.0.0"),
        ("web/shap@1.0.0", 404, "template_not_found", "the nearest are web/shop, web-app"),
        ("web/shop@1", 404, "template_not_found", "semantic versioning"),
    ] {
        let reply = delete(reference).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text);
        assert!(text(&reply.json()["detail"]).contains(says), "{}", reply.text);
    }
    assert_eq!(delete("install").await.status, 405);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_an_unknown_template_is_told_which_it_may_mean() {
    let app = TestApp::start().await;
    for (name, says) in [
        ("static-sight", "the nearest are static-site"),
        ("zzz", "there are api-service, cli, "),
        ("Static Site", "must be one to 3 words"),
    ] {
        let reply = app.client.post("/api/projects", &json!({"name": "x", "template_ref": name})).await;
        assert_eq!((reply.status, reply.code().as_str()), (422, "validation_failed"), "{}", reply.text);
        assert_eq!(reply.json()["errors"][0]["field"], json!("template_ref"));
        assert!(text(&reply.json()["detail"]).contains(says), "{}", reply.text);
    }
    let project = app.client.project("p").await;
    let reply = app.client.post(&format!("/api/projects/{project}/pipelines"), &json!({"template": "clii"})).await;
    assert_eq!((reply.status, &reply.json()["errors"][0]["field"]), (422, &json!("template")), "{}", reply.text);
    assert!(reply.text.contains("the nearest are cli"), "{}", reply.text);
    assert_eq!(app.client.get("/api/projects").await.expect(200)["items"].as_array().map(Vec::len), Some(1));
    app.finish().await;
}
