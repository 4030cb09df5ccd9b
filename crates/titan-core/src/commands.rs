//! The command of a task of the type `exec`: its payload.

use std::time::Duration;

use serde_json::Value;

use crate::projects::checked_text;
use crate::{Error, Result};

/// Characters of a line for the shell, and of one argument.
const MAX_LINE: usize = 20_000;
const MAX_ARGUMENTS: usize = 200;
const USUAL_SECONDS: u64 = 600;
const MAX_SECONDS: u64 = 7_000;

/// What is to be run, where the project's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments.
    pub argv: Vec<String>,
    pub timeout: Duration,
    /// Whether it may fetch packages; it reaches nothing else in any case.
    pub registries: bool,
}

impl Command {
    /// # Errors
    /// The field that is wrong and what would be right.
    pub fn of(payload: &Value) -> Result<Self> {
        const FIELDS: [&str; 3] = ["command", "timeout_seconds", "network"];
        if let Some(name) =
            payload.as_object().and_then(|fields| fields.keys().find(|name| !FIELDS.contains(&name.as_str())))
        {
            return Err(Error::invalid(
                "payload",
                format!("has command, timeout_seconds and network, and no {name:?}"),
            ));
        }
        Ok(Command { argv: argv(payload)?, timeout: timeout(payload)?, registries: registries(payload)? })
    }

    /// As a person would type it.
    #[must_use]
    pub fn line(&self) -> String {
        match self.argv.as_slice() {
            [shell, option, line] if shell == "sh" && option == "-c" => line.clone(),
            argv => argv.join(" "),
        }
    }
}

fn argv(payload: &Value) -> Result<Vec<String>> {
    const FIELD: &str = "payload.command";
    match payload.get("command") {
        Some(Value::String(line)) => Ok(vec!["sh".to_owned(), "-c".to_owned(), checked_text(FIELD, line, MAX_LINE)?]),
        Some(Value::Array(words)) if (1..=MAX_ARGUMENTS).contains(&words.len()) => {
            let words = words.iter().map(|word| match word {
                Value::String(word) if word.contains('\0') || word.chars().count() > MAX_LINE => {
                    Err(Error::invalid(FIELD, format!("has a word with a NUL or with more than {MAX_LINE} characters")))
                }
                Value::String(word) => Ok(word.clone()),
                _ => Err(Error::invalid(FIELD, "must hold words only, such as [\"npm\", \"test\"]")),
            });
            let words = words.collect::<Result<Vec<String>>>()?;
            match words.first() {
                Some(program) if !program.trim().is_empty() => Ok(words),
                _ => Err(Error::invalid(FIELD, "must begin with a program, such as [\"npm\", \"test\"]")),
            }
        }
        Some(Value::Array(words)) => {
            Err(Error::invalid(FIELD, format!("must have 1 to {MAX_ARGUMENTS} words, and has {}", words.len())))
        }
        _ => Err(Error::invalid(FIELD, "must be a line for the shell, or a list such as [\"npm\", \"test\"]")),
    }
}

fn timeout(payload: &Value) -> Result<Duration> {
    match payload.get("timeout_seconds") {
        None | Some(Value::Null) => Ok(Duration::from_secs(USUAL_SECONDS)),
        Some(given) => match given.as_u64() {
            Some(seconds) if (1..=MAX_SECONDS).contains(&seconds) => Ok(Duration::from_secs(seconds)),
            _ => Err(Error::invalid(
                "payload.timeout_seconds",
                format!("must be a number from 1 to {MAX_SECONDS}, and is {given}"),
            )),
        },
    }
}

fn registries(payload: &Value) -> Result<bool> {
    match payload.get("network").map(|network| (network, network.as_str())) {
        None | Some((Value::Null, _) | (_, Some("none"))) => Ok(false),
        Some((_, Some("registries"))) => Ok(true),
        Some((given, _)) => Err(Error::invalid(
            "payload.network",
            format!("must be \"none\" or \"registries\" (those of packages), and is {given}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_and_a_list() {
        let line = Command::of(&json!({"command": " npm test "})).unwrap();
        assert_eq!(
            (line.argv.as_slice(), line.line()),
            (["sh", "-c", "npm test"].map(str::to_owned).as_slice(), "npm test".to_owned())
        );
        assert_eq!((line.timeout.as_secs(), line.registries), (600, false));
        let list = json!({"command": ["npm", "ci"], "network": "registries", "timeout_seconds": 5});
        let list = Command::of(&list).unwrap();
        assert_eq!((list.line(), list.timeout.as_secs(), list.registries), ("npm ci".to_owned(), 5, true));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (payload, says) in [
            (json!({}), "payload.command: must be a line"),
            (json!({"command": ""}), "payload.command: must not be empty"),
            (json!({"command": []}), "has 0"),
            (json!({"command": [""]}), "must begin with a program"),
            (json!({"command": ["a", 1]}), "words only"),
            (json!({"command": "a\u{0}b"}), "NUL"),
            (json!({"command": ["a\u{0}b"]}), "NUL"),
            (json!({"command": "a", "timeout_seconds": 0}), "1 to 7000, and is 0"),
            (json!({"command": "a", "timeout_seconds": "1m"}), "1 to 7000"),
            (json!({"command": "a", "network": "all"}), "must be \"none\" or \"registries\""),
            (json!({"command": "a", "cmd": "b"}), "no \"cmd\""),
        ] {
            let error = Command::of(&payload).unwrap_err().to_string();
            assert!(error.contains(says), "{payload}: {error}");
        }
    }
}
