//! How a value is written into a file: as the file's language writes it, so that no input can break out of where it stands.
//! In a `.py`, `.rs`, `.toml`, `.json` or `.ts` file that is a literal with its quotes, in HTML escaped text.

use std::fmt::Write as _;

use serde_json::Value;

use crate::filename::is_invisible;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// As it is: text files, style sheets, paths, and whatever is not known.
    Plain,
    Html,
    Json,
    Markdown,
    Python,
    Rust,
    /// JSON within a script of a page.
    Script,
    Shell,
    Toml,
}

impl Language {
    pub(super) const ALL: [Language; 9] = [
        Language::Plain,
        Language::Html,
        Language::Json,
        Language::Markdown,
        Language::Python,
        Language::Rust,
        Language::Script,
        Language::Shell,
        Language::Toml,
    ];

    /// By the ending of a file's name.
    pub(super) fn of_file(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        match ending.as_deref() {
            Some("html" | "htm" | "xml" | "svg") => Language::Html,
            Some(
                "json" | "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "yaml" | "yml" | "webmanifest",
            ) => Language::Json,
            Some("md" | "markdown") => Language::Markdown,
            Some("py") => Language::Python,
            Some("rs") => Language::Rust,
            Some("sh" | "bash") => Language::Shell,
            Some("toml") => Language::Toml,
            _ => Language::Plain,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Language::Plain => "plain",
            Language::Html => "html",
            Language::Json => "json",
            Language::Markdown => "markdown",
            Language::Python => "python",
            Language::Rust => "rust",
            Language::Script => "script",
            Language::Shell => "shell",
            Language::Toml => "toml",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        Language::ALL.into_iter().find(|language| language.name() == name).unwrap_or(Language::Plain)
    }

    /// A value in this language.
    ///
    /// # Errors
    /// For a list or an object in a language that has none.
    pub(super) fn write(self, value: &Value) -> Result<String, String> {
        Ok(match value {
            Value::Null => match self {
                Language::Json | Language::Script => "null".to_owned(),
                Language::Python | Language::Rust => "None".to_owned(),
                _ => String::new(),
            },
            Value::Bool(flag) if self == Language::Python => (if *flag { "True" } else { "False" }).to_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                self.has_lists("a list")?;
                let items: Result<Vec<String>, String> = items.iter().map(|item| self.write(item)).collect();
                format!("[{}]", items?.join(", "))
            }
            Value::Object(map) => {
                self.has_lists("an object")?;
                let (open, between, close) =
                    if self == Language::Toml { ("{ ", " = ", " }") } else { ("{", ": ", "}") };
                let fields: Result<Vec<String>, String> = map
                    .iter()
                    .map(|(name, value)| Ok(format!("{}{between}{}", self.text(name), self.write(value)?)))
                    .collect();
                format!("{open}{}{close}", fields?.join(", "))
            }
        })
    }

    fn has_lists(self, what: &str) -> Result<(), String> {
        match self {
            Language::Json | Language::Script | Language::Python | Language::Toml => Ok(()),
            Language::Rust if what == "a list" => Ok(()),
            _ => Err(format!("{what} cannot be written here; go through it with {{% for %}}, or join it")),
        }
    }

    fn text(self, text: &str) -> String {
        match self {
            Language::Plain => text.to_owned(),
            Language::Html => html(text),
            Language::Markdown => markdown(text),
            Language::Shell => format!("'{}'", text.replace('\'', "'\\''")),
            // As everybody writes it, so that a check can look for it in what a program answers.
            Language::Json => Value::from(text).to_string(),
            // A script ends at its end tag, wherever that stands.
            Language::Script => Value::from(text).to_string().replace('<', "\\u003c").replace('>', "\\u003e"),
            Language::Python | Language::Toml => quoted(text, |c| escaped(c, |c| format!("\\u{c:04x}"))),
            Language::Rust => quoted(text, |c| escaped(c, |c| format!("\\u{{{c:x}}}"))),
        }
    }
}

/// A text in double quotes. What all these languages write alike is written here.
fn quoted(text: &str, escape: impl Fn(char) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => match escape(c) {
                Some(escaped) => out.push_str(&escaped),
                None => out.push(c),
            },
        }
    }
    out.push('"');
    out
}

