//! A server that git may fetch from. What says who asks is seen by git's own environment alone: an argument could be read by everybody
//! on the machine.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// Below so many bytes a second for so long ([`Remote::stalled`]) a transfer has ended.
const SLOWEST: &str = "http.lowSpeedLimit=100";

const SETTINGS: [&str; 21] = [
    // An answer from elsewhere is an answer of somebody else, and who asks is told to one server alone.
    "http.followRedirects=false",
    "credential.helper=",
    "core.askPass=",
    "transfer.bundleURI=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    // One file, whose size has a limit, instead of many.
    "fetch.unpackLimit=1",
    "fetch.fsckObjects=true",
    // What old versions of git have written; it harms nobody, and cannot be mended without other ids.
    "fetch.fsck.zeroPaddedFilemode=ignore",
    "fetch.fsck.zeroPaddedDate=ignore",
    "fetch.fsck.badTimezone=ignore",
    "fetch.fsck.missingSpaceBeforeDate=ignore",
    "fetch.fsck.missingSpaceBeforeEmail=ignore",
    "fetch.fsck.missingNameBeforeEmail=ignore",
    "fetch.fsck.badName=ignore",
    "fetch.fsck.nulInCommit=ignore",
    "fetch.fsck.badEmail=ignore",
    "fetch.fsck.badDate=ignore",
    "fetch.fsck.badDateOverflow=ignore",
    "fetch.fsck.missingEmail=ignore",
];

#[derive(Debug, Clone)]
pub struct Remote {
    url: Url,
    header: Option<SecretString>,
    /// The authorities that are trusted, when they are not the machine's.
    pub certificates: Option<PathBuf>,
    /// How long a transfer may stand still.
    pub stalled: Duration,
}

impl Remote {
    /// By `https` or `http`, as the address says; with a header such as `Authorization: ...` that only this server is sent.
    ///
    /// # Errors
    /// What is wrong with the address or the header, which is not shown.
    pub fn new(url: &str, header: Option<SecretString>) -> std::result::Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("the repository's address is none: {error}"))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(format!(
                "the repository's address must begin with https:// or http://, and is of {}",
                url.scheme()
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "the repository's address must not hold a name or a password; a token has its own setting".to_owned()
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("the repository's address must end with its path, without ? and #".to_owned());
        }
        let is_header = |header: &SecretString| {
            let header = header.expose_secret();
            header.contains(':') && !header.contains(|c: char| c.is_control())
        };
        if !header.as_ref().is_none_or(is_header) {
            return Err("what tells the server who asks must be one line: a name, a colon and a value".to_owned());
        }
        Ok(Remote { url, header, certificates: None, stalled: Duration::from_secs(60) })
    }

    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    #[must_use]
    pub fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// What git and the server said, without the secret, in whichever form they may have sent it back, and on one line.
    #[must_use]
    pub fn without_secrets(&self, words: &str) -> String {
        let mut clean = crate::error::one_line(words);
        if let Some(header) = &self.header {
            // The whole, its value and what stands behind `Bearer` or `Basic`.
            let value = header.expose_secret().split_once(':').map_or("", |(_, value)| value.trim());
            let credentials = value.split_once(' ').map_or("", |(_, credentials)| credentials.trim());
            let decoded = decoded(credentials);
            let password = decoded.split_once(':').map_or("", |(_, password)| password);
            let forms = [header.expose_secret(), value, credentials, &decoded, password];
            for secret in forms.into_iter().filter(|secret| secret.len() >= 4) {
                clean = clean.replace(secret, crate::redact::REMOVED);
            }
        }
        crate::redact::redact(&clean)
    }

    /// What git is told by its arguments and its environment.
    pub(super) fn tell(&self, command: &mut Command) {
        for setting in SETTINGS.iter().chain(&[SLOWEST]) {
            command.arg("-c").arg(setting);
        }
        command.arg("-c").arg(format!("http.lowSpeedTime={}", self.stalled.as_secs().max(1)));
        command.arg("-c").arg(format!("protocol.{}.allow=always", self.url.scheme()));
        if let Some(certificates) = &self.certificates {
            command.env("GIT_SSL_CAINFO", certificates);
        }
        if let Some(header) = &self.header {
            command.env("GIT_CONFIG_COUNT", "1");
            command.env("GIT_CONFIG_KEY_0", format!("http.{}.extraHeader", self.url));
            command.env("GIT_CONFIG_VALUE_0", header.expose_secret());
        }
    }
}

/// A name and a password as `Basic` has them; nothing when it is something else.
fn decoded(credentials: &str) -> String {
    STANDARD.decode(credentials).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_could_lead_elsewhere_is_refused() {
        for (url, says) in [
            ("git@example.com:o/r.git", "the repository's address is none"),
            ("ssh://example.com/o/r", "must begin with https:// or http://"),
            ("file:///etc", "must begin with https:// or http://"),
            ("ext::sh -c id", "must begin with https:// or http://"),
            ("https://ida:secret@example.com/o/r", "must not hold a name or a password"),
            ("https://example.com/o/r?x=1", "must end with its path"),
        ] {
            let why = Remote::new(url, None).unwrap_err();
            assert!(why.contains(says) && !why.contains("secret"), "{url}: {why}");
        }
        let why = Remote::new("https://example.com/o/r", Some("Authorization: a\nX: secret".into())).unwrap_err();
        assert!(why.contains("one line") && !why.contains("secret"), "{why}");
        assert!(Remote::new("https://example.com/o/r.git", Some("Authorization: Bearer x".into())).is_ok());
    }

    #[test]
    fn who_asks_is_said_in_no_form() {
        let basic = STANDARD.encode("x-access-token:opensesame");
        let remote =
            Remote::new("https://example.com/o/r", Some(format!("Authorization: Basic {basic}").into())).unwrap();
        for said in [format!("remote: bad {basic}"), "remote: opensesame\nis wrong".to_owned()] {
            let clean = remote.without_secrets(&said);
            assert!(clean.contains("[removed]") && !clean.contains("sesame") && !clean.contains(&basic), "{clean}");
        }
        let shown = format!("{remote:?}");
        assert!(!shown.contains(&basic), "{shown}");
    }
}
