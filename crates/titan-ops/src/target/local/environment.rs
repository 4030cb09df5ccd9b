//! The variables of a side's daemons, from a file as `docker run --env-file` reads it: lines `NAME=value`, of which nothing is
//! interpreted. Empty lines and those that begin with `#` are left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use titan_core::config::ConfigError;

const MAX_FILE: u64 = 256 << 10;

/// # Errors
/// What is wrong, with the line and never with a value.
pub fn read_environment(path: &Path) -> Result<BTreeMap<String, SecretString>, String> {
    let told = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    if fs::metadata(path).map_err(told)?.len() > MAX_FILE {
        return Err(format!("{} has more than {MAX_FILE} bytes", path.display()));
    }
    let text = fs::read_to_string(path).map_err(told)?;
    let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut variables = BTreeMap::new();
    for (index, line) in lines {
        let pair = line.split_once('=').filter(|(name, _)| is_name(name));
        let (name, value) =
            pair.ok_or_else(|| format!("line {} of {} must be NAME=value", index + 1, path.display()))?;
        variables.insert(name.to_owned(), SecretString::from(value));
    }
    Ok(variables)
}

/// After how long daemons with these variables have stopped that were asked to.
///
/// # Errors
/// When a variable is not what it should be.
pub fn stops_within(environment: &BTreeMap<String, SecretString>) -> Result<Duration, ConfigError> {
    let variables = environment.iter().map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
    titan_core::config::stops_within(&variables.collect())
}

fn is_name(name: &str) -> bool {
    let of = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().next().is_some_and(|first| of(first) && !first.is_ascii_digit()) && name.bytes().all(of)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn of(text: &str) -> Result<BTreeMap<String, SecretString>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        read_environment(file.path())
    }

    #[test]
    fn a_value_is_what_stands_there() {
        let read = of("# who\n\nA=1\nURL=postgres://u:p=$x@h/d?a='b'\n").unwrap();
        let url = read.get("URL").unwrap().expose_secret();
        assert_eq!((read.len(), url), (2, "postgres://u:p=$x@h/d?a='b'"));
    }

    #[test]
    fn what_is_no_variable_is_told_by_its_line_alone() {
        for bad in ["hidden", "A B=hidden", "=hidden", "9=hidden"] {
            let error = of(&format!("A=1\n{bad}\n")).unwrap_err();
            assert!(error.contains("line 2") && !error.contains("hidden"), "{error}");
        }
    }

    #[test]
    fn a_daemon_has_the_grace_that_it_is_given() {
        let of = |grace: &str| stops_within(&BTreeMap::from([("TITAN_GRACE".to_owned(), SecretString::from(grace))]));
        assert_eq!(stops_within(&BTreeMap::new()).unwrap(), Duration::from_secs(25));
        assert_eq!(of("5m").unwrap(), Duration::from_secs(315));
        assert_eq!(of("soon").unwrap_err().variable, "TITAN_GRACE");
    }
}
