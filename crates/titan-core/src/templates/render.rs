//! Filling inputs into files. A template of a file sees its inputs, loops, conditions and a few filters: it includes nothing,
//! calls nothing, and ends, with a limit to its steps and to what it writes.

use std::io::Write;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value as Jinja};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, filters};
use regex::Regex;
use serde_json::Value;

use super::language::{Language, line, slug};
use super::manifest::{Check, Deploy, Steps, What};
use super::place::{Place, one_of};
use super::problem::{Problem, Problems};
use super::template::{FILES, Template};
use super::{MAX_RENDERED, MAX_RENDERED_FILE, inputs, paths};

/// Steps of one file's template.
const FUEL: u64 = 1_000_000;

/// A file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub bytes: Vec<u8>,
    pub executable: bool,
}

/// A template with a project's inputs filled in.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// As they were used, defaults included.
    pub inputs: Value,
    /// By path.
    pub files: Vec<File>,
    pub steps: Steps,
    pub checks: Vec<Check>,
    pub deploy: Deploy,
}

/// Makes a project's files out of a template.
///
/// # Errors
/// Inputs that the template does not take, and files that cannot be made of them.
pub fn render(template: &Template, given: &Value) -> Result<Rendered, Vec<Problem>> {
    let manifest = &template.manifest;
    let inputs = inputs::filled(&manifest.inputs, given)?;
    let filler = Filler::new(&inputs);
    let mut problems = Problems::default();
    let mut files = Vec::new();
    let mut total = 0;
    for (from, rule) in template.placed() {
        let Some(bytes) = template.files.get(from) else { continue };
        let name = format!("{FILES}{from}");
        let path = match &rule.to {
            None => from.clone(),
            Some(to) => match filler.fill("path", to, MAX_RENDERED_FILE) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) => {
                    problems.add(&name, format!("its path {to:?} cannot be made: {}", in_words(&error)));
                    continue;
                }
            },
        };
        if let Err(why) = paths::check(&path) {
            problems.add(&name, format!("would become {path:?}, and a path {why}"));
            continue;
        }
        let made = if rule.render { fill_file(&filler, from, bytes) } else { Ok(bytes.clone()) };
        match made {
            Ok(bytes) => {
                total += bytes.len();
                files.push(File { path, bytes, executable: rule.executable });
            }
            Err((at, why)) => problems.add(at, why),
        }
    }
    if total > MAX_RENDERED {
        problems.add("files", format!("would have {total} bytes together, and may have {MAX_RENDERED}"));
    }
    paths::check_together(files.iter().map(|file| file.path.as_str()), &mut problems);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let (steps, checks, deploy) = fill_commands(&filler, template, &mut problems);
    problems.or(Rendered { inputs, files, steps, checks, deploy })
}

fn fill_file(filler: &Filler<'_>, from: &str, bytes: &[u8]) -> Result<Vec<u8>, (String, String)> {
    let place = |error: &Error| match error.line() {
        Some(line) => format!("{FILES}{from}:{line}"),
        None => format!("{FILES}{from}"),
    };
    let source = std::str::from_utf8(bytes)
        .map_err(|_| (format!("{FILES}{from}"), "is not text in UTF-8, and cannot be rendered".to_owned()))?;
    filler.fill(from, source, MAX_RENDERED_FILE).map_err(|error| (place(&error), in_words(&error)))
}

/// What a manifest says of commands, with the inputs in it.
fn fill_commands(filler: &Filler<'_>, template: &Template, problems: &mut Problems) -> (Steps, Vec<Check>, Deploy) {
    let mut fill = |text: &mut String| match filler.fill("text", text, MAX_RENDERED_FILE) {
        Ok(bytes) => *text = String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => problems.add(super::MANIFEST, format!("{text:?} cannot be filled in: {}", in_words(&error))),
    };
    let (mut steps, mut checks) = (template.manifest.steps.clone(), template.manifest.checks.clone());
    let mut deploy = template.manifest.deploy.clone();
    for step in [&mut steps.build, &mut steps.verify, &mut steps.publish].into_iter().flatten() {
        step.env.values_mut().for_each(&mut fill);
    }
    for check in &mut checks {
        match &mut check.what {
            What::Http(http) => http.contains.iter_mut().for_each(&mut fill),
            What::File(file) => file.contains.iter_mut().for_each(&mut fill),
            What::Command(step) => step.env.values_mut().for_each(&mut fill),
        }
    }
    deploy.preview.iter_mut().flat_map(|preview| preview.env.values_mut()).for_each(&mut fill);
    (steps, checks, deploy)
}

