//! The shipped templates for real: made with the words that people and their enemies use, looked at by the languages' own tools,
//! and built, served and checked as their manifests say. The sandbox around the commands is tested elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use titan_core::templates::{self, Check, Rendered, Run, Step, What, built_in, in_words};
use titan_testkit::wait;

/// What people type.
fn typical() -> Value {
    json!({
        "title": "Tea & Co",
        "description": "A shop for tea, with a cart.\nIt should be quick.",
        "features": ["sign in", "a cart", "orders by e-mail"],
    })
}

/// What breaks out of where it stands, if anything does.
fn nasty() -> Value {
    json!({
        "title": "\"It's\" {{ 7*7 }} {% raw %} </script><b> \\ ${x} `id` $(id) %s #1 日本 🫖 \u{202e}x",
        "description": "--- '''\n\"\"\"\n</title><script>alert(1)</script>\r\n# not a heading\n*/ --> ]]> \u{0}\u{7f}\u{2028}{# #}\n- x",
        "features": ["'; DROP TABLE x; --", "# heading\n\nparagraph", "[link](javascript:alert(1)) | cell", "\\", "\"", "{\"a\": 1}"],
    })
}

fn rendered(name: &str, inputs: &Value) -> Rendered {
    let template = built_in().iter().find(|template| template.manifest.name == name).expect("a shipped template");
    templates::render(template, inputs).unwrap_or_else(|problems| panic!("{name}: {}", in_words(&problems)))
}

