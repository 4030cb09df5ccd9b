//! Filling inputs into files. A template of a file sees its inputs, loops, conditions and a few filters: it includes nothing,
//! calls nothing, and ends, with a limit to its steps, to what its filters work on, and to what it writes. `grammar` says what
//! it may use and why that is enough.

use std::io::Write;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value as Jinja};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde_json::Value;

use super::filters::{self, written};
use super::grammar::{self, Wrong};
use super::language::Language;
use super::manifest::{Check, Deploy, Steps, What};
use super::place::{Place, one_of};
use super::problem::{Problem, Problems};
use super::template::{FILES, Template};
use super::work::Work;
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
        let made = if rule.render { fill_file(&filler, from, &path, bytes) } else { Ok(bytes.clone()) };
        match made {
            Ok(bytes) => {
                total += bytes.len();
                files.push(File { path, bytes, executable: rule.executable });
            }
            Err((at, why)) => problems.add(at, why),
        }
        if total > MAX_RENDERED {
            problems.add("files", format!("would have more than {MAX_RENDERED} bytes together, and may have no more"));
            return Err(problems.into_inner());
        }
    }
    paths::check_together(files.iter().map(|file| file.path.as_str()), &mut problems);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let (steps, checks, deploy) = fill_commands(&filler, template, &mut problems);
    problems.or(Rendered { inputs, files, steps, checks, deploy })
}

/// In the language of the file that is made: what its source is called is the author's own affair.
fn fill_file(filler: &Filler<'_>, from: &str, made: &str, bytes: &[u8]) -> Result<Vec<u8>, (String, String)> {
    let place = |error: &Error| match error.line() {
        Some(line) => format!("{FILES}{from}:{line}"),
        None => format!("{FILES}{from}"),
    };
    let source = std::str::from_utf8(bytes)
        .map_err(|_| (format!("{FILES}{from}"), "is not text in UTF-8, and cannot be rendered".to_owned()))?;
    filler.fill(made, source, MAX_RENDERED_FILE).map_err(|error| (place(&error), in_words(&error)))
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
    work: Work,
    inputs: &'i Value,
}

impl<'i> Filler<'i> {
    fn new(inputs: &'i Value) -> Self {
        let work = Work::default();
        Filler { environment: environment(&work), work, inputs }
    }