/// The language's rules with a project's inputs.
struct Filler<'i> {
    environment: Environment<'static>,
    inputs: &'i Value,
}

impl<'i> Filler<'i> {
    fn new(inputs: &'i Value) -> Self {
        Filler { environment: environment(), inputs }
    }

    fn fill(&self, name: &str, source: &str, most: usize) -> Result<Vec<u8>, Error> {
        let mut out = Limited { bytes: Vec::new(), most };
        self.environment.template_from_named_str(name, source)?.render_captured_to(Serde(self.inputs), &mut out)?;
        Ok(out.bytes)
    }
}

/// Finds out what is wrong with a file that is to be rendered, before there are inputs.
pub(super) fn check_file(path: &str, bytes: &[u8], names: &[&str], problems: &mut Problems) {
    let name = format!("{FILES}{path}");
    let Ok(source) = std::str::from_utf8(bytes) else {
        problems.add(name, "is not text in UTF-8, and cannot be rendered; copy it as it is");
        return;
    };
    for (line, message) in wrong_in(path, source, names) {
        problems.add(line.map_or_else(|| name.clone(), |line| format!("{name}:{line}")), message);
    }
}

/// The same for a text in the manifest that may hold inputs.
pub(super) fn check_text(place: &Place<'_>, text: &str, names: &[&str], problems: &mut Problems) {
    for (_, message) in wrong_in("text", text, names) {
        place.wrong(problems, message);
    }
}

fn wrong_in(name: &str, source: &str, names: &[&str]) -> Vec<(Option<usize>, String)> {
    let environment = environment();
    let template = match environment.template_from_named_str(name, source) {
        Ok(template) => template,
        Err(error) => return vec![(error.line(), in_words(&error))],
    };
    let unusable = unusable(source);
    if !unusable.is_empty() {
        return unusable;
    }
    let mut unknown: Vec<String> =
        template.undeclared_variables(false).into_iter().filter(|name| !names.contains(&name.as_str())).collect();
    unknown.sort_unstable();
    let told = |unknown: String| {
        let line = source.lines().position(|line| line.contains(&unknown)).map(|index| index + 1);
        let known = if names.is_empty() { "there are none".to_owned() } else { format!("there are {}", one_of(names)) };
        (line, format!("{unknown} is not an input of this template; {known}"))
    };
    unknown.into_iter().map(told).collect()
}

/// What would be found out only when it is rendered: words that bring another template in, since there is none, and filters that
/// nobody knows.
fn unusable(source: &str) -> Vec<(Option<usize>, String)> {
    static MARKS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?s)\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw|\{#.*?#\}|\{\{(.*?)\}\}|\{%[-+]?\s*(.*?)%\}")
            .ok()
    });
    static TEXTS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""[^"]*"|'[^']*'"#).ok());
    static FILTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\|\s*(\w+)").ok());
    let (Some(marks), Some(texts), Some(filter)) = (MARKS.as_ref(), TEXTS.as_ref(), FILTER.as_ref()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for mark in marks.captures_iter(source) {
        let before = mark.get(0).and_then(|whole| source.get(..whole.start())).unwrap_or_default();
        let line = Some(before.matches('\n').count() + 1);
        let word = mark.get(2).map(|inner| inner.as_str().split_whitespace().next().unwrap_or_default());
        if let Some(word) = word.filter(|word| ALONE.contains(word)) {
            found.push((line, format!("{word} cannot be used: a file's template is one by itself")));
        }
        let Some(inner) = mark.get(1).or(mark.get(2)) else { continue };
        for name in filter.captures_iter(&texts.replace_all(inner.as_str(), "")).filter_map(|filter| filter.get(1)) {
            if !filters_known().contains(&name.as_str()) {
                let known = one_of(&filters_known());
                found.push((line, format!("{} is not a filter; there are {known}", name.as_str())));
            }
        }
    }
    found
}

