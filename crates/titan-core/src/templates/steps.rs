//! Reading what a manifest says of commands: the steps of the pipeline, what is checked, and where the project can be deployed to.

use std::collections::BTreeMap;

use super::manifest::{
    Cache, Check, Deploy, Directory, FileCheck, HttpCheck, Network, Preview, Run, Step, Steps, What,
};
use super::place::{Place, one_of};
use super::problem::Problems;
use super::{paths, patterns, render};

const MAX_STEPS: usize = 20;
const MAX_CHECKS: usize = 50;
const MAX_ARGUMENTS: usize = 50;
const MAX_LINE: usize = 2000;
const MAX_ENV: usize = 30;
const MAX_VALUE: usize = 2000;
const MAX_ARTIFACTS: usize = 20;
const MAX_LABEL: usize = 80;
const MAX_STEP_SECONDS: u64 = 3600;
const STEP_SECONDS: u64 = 600;
const MAX_START_SECONDS: u64 = 300;
const START_SECONDS: u64 = 30;

/// Variables that the sandbox sets, or by which a command would be led elsewhere.
const TAKEN: [&str; 7] = ["PATH", "HOME", "PORT", "TMPDIR", "PWD", "SHELL", "USER"];
const TAKEN_BEGINNINGS: [&str; 3] = ["TITAN_", "LD_", "DYLD_"];

pub(super) fn stages(root: &Place<'_>, names: &[&str], problems: &mut Problems) -> Steps {
    let Some(place) = root.field("steps") else { return Steps::default() };
    if place.object(problems, &["build", "verify", "publish"]).is_none() {
        return Steps::default();
    }
    let mut stage = |name: &str| -> Vec<Step> {
        let list = place.field(name).map(|list| list.items(problems, MAX_STEPS)).unwrap_or_default();
        list.iter().filter_map(|place| step(place, names, problems)).collect()
    };
    Steps { build: stage("build"), verify: stage("verify"), publish: stage("publish") }
}

fn step(place: &Place<'_>, names: &[&str], problems: &mut Problems) -> Option<Step> {
    place.object(problems, &["name", "run", "timeout", "network", "cache", "env", "artifacts"])?;
    let run = place.needed(problems, "run", "[npm, ci]").map(|run| self::run(&run, problems));
    let label = place.field("name").map(|name| name.text(problems, MAX_LABEL));
    let artifacts = place.field("artifacts").map(|list| list.items(problems, MAX_ARTIFACTS)).unwrap_or_default();
    let run = run.unwrap_or(Run::Line(String::new()));
    Some(Step {
        name: label.unwrap_or_else(|| in_short(&run)),
        timeout_seconds: seconds(place, STEP_SECONDS, MAX_STEP_SECONDS, problems),
        network: network(place, problems),
        cache: caches(place, problems),
        env: env(place, names, problems),
        artifacts: artifacts.iter().map(|place| patterns::read(place, problems)).collect(),
        run,
    })
}

fn in_short(run: &Run) -> String {
    let line = match run {
        Run::Program(argv) => argv.join(" "),
        Run::Line(line) => crate::error::one_line(line),
    };
    crate::text::head(&line, MAX_LABEL).to_owned()
}

fn run(place: &Place<'_>, problems: &mut Problems) -> Run {
    if place.value.is_string() {
        return Run::Line(place.text(problems, MAX_LINE));
    }
    if !place.value.is_array() {
        let kind = super::place::kind(place.value);
        let message = format!("must be a list such as [npm, ci], or a line for the shell, and is {kind}");
        place.wrong(problems, message);
        return Run::Line(String::new());
    }
    let words = place.items(problems, MAX_ARGUMENTS);
    if words.is_empty() {
        place.wrong(problems, "must begin with a program; for example [npm, ci]");
    }
    Run::Program(words.iter().map(|word| word.text(problems, MAX_LINE)).collect())
}

fn seconds(place: &Place<'_>, usual: u64, most: u64, problems: &mut Problems) -> u64 {
    place.field("timeout").map_or(usual, |timeout| timeout.seconds(problems, most))
}

fn network(place: &Place<'_>, problems: &mut Problems) -> Network {
    let Some(place) = place.field("network") else { return Network::None };
    match place.value.as_str() {
        Some("none") => Network::None,
        Some("registries") => Network::Registries,
        _ => {
            let kind = super::place::kind(place.value);
            place.wrong(problems, format!("must be none or registries (those of packages only), and is {kind}"));
            Network::None
        }
    }
}

fn caches(place: &Place<'_>, problems: &mut Problems) -> Vec<Cache> {
    let known: Vec<&str> = Cache::ALL.iter().map(|cache| cache.name()).collect();
    let list = place.field("cache").map(|list| list.items(problems, Cache::ALL.len())).unwrap_or_default();
    let mut caches: Vec<Cache> = Vec::new();
    for place in list {
        match Cache::ALL.into_iter().find(|cache| place.value.as_str() == Some(cache.name())) {
            Some(cache) if caches.contains(&cache) => place.wrong(problems, "is there already"),
            Some(cache) => caches.push(cache),
            None => {
                let message = format!("must be {}, and is {}", one_of(&known), super::place::kind(place.value));
                place.wrong(problems, message);
            }
        }
    }
    caches
}

