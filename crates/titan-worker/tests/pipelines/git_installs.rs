//! Templates from git: fetched through the sandbox from a real server over https, by a worker that may be killed on the way, out of
//! repositories that mean well and such that do not.

use std::io::Read as _;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use titan_testkit::client::text;
use titan_testkit::daemon::Env;
use titan_testkit::git_server::{GitServer, Repository};

use crate::kit::{Kit, is_clear};

const FILE: &str = "A file of {{ title }}\n";

fn manifest(version: &str) -> String {
    format!(
        "name: team/shop\nversion: {version}\ntitle: Shop\ndescription: A shop.\n\
         inputs: {{type: object, required: [title], properties: {{title: {{type: string}}}}}}\n\
         files:\n  - {{from: README.md, render: true}}\n  - {{from: '**'}}\ndeploy:\n  directory: {{from: .}}\n"
    )
}

fn kit(server: &GitServer) -> Kit {
    let env: Env = server.env();
    let pairs: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Kit::with(&pairs)
}

/// A repository with one version of the template at its top.
fn shop(server: &GitServer, name: &str) -> Repository {
    let repository = server.repository(name);
    repository.write("template.yaml", manifest("1.0.0"));
    repository.write("files/README.md", FILE);
    repository.write("files/LICENSE", "Free\n");
    let _ = repository.commit();
    repository
}

impl Kit {
    async fn install(&self, body: Value) -> String {
        let reply = self.client.post("/api/templates/install", &body).await;
        let install = reply.expect(202);
        assert_eq!(reply.header("location"), format!("/api/templates/installs/{}", text(&install["id"])));
        assert_eq!(text(&install["state"]), "pending");
        text(&install["id"]).to_owned()
    }

    async fn install_now(&self, id: &str) -> Value {
        self.client.get(&format!("/api/templates/installs/{id}")).await.expect(200)
    }

    /// The install, once it has ended.
    async fn install_ended(&self, id: &str) -> Value {
        self.until("the install to end", async || {
            let install = self.install_now(id).await;
            (text(&install["state"]) != "pending").then_some(install)
        })
        .await
    }

