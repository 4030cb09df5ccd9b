//! Walking through a manifest: each read says what is wrong where, and goes on with nothing instead, so that all problems are
//! found at once. What is missing and what is too long is said here; what the words mean is looked at by who reads them.

use serde_json::{Map, Value};

use super::problem::Problems;

/// A value and where it stands, as a JSON pointer.
#[derive(Clone)]
pub(crate) struct Place<'v> {
    pub(crate) value: &'v Value,
    pub(crate) path: String,
}

impl<'v> Place<'v> {
    pub(crate) fn root(value: &'v Value) -> Self {
        Place { value, path: String::new() }
    }

    fn at(&self, step: &str, value: &'v Value) -> Self {
        Place { value, path: pointer(&self.path, step) }
    }

    pub(crate) fn wrong(&self, problems: &mut Problems, message: impl Into<String>) {
        // The manifest as a whole has an empty pointer, which would look like a mistake.
        let path = if self.path.is_empty() { "/" } else { &self.path };
        problems.add(path, message);
    }

    /// An object that has no other fields than these.
    pub(crate) fn object(&self, problems: &mut Problems, known: &[&str]) -> Option<&'v Map<String, Value>> {
        let Value::Object(map) = self.value else {
            let message = format!("must be an object with {}, and is {}", one_of(known), kind(self.value));
            self.wrong(problems, message);
            return None;
        };
        for name in map.keys().filter(|name| !known.contains(&name.as_str())) {
            let message = format!("is not known here; there can be {}", one_of(known));
            problems.add(pointer(&self.path, name), message);
        }
        Some(map)
    }

    /// A field, if it is there; null counts as not there.
    pub(crate) fn field(&self, name: &str) -> Option<Place<'v>> {
        self.value.get(name).filter(|value| !value.is_null()).map(|value| self.at(name, value))
    }

    pub(crate) fn needed(&self, problems: &mut Problems, name: &str, example: &str) -> Option<Place<'v>> {
        let found = self.field(name);
        if found.is_none() {
            problems.add(pointer(&self.path, name), format!("is needed; for example {example}"));
        }
        found
    }

    /// A text that is not blank.
    pub(crate) fn text(&self, problems: &mut Problems, most: usize) -> String {
        let text = self.any_text(problems, most);
        if text.trim().is_empty() && self.value.is_string() {
            self.wrong(problems, "must not be empty");
        }
        text
    }

    /// A text that may be empty.
    pub(crate) fn any_text(&self, problems: &mut Problems, most: usize) -> String {
        let Value::String(text) = self.value else {
            let hint = if self.value.is_number() { "; write it in quotes" } else { "" };
            self.wrong(problems, format!("must be a text, and is {}{hint}", kind(self.value)));
            return String::new();
        };
        let length = text.chars().count();
        if length > most {
            self.wrong(problems, format!("must have at most {most} characters, and has {length}"));
        } else if text.contains('\0') {
            self.wrong(problems, "must not contain NUL characters");
        }
        text.clone()
    }

    pub(crate) fn flag(&self, problems: &mut Problems) -> bool {
        self.value.as_bool().unwrap_or_else(|| {
            self.wrong(problems, format!("must be true or false, and is {}", kind(self.value)));
            false
        })
    }

    pub(crate) fn number(&self, problems: &mut Problems, least: u64, most: u64) -> u64 {
        match self.value.as_u64() {
            Some(number) if (least..=most).contains(&number) => number,
            _ => {
                let message = format!("must be a whole number from {least} to {most}, and is {}", kind(self.value));
                self.wrong(problems, message);
                least
            }
        }
    }

    pub(crate) fn items(&self, problems: &mut Problems, most: usize) -> Vec<Place<'v>> {
        let Value::Array(items) = self.value else {
            self.wrong(problems, format!("must be a list, and is {}", kind(self.value)));
            return Vec::new();
        };
        if items.len() > most {
            self.wrong(problems, format!("must have at most {most} entries, and has {}", items.len()));
        }
        items.iter().take(most).enumerate().map(|(index, item)| self.at(&index.to_string(), item)).collect()
    }

    /// The fields of an object whose names are the author's.
    pub(crate) fn entries(&self, problems: &mut Problems, most: usize) -> Vec<(&'v str, Place<'v>)> {
        let Value::Object(map) = self.value else {
            self.wrong(problems, format!("must be an object of names and values, and is {}", kind(self.value)));
            return Vec::new();
        };
        if map.len() > most {
            self.wrong(problems, format!("must have at most {most} entries, and has {}", map.len()));
        }
        map.iter().take(most).map(|(name, value)| (name.as_str(), self.at(name, value))).collect()
    }

    /// A time such as `90s` or `10m`, in seconds.
    pub(crate) fn seconds(&self, problems: &mut Problems, most: u64) -> u64 {
        let units = [("s", 1), ("m", 60), ("h", 3600)];
        let text = self.value.as_str().unwrap_or_default();
        let seconds =
            units.iter().find_map(|(unit, factor)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*factor));
        match seconds {
            Some(seconds) if (1..=most).contains(&seconds) => seconds,
            _ => {
                let message = format!(
                    "must be a time from 1s to {most}s, written like 90s, 10m or 1h, and is {}",
                    kind(self.value)
                );
                self.wrong(problems, message);
                most
            }
        }
    }
}

pub(crate) fn pointer(path: &str, step: &str) -> String {
    format!("{path}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What stands there instead, shortened.
pub(crate) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text {:?}", crate::text::head(text, 40)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
