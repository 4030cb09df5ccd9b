//! Reading `template.yaml`: every problem at once. What the files themselves hold is looked at in `template`.

use serde_json::Value;
use serde_saphyr::UserMessageFormatter;

use super::manifest::{FileRule, Manifest};
use super::names;
use super::place::Place;
use super::problem::{Problem, Problems, one};
use super::{MAX_MANIFEST, inputs, paths, patterns, steps};

/// What the file is called.
pub const MANIFEST: &str = "template.yaml";

const MAX_TITLE: usize = 100;
const MAX_DESCRIPTION: usize = 1000;
const MAX_TAGS: usize = 10;
const MAX_TAG: usize = 30;
const MAX_RULES: usize = 100;
/// How deep a manifest may be nested.
const MAX_DEPTH: usize = 20;

const FIELDS: [&str; 10] =
    ["name", "version", "title", "description", "tags", "inputs", "files", "steps", "checks", "deploy"];

/// Reads a manifest.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str) -> Result<Manifest, Vec<Problem>> {
    let value = yaml(text)?;
    let root = Place::root(&value);
    let mut problems = Problems::default();
    if root.object(&mut problems, &FIELDS).is_none() {
        return Err(problems.into_inner());
    }
    let name = name(&root, &mut problems);
    let version = version(&root, &mut problems);
    let mut words = |field: &str, example: &str, most: usize| {
        let place = root.needed(&mut problems, field, example);
        place.map(|place| place.text(&mut problems, most).trim().to_owned()).unwrap_or_default()
    };
    let title = words("title", "\"Web shop\"", MAX_TITLE);
    let description = words("description", "\"A shop with a cart, built with Vite\"", MAX_DESCRIPTION);
    let tags = tags(&root, &mut problems);
    let inputs = inputs::read(&root, &mut problems);
    let names = inputs::names(&inputs);
    let files = rules(&root, &names, &mut problems);
    let steps = steps::stages(&root, &names, &mut problems);
    let deploy = steps::deploy(&root, &names, &mut problems);
    let checks = steps::checks(&root, &names, deploy.preview.is_some(), &mut problems);
    problems.or(Manifest { name, version, title, description, tags, inputs, files, steps, checks, deploy })
}

fn yaml(text: &str) -> Result<Value, Vec<Problem>> {
    if text.len() > MAX_MANIFEST {
        return Err(one(MANIFEST, format!("must have at most {MAX_MANIFEST} bytes, and has {}", text.len())));
    }
    let value: Value = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map(|location| format!(":{}", location.line())).unwrap_or_default();
        // In the words for those who write YAML, not for those who call the reader.
        let said = error.without_snippet().render_with_formatter(&UserMessageFormatter);
        one(format!("{MANIFEST}{line}"), format!("is not the YAML of a manifest: {}", crate::error::one_line(&said)))
    })?;
    if depth(&value) > MAX_DEPTH {
        return Err(one(MANIFEST, format!("must be nested at most {MAX_DEPTH} deep")));
    }
    Ok(value)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn name(root: &Place<'_>, problems: &mut Problems) -> String {
    let Some(place) = root.needed(problems, "name", "persona/basic") else { return String::new() };
    let name = place.text(problems, names::MAX_NAME);
    if !name.is_empty()
        && let Err(why) = names::checked_name(&name)
    {
        place.wrong(problems, why);
    }
    name
}

fn version(root: &Place<'_>, problems: &mut Problems) -> String {
    let Some(place) = root.needed(problems, "version", "1.0.0") else { return String::new() };
    let version = place.text(problems, names::MAX_VERSION);
    if !version.is_empty()
        && let Err(why) = names::checked_version(&version)
    {
        place.wrong(problems, why);
    }
    version
}

fn tags(root: &Place<'_>, problems: &mut Problems) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for place in root.field("tags").map(|tags| tags.items(problems, MAX_TAGS)).unwrap_or_default() {
        let tag = place.text(problems, MAX_TAG);
        if tags.contains(&tag) {
            place.wrong(problems, format!("{tag:?} is there already"));
        } else if !tag.is_empty() && !names::is_word(&tag) {
            place.wrong(problems, format!("must be of a-z, 0-9 and -, such as web, and is {tag:?}"));
        }
        tags.push(tag);
    }
    tags
}

/// What inputs may be used in, and what for.
fn rules(root: &Place<'_>, names: &[&str], problems: &mut Problems) -> Vec<FileRule> {
    let Some(list) = root.needed(problems, "files", "[{from: \"**\"}]") else { return Vec::new() };
    let places = list.items(problems, MAX_RULES);
    if places.is_empty() && list.value.is_array() {
        list.wrong(problems, "must have at least one rule; for example {from: \"**\"}");
    }
    places.iter().filter_map(|place| rule(place, names, problems)).collect()
}

fn rule(place: &Place<'_>, names: &[&str], problems: &mut Problems) -> Option<FileRule> {
    place.object(problems, &["from", "to", "render", "executable"])?;
    let mut flag = |name: &str| place.field(name).is_some_and(|place| place.flag(problems));
    let (render, executable) = (flag("render"), flag("executable"));
    let from = patterns::read(&place.needed(problems, "from", "README.md")?, problems);
    let to = place.field("to").map(|to| {
        let path = to.text(problems, 240);
        if patterns::is_pattern(&from) {
            to.wrong(problems, format!("can be said of one file only, and from is the pattern {from:?}"));
        }
        if path.contains("{{") || path.contains("{%") {
            super::render::check_text(&to, &path, names, problems);
        } else if let Err(why) = paths::check(&path)
            && !path.is_empty()
        {
            to.wrong(problems, why);
        }
        path
    });
    Some(FileRule { from, to, render, executable })
}
