//! What templates are called: `web/shop`, and `web/shop@1.2.0` for one version of it.

use semver::Version;

/// Characters of a name.
pub(super) const MAX_NAME: usize = 100;
/// Characters of a version.
pub(super) const MAX_VERSION: usize = 64;
const MAX_WORDS: usize = 3;
/// What addresses under `/api/templates/` mean already.
const TAKEN: [&str; 3] = ["validate", "install", "installs"];

/// A name, and a version when one was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub name: String,
    pub version: Option<Version>,
}

impl std::str::FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, version) = match text.trim().split_once('@') {
            None => (text.trim(), None),
            Some((name, version)) => (name, Some(checked_version(version)?)),
        };
        checked_name(name)?;
        Ok(Reference { name: name.to_owned(), version })
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            None => f.write_str(&self.name),
            Some(version) => write!(f, "{}@{version}", self.name),
        }
    }
}

/// What is wrong with a name, if anything is.
pub(super) fn checked_name(name: &str) -> Result<(), String> {
    let words: Vec<&str> = name.split('/').collect();
    if name.len() > MAX_NAME || words.len() > MAX_WORDS || !words.iter().all(|word| is_word(word)) {
        return Err(format!(
            "must be one to {MAX_WORDS} words of a-z, 0-9 and - with slashes between them, such as persona/basic, at most \
             {MAX_NAME} characters, and is {:?}",
            crate::text::head(name, 40)
        ));
    }
    // Beneath the last of them are addresses too.
    if TAKEN.contains(&name) || words.first() == Some(&"installs") {
        return Err(format!("must not be {name:?}, which is an address of the API; for example tools/{name}"));
    }
    Ok(())
}

/// Lowercase letters, digits and single hyphens, the first a letter.
pub(super) fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !word.ends_with('-')
        && !word.contains("--")
}

pub(super) fn checked_version(version: &str) -> Result<Version, String> {
    let parsed = if version.len() > MAX_VERSION { None } else { Version::parse(version).ok() };
    parsed.ok_or_else(|| {
        let given = crate::text::head(version, 40);
        format!("must be a version by the rules of semantic versioning, such as 1.0.0, and is {given:?}")
    })
}

/// Whether one comes before another when none was asked for: a finished one before one that is tried out, the newest first.
pub(super) fn newer(a: &Version, b: &Version) -> std::cmp::Ordering {
    (b.pre.is_empty(), b).cmp(&(a.pre.is_empty(), a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions() {
        for good in ["a", "persona/basic", "a/b/c", "a-1/b2", "web-app@1.0.0", "x@2.0.0-rc.1"] {
            assert_eq!(good.parse::<Reference>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "/",
            "a/",
            "a/b/c/d",
            "A",
            "a_b",
            "-a",
            "a--b",
            "a-",
            "1a",
            "../a",
            "a@",
            "a@1",
            "a@1.0",
            "install",
            "installs/a",
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_newest_finished_one_comes_first() {
        let mut versions: Vec<Version> =
            ["1.9.0", "2.0.0-rc.1", "1.10.0", "1.0.0"].iter().map(|version| version.parse().unwrap()).collect();
        versions.sort_by(newer);
        let sorted: Vec<String> = versions.iter().map(Version::to_string).collect();
        assert_eq!(sorted, ["1.10.0", "1.9.0", "1.0.0", "2.0.0-rc.1"]);
    }
}
