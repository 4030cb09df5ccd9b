//! What a template may be fetched from: a repository over https, what of its history, and where in its files. Everything here ends
//! up as an argument of the git program, so that nothing passes that could be an option, another protocol or a password.

use std::net::IpAddr;

use url::{Host, Url};

use crate::templates::paths;
use crate::text::head;
use crate::{Error, Result};

const MAX_URL: usize = 2000;
const MAX_REF: usize = 200;
/// What git allows in no name of a branch or tag: <https://git-scm.com/docs/git-check-ref-format>.
const NOT_IN_REF: &str = " ~^:?*[\\";

/// Checked, in the one form in which it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitSource {
    pub url: String,
    /// A tag, a branch or a whole commit id.
    pub reference: Option<String>,
    /// Without slashes at either end.
    pub directory: Option<String>,
}

impl GitSource {
    /// # Errors
    /// [`Error::Invalid`] for the field that is wrong: `git`, `ref` or `directory`.
    pub fn checked(url: &str, reference: Option<&str>, directory: Option<&str>) -> Result<Self> {
        let given = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let (reference, directory) = (given(reference), given(directory));
        if let Some(name) = &reference {
            check_ref(name).map_err(|why| Error::invalid("ref", why))?;
        }
        let directory = directory.map(|path| path.trim_end_matches('/').to_owned());
        if let Some(path) = &directory {
            paths::check(path).map_err(|why| Error::invalid("directory", why.replace("project", "repository")))?;
        }
        let url = checked_url(url.trim()).map_err(|why| Error::invalid("git", why))?;
        Ok(GitSource { url, reference, directory })
    }

    /// The one place that it is fetched from: `host:port`.
    #[must_use]
    pub fn target(&self) -> String {
        let url = Url::parse(&self.url).ok();
        let port = url.as_ref().and_then(Url::port).unwrap_or(443);
        format!("{}:{port}", url.as_ref().and_then(Url::host_str).unwrap_or_default())
    }

    /// The address, when it is one and no name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match Url::parse(&self.url).ok()?.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// Whether what is asked for is a commit and no name: names of 40 or 64 hexadecimal digits are not to be had.
    #[must_use]
    pub fn is_commit(&self) -> bool {
        self.reference.as_deref().is_some_and(is_commit_id)
    }

    /// In words, for the catalogue.
    #[must_use]
    pub fn origin(&self, commit: &str) -> String {
        let directory = self.directory.as_ref().map(|path| format!(" in {path}")).unwrap_or_default();
        let reference = self.reference.as_ref().filter(|name| *name != commit).map(|name| format!("{name}, "));
        format!("{}{directory} ({}{})", self.url, reference.unwrap_or_default(), head(commit, 12))
    }
}

