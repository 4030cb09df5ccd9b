//! The filters of a file's template: those that write a value in a language, and some of Jinja's. Each counts what it reads and
//! makes (`work`), and those whose result may be much larger than what they are given know its size before they make it.

use std::borrow::Cow;

use minijinja::value::{Kwargs, StringInput, Value as Jinja};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, filters};

use super::language::{Language, line, slug};
use super::work::Work;

/// Filters beside those that write a value in a language.
const FILTERS: [&str; 12] =
    ["default", "first", "join", "last", "length", "line", "lower", "replace", "slug", "sort", "trim", "upper"];

pub(super) fn known() -> Vec<&'static str> {
    Language::ALL.into_iter().map(Language::name).chain(FILTERS).collect()
}

pub(super) fn add(environment: &mut Environment<'static>, work: &Work) {
    for language in Language::ALL {
        let work = work.clone();
        let filter = move |state: &mut State<'_, '_>, value: &Jinja| {
            let in_page = matches!(state.auto_escape(), AutoEscape::Custom(name) if name == "html");
            let language = if in_page && language == Language::Json { Language::Script } else { language };
            work.read(value)?;
            work.made(Jinja::from_safe_string(written(language, value)?))
        };
        environment.add_filter(language.name(), filter);
    }
    add_words(environment, work);
    add_parts(environment, work);
    // It hands on one of two values that are there.
    environment.add_filter("default", filters::default);
}

/// What makes a text of a text.
fn add_words(environment: &mut Environment<'static>, work: &Work) {
    let named = |make: fn(&str) -> Jinja| {
        let work = work.clone();
        move |text: &str| {
            work.make(text.len())?;
            work.made(make(text))
        }
    };
    environment.add_filter("slug", named(|text| slug(text).into()));
    environment.add_filter("line", named(|text| Jinja::from_safe_string(line(text))));
    let counted = work.clone();
    environment.add_filter("lower", move |text: StringInput<'_>| {
        counted.make(text.as_str().len())?;
        counted.made(filters::lower(text))
    });
    let counted = work.clone();
    environment.add_filter("upper", move |text: StringInput<'_>| {
        counted.make(text.as_str().len())?;
        counted.made(filters::upper(text))
    });
    let counted = work.clone();
    environment.add_filter("trim", move |text: StringInput<'_>, chars: Option<Cow<'_, str>>| {
        counted.make(text.as_str().len())?;
        counted.made(filters::trim(text, chars))
    });
    let counted = work.clone();
    let replace = move |state: &mut State<'_, '_>,
                        text: StringInput<'_>,
                        from: StringInput<'_>,
                        to: StringInput<'_>| { replaced(&counted, state, &text, &from, &to) };
    environment.add_filter("replace", replace);
}

/// What looks into a list.
fn add_parts(environment: &mut Environment<'static>, work: &Work) {
    let looked = |of: fn(Jinja) -> Result<Jinja, Error>| {
        let work = work.clone();
        move |value: Jinja| {
            work.read(&value)?;
            of(value)
        }
    };
    environment.add_filter("first", looked(|value| filters::first(&value)));
    environment.add_filter("last", looked(filters::last));
    environment.add_filter("length", looked(|value| filters::length(&value).map(Jinja::from)));
    let counted = work.clone();
    environment.add_filter("sort", move |state: &State<'_, '_>, value: Jinja, how: Kwargs| {
        counted.read(&value)?;
        filters::sort(state, value, how)
    });
    let counted = work.clone();
    environment.add_filter("join", move |state: &State<'_, '_>, list: &Jinja, between: Option<StringInput<'_>>| {
        joined(&counted, state, list, between.as_ref())
    });
}

/// As in MiniJinja: beside a text that a filter wrote, the others are written as the file's language writes them.
fn replaced(
    work: &Work,
    state: &mut State<'_, '_>,
    text: &StringInput<'_>,
    from: &StringInput<'_>,
    to: &StringInput<'_>,
) -> Result<Jinja, Error> {
    let is_written = [text, from, to].iter().any(|part| part.is_safe());
    let (text, to) = match is_written {
        true => (text.format(state)?, to.format(state)?),
        false => (Cow::Borrowed(text.as_str()), Cow::Borrowed(to.as_str())),
    };
    work.make(text.len())?;
    let found = text.matches(from.as_str()).count();
    let left = text.len() - found * from.as_str().len();
    work.make(left.saturating_add(found.saturating_mul(to.len())))?;
    let made = text.replace(from.as_str(), &to);
    Ok(if is_written { Jinja::from_safe_string(made) } else { made.into() })
}

/// The same for the parts of a list.
fn joined(work: &Work, state: &State<'_, '_>, list: &Jinja, between: Option<&StringInput<'_>>) -> Result<Jinja, Error> {
    work.read(list)?;
    let parts: Vec<Jinja> = list.try_iter()?.collect();
    let is_written = between.is_some_and(StringInput::is_safe) || parts.iter().any(Jinja::is_safe);
    let in_language = |part: &Jinja| match (is_written && !part.is_safe(), state.auto_escape()) {
        (true, AutoEscape::Custom(name)) => written(Language::named(name), part),
        _ => Ok(part.to_string()),
    };
    let between = match between {
        None => String::new(),
        Some(text) if text.is_safe() => text.as_str().to_owned(),
        Some(text) => in_language(&Jinja::from(text.as_str()))?,
    };
    let mut made = String::new();
    for (index, part) in parts.iter().enumerate() {
        let between = if index > 0 { between.as_str() } else { "" };
        let part = in_language(part)?;
        work.room(made.len(), between.len() + part.len())?;
        made.push_str(between);
        made.push_str(&part);
    }
    Ok(if is_written { Jinja::from_safe_string(made) } else { made.into() })
}

/// A value as a language writes it.
pub(super) fn written(language: Language, value: &Jinja) -> Result<String, Error> {
    let plain =
        serde_json::to_value(value).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    language.write(&plain).map_err(|why| Error::new(ErrorKind::InvalidOperation, why))
}