/// Lays a project out, in a folder that keeps what tools have built before.
fn lay(name: &str, rendered: &Rendered) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("templates").join(name);
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::remove_file(entry.path()).unwrap();
        } else if entry.file_name() != "target" && entry.file_name() != "node_modules" {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    for file in &rendered.files {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &file.bytes).unwrap();
        if file.executable {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    folder
}

/// A command with what a sandbox would give it, and nothing of what tests are run with.
fn command(folder: &Path, run: &Run) -> Command {
    let argv = run.argv();
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).current_dir(folder).env_clear().stdin(Stdio::null());
    for name in [
        "PATH",
        "HOME",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "HTTPS_PROXY",
        "https_proxy",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
    ] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

fn run(folder: &Path, step: &Step) {
    let output =
        command(folder, &step.run).envs(&step.env).output().unwrap_or_else(|error| panic!("{}: {error}", step.name));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {}\n{out}\n{err}", step.name, output.status);
}

/// Builds, verifies and checks a project as its manifest says.
fn build(name: &str, inputs: &Value) {
    build_rendered(name, &rendered(name, inputs));
}

fn build_rendered(name: &str, rendered: &Rendered) {
    let folder = lay(name, rendered);
    for step in rendered.steps.build.iter().chain(&rendered.steps.verify) {
        run(&folder, step);
    }
    let served = rendered.deploy.preview.as_ref().map(|preview| {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = command(&folder, &preview.run)
            .envs(&preview.env)
            .env("PORT", port.to_string())
            .stdout(Stdio::null())
            .spawn()
            .expect("the preview");
        let served = Served { child, port };
        wait::until_blocking("the preview", || served.get(&preview.health).filter(|(status, _)| *status == 200));
        served
    });
    for check in &rendered.checks {
        look(&folder, served.as_ref(), check);
    }
    if let Some(directory) = &rendered.deploy.directory {
        assert!(folder.join(&directory.from).is_dir(), "{}", directory.from);
    }
}

fn look(folder: &Path, served: Option<&Served>, check: &Check) {
    match &check.what {
        What::Command(step) => run(folder, step),
        What::File(file) => {
            let bytes = fs::read(folder.join(&file.path)).unwrap_or_else(|error| panic!("{}: {error}", check.name));
            let text = String::from_utf8_lossy(&bytes);
            assert!(
                text.contains(file.contains.as_deref().unwrap_or_default()),
                "{}: {:?} in\n{text}",
                check.name,
                file.contains
            );
        }
        What::Http(http) => {
            let (status, body) = served.expect("a preview").get(&http.path).expect("an answer");
            assert_eq!(status, http.status, "{}", check.name);
            assert!(
                body.contains(http.contains.as_deref().unwrap_or_default()),
                "{}: {:?} in\n{body}",
                check.name,
                http.contains
            );
        }
    }
}

struct Served {
    child: Child,
    port: u16,
}

impl Served {
    fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", self.port).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        Some((answer.split(' ').nth(1)?.parse().ok()?, answer))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // As a pipeline stops it; a preview that does not stop is a fault of its template.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let end = Instant::now() + Duration::from_secs(10);
        while !matches!(self.child.try_wait(), Ok(Some(_))) {
            if Instant::now() > end {
                let _ = self.child.kill();
                if !std::thread::panicking() {
                    panic!("the preview did not stop when it was asked to");
                }
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.wait();
    }
}

/// Looks at each file with a tool of its language.
fn check_syntax(folder: &Path, rendered: &Rendered) {
    for file in &rendered.files {
        let name = file.path.as_str();
        let python = |script: &str| Run::Program(["python3", "-c", script, name].map(str::to_owned).to_vec());
        let tool = match name.rsplit('.').next().unwrap() {
            "json" => python("import json, sys; json.load(open(sys.argv[1], encoding='utf-8'))"),
            "toml" => python("import sys, tomllib; tomllib.load(open(sys.argv[1], 'rb'))"),
            "py" => python("import ast, sys; ast.parse(open(sys.argv[1], encoding='utf-8').read())"),
            "html" => python(HTML),
            "svg" => python("import sys, xml.dom.minidom as d; d.parse(sys.argv[1])"),
            "rs" => Run::Program(
                ["rustfmt", "--edition", "2024", "--check", "--config", "max_width=120,use_small_heuristics=Max", name]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            _ => continue,
        };
        let output = command(folder, &tool).output().unwrap();
        // How lines are broken depends on the words; that they can be read does not.
        let formatted = name.ends_with(".rs") && String::from_utf8_lossy(&output.stdout).contains("Diff in");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() || formatted, "{name}: {out}\n{err}\n{}", String::from_utf8_lossy(&file.bytes));
    }
}

/// Each element that is opened is closed, nothing is there that the page has not itself, and the title is one text.
const HTML: &str = "
import sys
from html.parser import HTMLParser
VOID = {'meta', 'link', 'input', 'br', 'img', 'hr'}
class Page(HTMLParser):
    stack, scripts = [], 0
    def handle_starttag(self, tag, attributes):
        if tag == 'script': self.scripts += 1
        if tag == 'b': sys.exit('an element came in by an input')
        if tag not in VOID: self.stack.append(tag)
    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag: sys.exit(f'</{tag}> closes nothing')
page = Page(); page.feed(open(sys.argv[1], encoding='utf-8').read()); page.close()
if page.stack or page.scripts > 1: sys.exit(f'{page.stack} are open, {page.scripts} scripts')
";

#[test]
fn nothing_that_is_typed_breaks_a_file() {
    for template in built_in() {
        let name = &template.manifest.name;
        for (kind, inputs) in [("typical", typical()), ("bare", json!({"title": "T"})), ("nasty", nasty())] {
            let rendered = rendered(name, &inputs);
            let folder = lay(&format!("syntax-{}-{kind}", name.replace('/', "-")), &rendered);
            check_syntax(&folder, &rendered);
            if rendered.files.iter().any(|file| file.path == "Cargo.toml") {
                let metadata = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"];
                let output = command(&folder, &Run::Program(metadata.map(str::to_owned).to_vec())).output().unwrap();
                assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            }
            let readme = rendered.files.iter().find(|file| file.path == "README.md").unwrap();
            assert!(readme.bytes.starts_with(b"# "), "{name}");
        }
    }
}

#[test]
fn a_title_on_several_lines_is_refused_with_its_name() {
    for template in built_in() {
        let problems = templates::render(template, &json!({"title": "a\nb"})).unwrap_err();
        assert!(problems[0].path == "inputs/title" && problems[0].message.starts_with("must match"), "{problems:?}");
    }
}

#[test]
fn the_user_s_own_example_is_made() {
    let spec = json!({"description": "A modern web application", "features": ["authentication", "dashboard", "api"]});
    let made = rendered("persona/basic", &templates::inputs_of_project("My Web App", &spec));
    let text = |path: &str| {
        let file = made.files.iter().find(|file| file.path == path).unwrap();
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    insta::assert_snapshot!(format!("{}\n=====\n{}", text("README.md"), text("PLAN.md")));
}

#[test]
fn persona_basic_is_built() {
    build("persona/basic", &typical());
    build("persona/basic", &nasty());
}

#[test]
fn static_site_is_built() {
    build("static-site", &typical());
    build("static-site", &nasty());
}

#[test]
fn python_service_is_built() {
    build("python-service", &typical());
    build("python-service", &nasty());
}

#[test]
fn cli_is_built() {
    build("cli", &nasty());
}

#[test]
fn api_service_is_built() {
    build("api-service", &nasty());
}

#[test]
fn web_app_is_built() {
    build("web-app", &nasty());
}

/// The author's guide holds a whole template: each block of it that names a file, followed to the letter.
#[test]
fn the_guide_makes_a_template_that_is_built() {
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
    let template =
        templates::in_folder(root.path(), "notes/book").unwrap_or_else(|problems| panic!("{}", in_words(&problems)));
    let mut nasty = nasty();
    nasty["chapters"] = nasty["features"].take();
    for inputs in [json!({"title": "Tea", "chapters": ["Leaves", "Water & time"]}), nasty] {
        let rendered =
            templates::render(&template, &inputs).unwrap_or_else(|problems| panic!("{}", in_words(&problems)));
        build_rendered("guide", &rendered);
    }
}