fn checked_url(text: &str) -> std::result::Result<String, String> {
    let right = "such as https://example.com/team/template.git";
    if text.is_empty() {
        return Err(format!("must be the address of a git repository, {right}"));
    }
    if text.len() > MAX_URL {
        return Err(format!("must have at most {MAX_URL} bytes, and has {}", text.len()));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(format!("must not hold spaces, control characters or backslashes; write an address {right}"));
    }
    let url = Url::parse(text).map_err(|_| format!("must be a whole address, {right}"))?;
    if url.scheme() != "https" || !text.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://")) {
        return Err(format!("must be fetched over https, {right}; other ways, ssh and files among them, are not gone"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "must hold no user or password: only what everybody may read is fetched; for anything else send an \
                    archive (git archive HEAD)"
                .to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end with its path, without \"?\" or \"#\"; say a tag, branch or commit in ref".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) || url.port() == Some(0) {
        return Err(format!("must name a host, {right}"));
    }
    if url.path().trim_matches('/').is_empty() {
        return Err(format!("must name a repository on that host, {right}"));
    }
    let url = url.to_string();
    if url.len() > MAX_URL { Err(format!("must have at most {MAX_URL} bytes")) } else { Ok(url) }
}

fn check_ref(name: &str) -> std::result::Result<(), String> {
    let right = "must be a tag, a branch or a whole commit id";
    if name.chars().count() > MAX_REF {
        return Err(format!("{right}, of at most {MAX_REF} characters"));
    }
    if name.starts_with('-') {
        return Err(format!("{right}, and none begins with \"-\""));
    }
    if let Some(c) = name.chars().find(|c| c.is_control() || NOT_IN_REF.contains(*c)) {
        return Err(format!("{right}, and none holds {c:?}"));
    }
    let is_bad = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    if name.contains("..") || name.contains("@{") || name == "@" || name.ends_with('.') || name.split('/').any(is_bad) {
        return Err(format!("{right}, and git allows no such name as {:?}", head(name, 60)));
    }
    if is_commit_id(&name.to_ascii_lowercase()) && !is_commit_id(name) {
        return Err(format!("{right}, and commit ids are written in lower case"));
    }
    Ok(())
}

fn is_commit_id(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(url: &str, reference: Option<&str>, directory: Option<&str>) -> String {
        GitSource::checked(url, reference, directory).expect_err(url).to_string()
    }

    #[test]
    fn only_what_everybody_may_read_over_https() {
        let good = GitSource::checked(" HTTPS://Example.com:443/a/b.git ", Some(" v1.0 "), Some("x/y/")).unwrap();
        assert_eq!((&*good.url, &*good.target()), ("https://example.com/a/b.git", "example.com:443"));
        assert_eq!((good.reference.as_deref(), good.directory.as_deref()), (Some("v1.0"), Some("x/y")));
        let plain = GitSource::checked("https://[2001:db8::1]:8443/a", Some(""), None).unwrap();
        assert_eq!((plain.target(), plain.reference.clone()), ("[2001:db8::1]:8443".to_owned(), None));
        assert_eq!(plain.address(), Some("2001:db8::1".parse().unwrap()));
        // What is an address to some is written as one, so that it is judged as one.
        assert_eq!(GitSource::checked("https://2130706433/a", None, None).unwrap().target(), "127.0.0.1:443");
        for (url, says) in [
            ("", "must be the address"),
            ("example.com/a.git", "whole address"),
            ("http://example.com/a.git", "over https"),
            ("ssh://git@example.com/a.git", "over https"),
            ("git@example.com:a.git", "whole address"),
            ("git://example.com/a.git", "over https"),
            ("file:///etc/passwd", "over https"),
            ("ext::sh -c id", "spaces"),
            ("ext::https://example.com/a", "over https"),
            ("--upload-pack=id", "whole address"),
            ("https:example.com/a", "over https"),
            ("https://me:secret@example.com/a.git", "no user or password"),
            ("https://token@example.com/a.git", "no user or password"),
            ("https://example.com/a.git?x=1", "without"),
            ("https://example.com/a.git#v1", "without"),
            ("https://example.com/", "must name a repository"),
            ("https://example.com\\a", "backslashes"),
            ("https://example.com/a\nb", "control characters"),
            ("https://example.com:0/a", "must name a host"),
        ] {
            let error = why(url, None, None);
            assert!(error.starts_with("git: must ") && error.contains(says), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(why(&format!("https://example.com/{}", "a".repeat(2000)), None, None).contains("2000 bytes"));
    }

    #[test]
    fn a_ref_is_no_option_and_no_pattern() {
        let url = "https://example.com/a.git";
        for name in ["main", "v1.2", "feature/x", "0a1b2c3", &"a".repeat(40), "@home", "größe"] {
            assert!(GitSource::checked(url, Some(name), None).is_ok(), "{name}");
        }
        for name in [
            "-x",
            "--upload-pack=id",
            "a b",
            "a..b",
            "a:b",
            "+a:b",
            "*",
            "a@{1}",
            "@",
            "a~1",
            "a^",
            ".a",
            "a/.b",
            "a.lock",
            "a//b",
            "/a",
            "a/",
            "a.",
            "a\u{7}",
            &"A".repeat(40),
            &"a".repeat(201),
        ] {
            assert!(why(url, Some(name), None).starts_with("ref: must be a tag"), "{name}");
        }
    }

    #[test]
    fn a_folder_stays_in_the_repository() {
        for path in ["../x", "/etc", "a/../b", ".git/hooks", "a\\b", "./a"] {
            let error = why("https://example.com/a.git", None, Some(path));
            assert!(error.starts_with("directory: must"), "{error}");
        }
    }
}