    fn fill(&self, name: &str, source: &str, most: usize) -> Result<Vec<u8>, Error> {
        let mut out = Limited { bytes: Vec::new(), most };
        self.work.begin();
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

fn wrong_in(name: &str, source: &str, names: &[&str]) -> Vec<Wrong> {
    match grammar::check(source, syntax(), &filters::known()) {
        Err(error) => return vec![(error.line(), in_words(&error))],
        Ok(wrong) if !wrong.is_empty() => return wrong,
        Ok(_) => {}
    }
    let environment = environment(&Work::default());
    let template = match environment.template_from_named_str(name, source) {
        Ok(template) => template,
        Err(error) => return vec![(error.line(), in_words(&error))],
    };
    let mut unknown: Vec<String> =
        template.undeclared_variables(false).into_iter().filter(|name| !names.contains(&name.as_str())).collect();
    unknown.sort_unstable();
    // For each of them the source is read from its beginning.
    unknown.truncate(MOST_UNKNOWN);
    let told = |unknown: String| {
        let line = source.lines().position(|line| line.contains(&unknown)).map(|index| index + 1);
        let known = if names.is_empty() { "there are none".to_owned() } else { format!("there are {}", one_of(names)) };
        (line, format!("{unknown} is not an input of this template; {known}"))
    };
    unknown.into_iter().map(told).collect()
}

/// Names that are told of one file.
const MOST_UNKNOWN: usize = 100;
fn in_words(error: &Error) -> String {
    let said = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    match error.kind() {
        ErrorKind::OutOfFuel => match error.detail() {
            Some(detail) => format!("takes too much work: {detail}"),
            None => "takes too many steps; a loop may be too long".to_owned(),
        },
        ErrorKind::WriteFailure => format!("would become larger than {MAX_RENDERED_FILE} bytes"),
        _ => crate::error::one_line(&said),
    }
}

fn syntax() -> SyntaxConfig {
    // The usual marks always make a configuration.
    let marks = SyntaxConfig::builder().keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true).build();
    marks.unwrap_or_default()
}

fn environment(work: &Work) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(syntax());
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|name| AutoEscape::Custom(Language::of_file(name).name().into()));
    let counted = work.clone();
    environment.set_formatter(move |out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Jinja| {
        counted.read(value)?;
        write_value(out, state, value)
    });
    filters::add(&mut environment, work);
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
        for name in filters::known() {
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
        let many: String = (0..5000).map(|index| format!("{{{{ b{index} }}}}\n")).collect();
        assert_eq!(told(&many).len(), 100);
    }

    #[test]
    fn what_could_grow_without_a_limit_is_refused_before_anything_is_made() {
        for (source, word) in [
            ("{% set b = a ~ a %}", "~ cannot be used"),
            ("{{ '}}' ~ a }}", "~ cannot be used"),
            ("{{ a + a }}", "+ cannot be used"),
            ("{{ 'xxxxxxxxxx' * 10000000 }}", "* cannot be used"),
            ("{{ a[1:] }}", "cannot be cut out"),
            ("{% set b %}{{ a }}{{ a }}{% endset %}", "set without a value cannot be used"),
            ("{% filter upper %}{{ a }}{% endfilter %}", "filter as a block cannot be used"),
            ("{% macro m() %}{{ a }}{{ a }}{% endmacro %}{{ m() }}", "macro cannot be used"),
            ("{% set b = [a, a] %}", "written out only"),
            ("{% set b = {'x': a} %}", "written out only"),
            ("{% for x in a recursive %}{{ loop(x) }}{% endfor %}", "cannot be recursive"),
            ("{{ a|join(*a) }}", "without *"),
            ("{{ a|join(d='x') }}", "join takes one thing"),
            ("{% autoescape 'none' %}{{ a }}{% endautoescape %}", "autoescape cannot be used"),
            ("{% if a is divisibleby(3) %}{% endif %}", "is not a test"),
        ] {
            let found = wrong_in("x.txt", source, &["a"]);
            assert!(found.iter().any(|(_, why)| why.contains(word)), "{source}: {found:?}");
        }
        let harmless = "{% for i, b in [[1, 'x'], [2, 'y']] %}{{ loop.index + 1 }}{% endfor %}\
             {% with c = a|upper %}{{ c if c is defined and not (1 < 2) else a[0] }}{% endwith %}{{ a is not none }}{{ 7 // 2 }}";
        assert!(wrong_in("x.txt", harmless, &["a"]).is_empty());
    }

    #[test]
    fn what_filters_make_has_a_limit() {
        let inputs = json!({"text": "\\".repeat(20_000), "list": vec!["x"; 2_000]});
        let filler = Filler::new(&inputs);
        for source in [
            "{{ text|replace('', text)|replace('', text) }}".to_owned(),
            format!("{{{{ text{} }}}}", "|json".repeat(40)),
            format!("{{{{ list{} }}}}", "|join('0123456789')".repeat(9)),
            "{% for a in list %}{% for b in list %}{% if text|upper %}{% endif %}{% endfor %}{% endfor %}".to_owned(),
        ] {
            assert!(wrong_in("x.txt", &source, &["text", "list"]).is_empty());
            let why = in_words(&filler.fill("x.txt", &source, MAX_RENDERED_FILE).unwrap_err());
            assert!(why.contains("too much work"), "{source}: {why}");
        }
        // Each file begins anew, and what people do is far from it.
        for source in ["{{ list|join(', ')|replace('x', 'y')|upper }}", "{{ '&'|html|replace('&amp;', '<') }}"] {
            assert!(filler.fill("x.txt", source, MAX_RENDERED_FILE).is_ok(), "{source}");
        }
        let parts = filler.fill("x.html", "{{ ['<', '>']|join('<br>'|plain) }}{{ ['<']|join }}", 100).unwrap();
        assert_eq!(String::from_utf8(parts).unwrap(), "&lt;<br>&gt;&lt;");
    }
}