/// Words that name another template.
const ALONE: [&str; 5] = ["block", "extends", "from", "import", "include"];
/// Filters beside those that write a value in a language.
const FILTERS: [&str; 12] =
    ["default", "first", "join", "last", "length", "line", "lower", "replace", "slug", "sort", "trim", "upper"];

fn filters_known() -> Vec<&'static str> {
    Language::ALL.into_iter().map(Language::name).chain(FILTERS).collect()
}

fn in_words(error: &Error) -> String {
    let said = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    match error.kind() {
        ErrorKind::OutOfFuel => "takes too many steps; a loop may be too long".to_owned(),
        ErrorKind::WriteFailure => format!("would become larger than {MAX_RENDERED_FILE} bytes"),
        _ => crate::error::one_line(&said),
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // The usual marks always make a configuration.
    if let Ok(syntax) =
        SyntaxConfig::builder().keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true).build()
    {
        environment.set_syntax(syntax);
    }
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|name| AutoEscape::Custom(Language::of_file(name).name().into()));
    environment.set_formatter(write_value);
    for language in Language::ALL {
        let filter = move |state: &mut State<'_, '_>, value: &Jinja| {
            let in_page = matches!(state.auto_escape(), AutoEscape::Custom(name) if name == "html");
            let language = if in_page && language == Language::Json { Language::Script } else { language };
            written(language, value).map(Jinja::from_safe_string)
        };
        environment.add_filter(language.name(), filter);
    }
    environment.add_filter("slug", |text: &str| slug(text));
    environment.add_filter("line", |text: &str| Jinja::from_safe_string(line(text)));
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("join", filters::join);
    environment.add_filter("last", filters::last);
    environment.add_filter("length", filters::length);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("replace", filters::replace);
    environment.add_filter("sort", filters::sort);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("upper", filters::upper);
    environment.add_test("defined", minijinja::tests::is_defined);
    environment.add_test("none", minijinja::tests::is_none);
    environment
}

/// Whatever a file's template prints is written as the file's language writes it, but for what a filter has written already.
fn write_value(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Jinja) -> Result<(), Error> {
    let text = match (value.is_safe(), state.auto_escape()) {
        (false, AutoEscape::Custom(name)) => written(Language::named(name), value)?,
        _ => value.to_string(),
    };
    out.write_str(&text).map_err(Error::from)
}

fn written(language: Language, value: &Jinja) -> Result<String, Error> {
    let plain =
        serde_json::to_value(value).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    language.write(&plain).map_err(|why| Error::new(ErrorKind::InvalidOperation, why))
}

/// Takes so many bytes and no more.
struct Limited {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Limited {
    fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + more.len() > self.most {
            return Err(std::io::Error::other("the file is too large"));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_filter_that_is_known_is_there() {
        let inputs = json!({"text": "a", "list": ["a"]});
        let filler = Filler::new(&inputs);
        for name in filters_known() {
            let source = match name {
                "join" | "first" | "last" | "sort" => format!("{{{{ list|{name}|length }}}}"),
                "replace" => "{{ text|replace('a', 'b') }}".to_owned(),
                _ => format!("{{{{ text|{name} }}}}"),
            };
            assert!(wrong_in("x.txt", &source, &["text", "list"]).is_empty(), "{name}");
            assert!(filler.fill("x.txt", &source, 100).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_found_before_there_are_inputs() {
        let told = |source: &str| {
            let found = wrong_in("x.txt", source, &["a"]);
            found.into_iter().map(|(line, why)| format!("{}: {why}", line.unwrap_or_default())).collect::<Vec<_>>()
        };
        assert!(
            told("{% raw %}{% include 'x' %}{{ b|c }}{% endraw %}{# {{ d|e }} #}{{ a|replace('|x', \"|y\") }} || x")
                .is_empty()
        );
        assert_eq!(told("\n{%- include 'x' %}"), ["2: include cannot be used: a file's template is one by itself"]);
        assert!(
            told("\n\n{% if a|shout %}{% endif %}")[0].starts_with("3: shout is not a filter; there are plain, html")
        );
        assert_eq!(told("{{ b }}"), ["1: b is not an input of this template; there are a"]);
        assert!(told("{{ a")[0].starts_with("1: syntax error"));
    }
}