fn env(place: &Place<'_>, names: &[&str], problems: &mut Problems) -> BTreeMap<String, String> {
    let entries = place.field("env").map(|env| env.entries(problems, MAX_ENV)).unwrap_or_default();
    let mut env = BTreeMap::new();
    for (name, place) in entries {
        let is_name = name.len() <= 64
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            place.wrong(problems, "must be named by letters, digits and _, such as NODE_ENV");
        } else if TAKEN.contains(&name) || TAKEN_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
            place.wrong(problems, format!("{name} is set by the sandbox and cannot be chosen"));
        }
        let value = place.any_text(problems, MAX_VALUE);
        render::check_text(&place, &value, names, problems);
        env.insert(name.to_owned(), value);
    }
    env
}

pub(super) fn checks(root: &Place<'_>, names: &[&str], has_preview: bool, problems: &mut Problems) -> Vec<Check> {
    let list = root.field("checks").map(|list| list.items(problems, MAX_CHECKS)).unwrap_or_default();
    list.iter().filter_map(|place| check(place, names, has_preview, problems)).collect()
}

fn check(place: &Place<'_>, names: &[&str], has_preview: bool, problems: &mut Problems) -> Option<Check> {
    const KINDS: [&str; 3] = ["http", "file", "command"];
    place.object(problems, &["name", "http", "file", "command"])?;
    let label = place.field("name").map(|name| name.text(problems, MAX_LABEL));
    let given: Vec<&str> = KINDS.into_iter().filter(|kind| place.field(kind).is_some()).collect();
    let [kind] = given.as_slice() else {
        let message = format!("must have exactly one of {}, and has {}", one_of(&KINDS), given.len());
        place.wrong(problems, message);
        return None;
    };
    let inner = place.field(kind)?;
    let what = match *kind {
        "http" => What::Http(http(&inner, names, has_preview, problems)?),
        "file" => What::File(file(&inner, names, problems)?),
        _ => What::Command(step(&inner, names, problems)?),
    };
    let usual = match &what {
        What::Http(http) => format!("GET {} answers {}", http.path, http.status),
        What::File(file) => format!("{} is there", file.path),
        What::Command(step) => step.name.clone(),
    };
    Some(Check { name: label.unwrap_or(usual), what })
}

fn http(place: &Place<'_>, names: &[&str], has_preview: bool, problems: &mut Problems) -> Option<HttpCheck> {
    place.object(problems, &["path", "status", "contains"])?;
    if !has_preview {
        place.wrong(problems, "needs deploy.preview, which is what is asked");
    }
    let path = place.needed(problems, "path", "/").map(|path| url_path(&path, problems));
    let status = place.field("status").map_or(200, |status| status.number(problems, 100, 599));
    Some(HttpCheck {
        path: path.unwrap_or_default(),
        status: u16::try_from(status).unwrap_or(200),
        contains: contains(place, names, problems),
    })
}

fn file(place: &Place<'_>, names: &[&str], problems: &mut Problems) -> Option<FileCheck> {
    place.object(problems, &["path", "contains"])?;
    let path = place.needed(problems, "path", "dist/index.html").map(|path| file_path(&path, problems));
    Some(FileCheck { path: path.unwrap_or_default(), contains: contains(place, names, problems) })
}

fn contains(place: &Place<'_>, names: &[&str], problems: &mut Problems) -> Option<String> {
    let place = place.field("contains")?;
    let text = place.text(problems, MAX_VALUE);
    render::check_text(&place, &text, names, problems);
    Some(text)
}

fn file_path(place: &Place<'_>, problems: &mut Problems) -> String {
    let path = place.text(problems, 240);
    if !path.is_empty()
        && let Err(why) = paths::check(&path)
    {
        place.wrong(problems, why);
    }
    path
}

fn url_path(place: &Place<'_>, problems: &mut Problems) -> String {
    let path = place.text(problems, 500);
    let fits = path.starts_with('/') && !path.starts_with("//") && path.chars().all(|c| c.is_ascii_graphic());
    if !path.is_empty() && !fits {
        place.wrong(problems, format!("must be a path of the preview such as /health, and is {path:?}"));
    }
    path
}

pub(super) fn deploy(root: &Place<'_>, names: &[&str], problems: &mut Problems) -> Deploy {
    let Some(place) = root.field("deploy") else { return Deploy::default() };
    if place.object(problems, &["preview", "directory", "hook"]).is_none() {
        return Deploy::default();
    }
    Deploy {
        preview: place.field("preview").and_then(|preview| self::preview(&preview, names, problems)),
        directory: place.field("directory").and_then(|directory| self::directory(&directory, problems)),
        hook: place.field("hook").is_some_and(|hook| hook.flag(problems)),
    }
}

fn preview(place: &Place<'_>, names: &[&str], problems: &mut Problems) -> Option<Preview> {
    place.object(problems, &["run", "port", "health", "timeout", "env"])?;
    let run = place.needed(problems, "run", "[npm, run, preview]").map(|run| self::run(&run, problems));
    let port = place.field("port").map(|port| port.number(problems, 1024, 65_535));
    let health = place.field("health").map(|health| url_path(&health, problems));
    Some(Preview {
        run: run.unwrap_or(Run::Line(String::new())),
        port: port.and_then(|port| u16::try_from(port).ok()),
        health: health.unwrap_or_else(|| "/".to_owned()),
        timeout_seconds: seconds(place, START_SECONDS, MAX_START_SECONDS, problems),
        env: env(place, names, problems),
    })
}

fn directory(place: &Place<'_>, problems: &mut Problems) -> Option<Directory> {
    place.object(problems, &["from"])?;
    let from = place.needed(problems, "from", "dist")?;
    let all = from.value.as_str() == Some(".");
    Some(Directory { from: if all { ".".to_owned() } else { file_path(&from, problems) } })
}
