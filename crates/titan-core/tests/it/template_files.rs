//! The files of the shipped templates, made with the words that people and their enemies use, looked at by the languages' own tools.
//! That they are built and served is tested with the pipeline.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use titan_core::templates::{self, Rendered, Run, built_in, in_words};

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

/// Lays a project out.
fn lay(name: &str, rendered: &Rendered) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("templates").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
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
    let persona = templates::built_in().iter().find(|template| template.manifest.name == "persona/basic").unwrap();
    let schema = &persona.manifest.inputs;
    let inputs = templates::inputs_for(schema, "My Web App", &spec, &serde_json::Map::new());
    let made = rendered("persona/basic", &inputs);
    let text = |path: &str| {
        let file = made.files.iter().find(|file| file.path == path).unwrap();
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    insta::assert_snapshot!(format!("{}\n=====\n{}", text("README.md"), text("PLAN.md")));
}
