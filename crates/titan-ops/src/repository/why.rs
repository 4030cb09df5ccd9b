//! What a server's answer means, from what git says of it. Git has one exit code for everything, so that its words are all there is;
//! what is not known here counts as this machine's own trouble.

use titan_core::git::{Failure, Remote};
use titan_core::text::head;

use super::RepositoryError;

/// Bytes of git's words in a reason.
const MAX_WORDS: usize = 300;

#[derive(Debug, Clone, Copy)]
enum Means {
    Denied,
    NotFound,
    Moved,
    Refused(&'static str),
    Unavailable(&'static str),
}

/// The first that fits. Words of the server itself come with `remote:` before them, and may say anything.
const KNOWN: [(&str, Means); 32] = [
    ("could not read Username", Means::Denied),
    ("could not read Password", Means::Denied),
    ("Authentication failed", Means::Denied),
    ("terminal prompts disabled", Means::Denied),
    ("returned error: 401", Means::Denied),
    ("returned error: 403", Means::Denied),
    ("returned error: 404", Means::NotFound),
    ("' not found", Means::NotFound),
    ("returned error: 410", Means::NotFound),
    ("returned error: 30", Means::Moved),
    ("redirect", Means::Moved),
    ("returned error: 429", Means::Unavailable("the server wants to be asked less often")),
    ("returned error: 5", Means::Unavailable("the server is in trouble")),
    ("Could not resolve host", Means::Unavailable("the server's name is not known")),
    ("Failed to connect", Means::Unavailable("the server cannot be reached")),
    ("Couldn't connect", Means::Unavailable("the server cannot be reached")),
    ("Connection refused", Means::Unavailable("the server cannot be reached")),
    ("Connection timed out", Means::Unavailable("the server cannot be reached")),
    ("Operation too slow", Means::Unavailable("the server sends nothing any more")),
    ("certificate", Means::Refused("the server's certificate is not trusted")),
    ("SSL: no alternative", Means::Refused("the server's certificate is for another name")),
    ("dumb http", Means::Refused("the server does not speak git's protocol")),
    ("is this a git repository?", Means::Refused("there is no git repository at that address")),
    ("valid server response", Means::Refused("there is no git repository at that address")),
    (
        "mismatched algorithms",
        Means::Refused("the repository names its commits by SHA-256; Titan reads those with SHA-1 ids"),
    ),
    // What `fetch.fsckObjects` finds.
    ("fsck error", Means::Refused("the repository holds what git refuses")),
    ("error in object", Means::Refused("the repository holds what git refuses")),
    ("early EOF", Means::Unavailable("the server has cut the connection")),
    ("hung up unexpectedly", Means::Unavailable("the server has cut the connection")),
    ("RPC failed", Means::Unavailable("the server has cut the connection")),
    ("Empty reply", Means::Unavailable("the server has cut the connection")),
    ("unable to access", Means::Unavailable("the server could not be asked")),
];

pub(super) fn why(complaint: &str, remote: &Remote) -> RepositoryError {
    // Git's own lines decide where there are any: the server's may hold any words.
    let own: Vec<&str> = complaint.lines().filter(|line| !line.starts_with("remote:")).collect();
    let own = own.join("\n");
    let means = KNOWN.iter().find(|(words, _)| own.contains(words)).map(|(_, means)| *means);
    let words = remote.without_secrets(complaint);
    let words = head(&words, MAX_WORDS);
    let url = remote.url();
    match means {
        Some(Means::Denied) if remote.has_header() => RepositoryError::Denied(format!(
            "{url} does not take the token: it is wrong, has expired, or may not read the contents of this repository (git: {words})"
        )),
        Some(Means::Denied) => RepositoryError::Denied(format!(
            "{url} wants to know who asks, and there is no token for it: the repository is private, or not there (git: {words})"
        )),
        Some(Means::NotFound) => RepositoryError::NotFound(format!(
            "there is no repository at {url}, or the token may not see it: a forge says the same of both (git: {words})"
        )),
        Some(Means::Moved) => RepositoryError::Refused(format!(
            "{url} sends elsewhere, and that is not followed: name the address where the repository is now (git: {words})"
        )),
        Some(Means::Refused(meaning)) => RepositoryError::Refused(format!("{meaning}: {url} (git: {words})")),
        Some(Means::Unavailable(meaning)) => RepositoryError::Unavailable(format!("{meaning}: {url} (git: {words})")),
        None if words.is_empty() => RepositoryError::Broken("git does not say what went wrong".to_owned()),
        None => RepositoryError::Broken(format!("git: {words}")),
    }
}

/// Whether a branch was there a moment ago.
pub(super) fn is_gone(complaint: &str) -> bool {
    complaint.contains("couldn't find remote ref") || complaint.contains("not our ref")
}

pub(super) fn no_answer(failure: Failure, remote: &Remote) -> RepositoryError {
    match failure {
        Failure::TimedOut(after) => {
            let after = after.as_secs();
            RepositoryError::Unavailable(format!("{} did not send everything within {after} s", remote.url()))
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(complaint: &str) -> RepositoryError {
        let remote = Remote::new("https://forge.example/o/r.git", Some("Authorization: Bearer opensesame".into()));
        why(complaint, &remote.unwrap())
    }

    #[test]
    fn gits_words_become_what_helps() {
        use RepositoryError::{Broken, Denied, NotFound, Refused, Unavailable};
        let at = "fatal: unable to access 'https://forge.example/o/r.git/': ";
        let asks = "fatal: could not read Username for 'https://forge.example': terminal prompts disabled";
        assert!(matches!(said(asks), Denied(why) if why.contains("does not take the token")));
        assert!(matches!(said("fatal: repository 'https://forge.example/o/r.git/' not found"), NotFound(_)));
        assert!(matches!(said(&format!("{at}The requested URL returned error: 403")), Denied(_)));
        assert!(
            matches!(said(&format!("{at}The requested URL returned error: 301")), Refused(why) if why.contains("elsewhere"))
        );
        assert!(matches!(said(&format!("{at}The requested URL returned error: 429")), Unavailable(_)));
        assert!(matches!(said(&format!("{at}The requested URL returned error: 502")), Unavailable(_)));
        assert!(matches!(said(&format!("{at}Could not resolve host: forge.example")), Unavailable(_)));
        assert!(matches!(said("error: object 0 is missing"), Broken(_)));
        assert!(matches!(said(""), Broken(_)));
    }

    #[test]
    fn the_servers_own_words_decide_nothing_and_keep_no_secret() {
        let said = said("remote: bad token opensesame, Authentication failed\nfatal: early EOF");
        let RepositoryError::Unavailable(why) = said else { panic!("{said:?}") };
        assert!(why.contains("[removed]") && !why.contains("sesame"), "{why}");
    }
}