    async fn is_installed(&self, body: Value) -> Value {
        let id = self.install(body).await;
        let install = self.install_ended(&id).await;
        assert_eq!(text(&install["state"]), "installed", "{install:#}");
        install
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_a_branch_a_commit_and_what_is_offered_are_installed() {
    let server = GitServer::start();
    let kit = kit(&server);
    let _worker = kit.worker();
    let repository = shop(&server, "shop.git");
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.git(&["tag", "--annotate", "--message=One", "v1.0"]);
    repository.git(&["checkout", "--quiet", "-b", "next/two"]);
    repository.write("template.yaml", manifest("2.0.0-rc.1"));
    let second = repository.commit();
    repository.git(&["checkout", "--quiet", "main"]);
    std::fs::remove_dir_all(repository.work().join("files")).unwrap();
    repository.write("sub/shop/template.yaml", manifest("3.0.0"));
    repository.write("sub/shop/files/README.md", FILE);
    repository.write("sub/shop/files/LICENSE", "Free\n");
    repository.git(&["rm", "--quiet", "template.yaml"]);
    let third = repository.commit();
    let url = server.url("shop.git");

    let tag = kit.is_installed(json!({"git": url, "ref": "v1.0"})).await;
    assert_eq!((text(&tag["reference"]), text(&tag["commit"])), ("team/shop@1.0.0", &*first));
    assert_eq!((&tag["url"], &tag["ref"], &tag["unchanged"]), (&json!(url), &json!("v1.0"), &json!(false)));
    let commit = kit.is_installed(json!({"git": url, "ref": first})).await;
    assert_eq!((&commit["sha256"], &commit["unchanged"]), (&tag["sha256"], &json!(true)));
    let branch = kit.is_installed(json!({"git": url, "ref": "next/two"})).await;
    assert_eq!((text(&branch["reference"]), text(&branch["commit"])), ("team/shop@2.0.0-rc.1", &*second));
    let offered = kit.is_installed(json!({"git": url, "directory": "sub/shop/"})).await;
    assert_eq!((text(&offered["reference"]), text(&offered["commit"])), ("team/shop@3.0.0", &*third));
    assert_eq!(offered["ref"], Value::Null);

    let shown = kit.client.get("/api/templates/team/shop").await.expect(200);
    let origin = format!("{url} in sub/shop ({})", &third[..12]);
    assert_eq!((text(&shown["reference"]), text(&shown["offer"]["origin"])), ("team/shop@3.0.0", &*origin));
    let listed = kit.items("/api/templates/installs").await;
    assert_eq!((listed.len(), &listed[0]["id"]), (4, &offered["id"]));
    assert!(is_clear(&kit.folder("fetch")));

    // What was begun with a version goes on without it.
    let (project, run) = kit.project("team/shop@1.0.0", &json!({})).await;
    let gone = kit.client.delete("/api/templates/team/shop@1.0.0").await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    kit.completed(&run).await;
    assert_eq!(kit.read(&project, "README.md").await, "A file of Tea & Co\n");
    assert_eq!(kit.client.get("/api/templates/team/shop@1.0.0").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_installed_says_why() {
    let server = GitServer::start();
    let kit = kit(&server);
    let _worker = kit.worker();
    let repository = shop(&server, "shop.git");
    repository.git(&["tag", "v1.0"]);
    repository.publish();
    let empty = server.repository("empty.git");
    drop(empty);
    let plain = server.repository("plain.git");
    plain.write("README.md", "No template here");
    plain.write("web/template.yaml", "name: Wrong Name\n");
    let _ = plain.commit();
    kit.is_installed(json!({"git": server.url("shop.git")})).await;
    repository.write("files/README.md", "Other content");
    let _ = repository.commit();
    let unknown = "a".repeat(40);
    let shop = server.url("shop.git");
    let there = shop.replace("https://127.0.0.2", "https://localhost");
    let other = shop.replace("https://127.0.0.2", "https://127.0.0.3");
    let cases = [
        (json!({"git": shop, "ref": "v2"}), "the repository has no tag or branch \"v2\"; there are main, v1.0"),
        (json!({"git": shop, "ref": "0123abc"}), "a commit needs its whole id"),
        (json!({"git": shop, "ref": unknown}), "the server does not give out that commit"),
        (
            json!({"git": shop}),
            "team/shop@1.0.0 is installed already, with other content; give what has changed a higher version",
        ),
        (
            json!({"git": shop, "directory": "web"}),
            "there is no template.yaml in the folder web; there is one at its top",
        ),
        (json!({"git": server.url("plain.git")}), "at the top of the repository; say as directory where it is: web"),
        (
            json!({"git": server.url("plain.git"), "directory": "web"}),
            "the template is wrong: /name: must be one to 3 words",
        ),
        (json!({"git": server.url("plain.git"), "directory": "README.md"}), "README.md is no folder in the repository"),
        (
            json!({"git": server.url("empty.git")}),
            "the repository says of no branch that it is the main one; say a ref; it is empty",
        ),
        (json!({"git": server.url("nothing.git")}), "there is no repository at that address"),
        (json!({"git": server.url("private/shop.git")}), "the repository is private, or not there"),
        (json!({"git": server.url("moved/shop.git")}), "it may not connect to elsewhere.example:443"),
        (json!({"git": there}), "localhost leads to "),
        (
            json!({"git": other}),
            "127.0.0.3 is not on the public internet; networks of your own are allowed by TITAN_EGRESS_INNER",
        ),
    ];
    let mut begun = Vec::new();
    for (body, says) in cases {
        begun.push((kit.install(body.clone()).await, body, says));
    }
    for (id, body, says) in begun {
        let install = kit.install_ended(&id).await;
        assert_eq!(text(&install["state"]), "failed", "{install:#}");
        assert!(text(&install["error"]).contains(says), "{body}: {install:#}");
        assert!(install["sha256"].is_null() && install["reference"].is_null());
    }
    assert!(is_clear(&kit.folder("fetch")));
    let reached = server.requests();
    assert!(!reached.iter().any(|request| request.contains("hooks")), "{reached:?}");

    // Nobody's certificates but those that it is told of.
    let stranger = kit.worker_with(&[("GIT_SSL_CAINFO", "/etc/ssl/certs/ca-certificates.crt")]);
    drop(_worker);
    let id = kit.install(json!({"git": shop, "ref": "v1.0"})).await;
    let install = kit.install_ended(&id).await;
    assert!(text(&install["error"]).contains("the server's certificate is not trusted"), "{install:#}");
    drop(stranger);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_repository_gets_nothing_out_and_nothing_in() {
    let server = GitServer::start();
    let kit = kit(&server);
    let _worker = kit.worker();

    let links = shop(&server, "links.git");
    symlink("/etc/passwd", links.work().join("files/passwd")).unwrap();
    let _ = links.commit();
    let link = shop(&server, "link.git");
    std::fs::remove_dir_all(link.work().join("files")).unwrap();
    symlink("/etc", link.work().join("files")).unwrap();
    symlink("/etc", link.work().join("up")).unwrap();
    let _ = link.commit();
    let module = shop(&server, "module.git");
    let secret = server.url("private/secret.git");
    module.write(
        ".gitmodules",
        format!("[submodule \"x\"]\n\tpath = files/x\n\turl = {secret}\n\tupdate = !touch /tmp/x\n"),
    );
    module.git(&["add", "--all"]);
    module.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},files/x", "a".repeat(40))]);
    let _ = module.commit_index();
    let huge = shop(&server, "huge.git");
    huge.write("files/huge.bin", vec![0_u8; 100 << 20]);
    let _ = huge.commit();
    let wide = shop(&server, "wide.git");
    wide.write("video.bin", noise(70 << 20));
    let _ = wide.commit();
    let escape = shop(&server, "escape.git");
    let blob = escape.git(&["rev-parse", "HEAD:files/README.md"]);
    escape.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},files/a\\..\\..\\b")]);
    let _ = escape.commit_index();

    let up = shop(&server, "up.git");
    let manifest = up.git(&["rev-parse", "HEAD:template.yaml"]);
    let files = up.tell(&["mktree"], &format!("100644 blob {blob}\t..\n100644 blob {blob}\tREADME.md\n"));
    up.publish_tree(&format!("100644 blob {manifest}\ttemplate.yaml\n040000 tree {files}\tfiles\n"));

    let cases = [
        ("up.git", None, "must not hold \"..\" as a folder"),
        ("links.git", None, "files/passwd: is a link; a template holds files and folders only"),
        ("link.git", None, "files: is a link"),
        ("link.git", Some("up"), "up is a link in the repository; links are not followed"),
        ("module.git", None, "files/x: is a submodule, which is not fetched"),
        ("huge.git", None, "files/huge.bin: must have at most 1048576 bytes, and has 104857600"),
        ("wide.git", None, "what is to be fetched has more than 64 MiB"),
        ("escape.git", None, "must not hold '\\\\'"),
    ];
    for (name, directory, says) in cases {
        let id = kit.install(json!({"git": server.url(name), "directory": directory})).await;
        let install = kit.install_ended(&id).await;
        assert_eq!(text(&install["state"]), "failed", "{name}: {install:#}");
        assert!(text(&install["error"]).contains(says), "{name}: {install:#}");
    }
    assert!(!server.requests().iter().any(|request| request.contains("private")), "a submodule was asked for");

    // Attributes would change what is checked out or archived; what is committed is what counts.
    let attributes = shop(&server, "attributes.git");
    let marked = "$Format:%H$ $Id$\r\nline\r\n";
    attributes
        .write("files/.gitattributes", "* export-subst ident text eol=crlf filter=lfs working-tree-encoding=UTF-16\n");
    attributes.write("files/marked.txt", marked);
    attributes.write("files/left.txt", "left\n");
    let objects: Vec<String> = ["files/.gitattributes", "files/marked.txt", "files/left.txt"]
        .iter()
        .map(|path| format!("100644,{},{path}", attributes.git(&["hash-object", "-w", "--no-filters", path])))
        .collect();
    for object in &objects {
        attributes.git(&["update-index", "--add", "--cacheinfo", object]);
    }
    attributes.write(".gitattributes", "files/left.txt export-ignore\n");
    attributes.git(&["add", ".gitattributes"]);
    let _ = attributes.commit_index();
    kit.is_installed(json!({"git": server.url("attributes.git")})).await;
    let (project, run) = kit.project("team/shop", &json!({})).await;
    kit.completed(&run).await;
    assert_eq!(kit.read(&project, "marked.txt").await, marked);
    assert_eq!(kit.read(&project, "left.txt").await, "left\n");
    assert!(is_clear(&kit.folder("fetch")));
}

/// Bytes that no packing makes smaller.
fn noise(length: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::fs::File::open("/dev/urandom").unwrap().take(length).read_to_end(&mut bytes).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_in_the_middle_installs_once() {
    let server = GitServer::start();
    let kit = kit(&server);
    let _repository = shop(&server, "shop.git");
    server.hold();
    let mut worker = kit.worker();
    let id = kit.install(json!({"git": server.url("shop.git")})).await;
    let fetching = async || {
        let posts = server.requests().iter().filter(|request| request.starts_with("POST")).count();
        // The first asks for names.
        (posts >= 3).then_some(())
    };
    kit.until("the fetch to begin", fetching).await;
    worker.kill();
    assert_eq!(text(&kit.install_now(&id).await["state"]), "pending");
    server.let_go();
    let _worker = kit.worker();
    let install = kit.install_ended(&id).await;
    assert_eq!(text(&install["state"]), "installed", "{install:#}");
    assert_eq!(install["unchanged"], json!(false), "installed once");
    let versions = kit.client.get("/api/templates/team/shop").await.expect(200)["versions"].clone();
    assert_eq!(versions.as_array().map(Vec::len), Some(1));
    let jobs = kit.items("/api/jobs?state=ready&kind=install_template").await;
    assert!(jobs.is_empty(), "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_asked_again_and_not_for_ever() {
    let mut server = GitServer::start();
    let kit = kit(&server);
    let _repository = shop(&server, "shop.git");
    let _worker = kit.worker();
    server.kill();
    let id = kit.install(json!({"git": server.url("shop.git")})).await;
    let tried = async || kit.install_now(&id).await["error"].as_str().map(str::to_owned);
    let error = kit.until("the first try", tried).await;
    assert!(error.starts_with("git: "), "{error}");
    assert_eq!(text(&kit.install_now(&id).await["state"]), "pending");
    server.start_again();
    let install = kit.install_ended(&id).await;
    assert_eq!((text(&install["state"]), &install["error"]), ("installed", &Value::Null), "{install:#}");
    server.kill();
    let id = kit.install(json!({"git": server.url("shop.git"), "ref": "main"})).await;
    let install = kit.install_ended(&id).await;
    assert!(text(&install["error"]).ends_with("(tried 3 times)"), "{install:#}");
    let dead = kit.items("/api/jobs?state=dead").await;
    assert!(dead.is_empty(), "the install says it: {dead:?}");
}
