//! Each shipped template becomes a project that is built, deployed, verified and published, with the words that people type and the
//! words of their enemies.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use titan_testkit::client::text;

use crate::kit::Kit;

/// What breaks out of where it stands, if anything does.
fn nasty() -> Value {
    json!({
        "title": "\"It's\" {{ 7*7 }} {% raw %} </script><b> \\ ${x} `id` $(id) %s #1 日本 🫖 \u{202e}x",
        "description": "--- '''\n\"\"\"\n</title><script>alert(1)</script>\r\n# not a heading\n*/ --> ]]> \u{7f}\u{2028}{# #}\n- x",
        "features": ["'; DROP TABLE x; --", "# heading\n\nparagraph", "[link](javascript:alert(1)) | cell", "\\", "\"", "{\"a\": 1}"],
    })
}

async fn is_published(kit: &Kit, template: &str, inputs: &Value) {
    let worker = kit.worker();
    let (project, run) = kit.project(template, inputs).await;
    kit.completed(&run).await;
    let published = kit.items(&format!("/api/projects/{project}/publications")).await;
    assert_eq!((published.len(), published[0]["number"].as_i64()), (1, Some(1)));
    let names: Vec<String> = kit
        .items(&format!("/api/projects/{project}/outputs"))
        .await
        .iter()
        .map(|output| text(&output["name"]).to_owned())
        .collect();
    assert!(names.contains(&"Published v1".to_owned()), "{names:?}");
    drop(worker);
}

macro_rules! published {
    ($($name:ident = $template:literal),+ $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            is_published(&Kit::new(), $template, &nasty()).await;
        }
    )+ };
}
published! {
    static_site_is_published = "static-site",
    python_service_is_published = "python-service",
    cli_is_published = "cli",
    api_service_is_published = "api-service",
    web_app_is_published = "web-app",
}

/// The user's own call.
#[tokio::test(flavor = "multi_thread")]
async fn the_user_s_own_example_is_published() {
    let kit = Kit::new();
    let worker = kit.worker();
    let body = json!({
        "name": "My Web App", "type": "web-app", "templateRef": "persona/basic",
        "spec": {"description": "A modern web application", "features": ["authentication", "dashboard", "api"]},
    });
    let project = kit.client.post("/api/projects", &body).await.expect(201);
    let project = text(&project["id"]);
    let run = titan_testkit::client::run_of(&kit.tasks(project).await[0]);
    kit.completed(&run).await;
    let published = kit.items(&format!("/api/projects/{project}/publications")).await;
    let address = text(&published[0]["address"]);
    let readme = std::fs::read_to_string(format!("{address}/README.md")).expect("the published files");
    assert!(readme.starts_with("# My Web App\n"), "{readme}");
    assert!(kit.read(project, "PLAN.md").await.contains("authentication"));
    drop(worker);
}

/// The author's guide holds a whole template: each block of it that names a file, followed to the letter.
#[tokio::test(flavor = "multi_thread")]
async fn the_guide_makes_a_template_that_is_published() {
    let guide = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/TEMPLATES.md")).unwrap();
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("notes/book");
    fs::create_dir_all(folder.join("files")).unwrap();
    let mut blocks = 0;
    for block in guide.split("\n```").skip(1).step_by(2) {
        let (head, text) = block.split_once('\n').unwrap();
        if let Some((_, path)) = head.split_once(' ') {
            fs::write(folder.join(path), format!("{text}\n")).unwrap();
            blocks += 1;
        }
    }
    assert_eq!(blocks, 4);
    let kit = Kit::with(&[("TEMPLATES_DIR", &root.path().display().to_string())]);
    let mut nasty = nasty();
    nasty["chapters"] = nasty["features"].take();
    for inputs in [json!({"title": "Tea", "chapters": ["Leaves", "Water & time"]}), nasty] {
        is_published(&kit, "notes/book", &inputs).await;
    }
}