/// What nobody sees is written as its number: none of these is beyond four hex digits.
fn escaped(c: char, number: impl Fn(u32) -> String) -> Option<String> {
    (c.is_control() || is_invisible(c)).then(|| number(c as u32))
}

fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            // No page may hold these, not even by their numbers.
            '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' => {}
            _ => out.push(c),
        }
    }
    out
}

/// On one line, and meant as it is.
fn markdown(text: &str) -> String {
    let text = line(text);
    let mut out = String::with_capacity(text.len());
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    for (index, c) in text.chars().enumerate() {
        let inline = "\\`*_[]<>|".contains(c);
        // At the beginning of a line these make a heading, a list or a rule.
        let block = (index == 0 && "#+-=~".contains(c)) || (digits > 0 && index == digits && ".)".contains(c));
        if inline || block {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Without line breaks, and without what nobody sees: for comments, and for a language's file that has no other word for it.
pub(super) fn line(text: &str) -> String {
    let seen: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !is_invisible(*c)).collect();
    crate::error::one_line(&seen)
}

/// Words that mean something to a tool that would see them as a name.
const MEANT: [&str; 12] = [
    "build",
    "con",
    "deps",
    "dist",
    "examples",
    "incremental",
    "node-modules",
    "nul",
    "src",
    "target",
    "test",
    "tests",
];
const MAX_SLUG: usize = 40;

/// A name for a program or a package: lowercase letters, digits and hyphens, the first a letter.
pub(super) fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            let _ = out.write_char(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let mut slug = crate::text::head(&out, MAX_SLUG).trim_matches('-').to_owned();
    if slug.is_empty() || slug.starts_with(|c: char| c.is_ascii_digit()) {
        slug = format!("app-{slug}").trim_end_matches('-').to_owned();
    }
    if MEANT.contains(&slug.as_str()) { format!("{slug}-app") } else { slug }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_a_literal_of_the_language() {
        let text = json!("a\"b\\c\n</script>\u{202e}");
        let write = |language: Language| language.write(&text).unwrap();
        assert_eq!(write(Language::Json), "\"a\\\"b\\\\c\\n</script>\u{202e}\"");
        assert!(write(Language::Script).contains(r"\u003c/script\u003e"));
        assert_eq!(write(Language::Python), r#""a\"b\\c\n</script>\u202e""#);
        assert_eq!(write(Language::Rust), r#""a\"b\\c\n</script>\u{202e}""#);
        assert_eq!(write(Language::Html), "a&quot;b\\c\n&lt;/script&gt;\u{202e}");
        assert_eq!(write(Language::Markdown), "a\"b\\\\c \\</script\\>");
        assert_eq!(Language::Shell.write(&json!("it's")).unwrap(), r"'it'\''s'");
    }

    #[test]
    fn other_values_are_too_where_the_language_has_them() {
        let value = json!({"a": [1, true, null]});
        assert_eq!(Language::Python.write(&value).unwrap(), r#"{"a": [1, True, None]}"#);
        assert_eq!(Language::Json.write(&value).unwrap(), r#"{"a": [1, true, null]}"#);
        assert_eq!(Language::Rust.write(&json!(["x"])).unwrap(), r#"["x"]"#);
        assert!(Language::Html.write(&value).unwrap_err().contains("join"));
    }

    #[test]
    fn a_slug_is_a_name_everywhere() {
        for (text, name) in [
            ("My Web App", "my-web-app"),
            ("  Tee & Kaffee!  ", "tee-kaffee"),
            ("日本語", "app"),
            ("3D viewer", "app-3d-viewer"),
            ("Build", "build-app"),
        ] {
            assert_eq!(slug(text), name);
        }
    }

    proptest! {
        #[test]
        fn literals_are_read_back_as_they_were(text in any::<String>()) {
            let json = Language::Json.write(&json!(text)).unwrap();
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text.clone());
            let script = Language::Script.write(&json!(text)).unwrap();
            prop_assert_eq!(serde_json::from_str::<String>(&script).unwrap(), text);
            prop_assert!(!script.contains('<'));
        }

        #[test]
        fn slugs_and_lines_hold_nothing_else(text in any::<String>()) {
            prop_assert!(crate::templates::names::is_word(&slug(&text)));
            let line = line(&text);
            prop_assert!(!line.chars().any(|c| c.is_control() || is_invisible(c)), "{line:?}");
        }
    }
}
