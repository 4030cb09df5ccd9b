//! Why a merge was refused. Both forges answer 405 and 409 for several reasons each; the pull request itself says which it was.

use super::{ForgeError, PullRequest, PullState};

/// The commit, when it was merged already by somebody who did not hear of it.
pub(crate) fn explain(pull: PullRequest, head: &str, words: &str) -> Result<String, ForgeError> {
    let number = pull.number;
    if pull.head != head {
        return Err(ForgeError::Moved { branch: pull.branch, expected: head.to_owned(), found: pull.head });
    }
    match (pull.state, pull.merged_as) {
        (PullState::Merged, Some(commit)) => Ok(commit),
        (PullState::Merged, None) => {
            Err(ForgeError::Unavailable(format!("pull request {number} is merged; as what is not told yet")))
        }
        (PullState::Closed, _) => Err(ForgeError::NotMergeable(format!("pull request {number} is closed"))),
        (PullState::Open, _) => {
            Err(ForgeError::NotMergeable(format!("pull request {number} cannot be merged: {words}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pull_request_says_why() {
        let pull = |state, head: &str, merged_as: Option<&str>| PullRequest {
            number: 7,
            page: String::new(),
            state,
            branch: "b".to_owned(),
            head: head.to_owned(),
            base: "main".to_owned(),
            title: String::new(),
            body: String::new(),
            merged_as: merged_as.map(str::to_owned),
        };
        assert_eq!(explain(pull(PullState::Merged, "h", Some("m")), "h", ""), Ok("m".to_owned()));
        let moved = ForgeError::Moved { branch: "b".into(), expected: "h".into(), found: "x".into() };
        assert_eq!(explain(pull(PullState::Open, "x", None), "h", ""), Err(moved.clone()));
        assert_eq!(explain(pull(PullState::Merged, "x", Some("m")), "h", ""), Err(moved));
        let why = |state| explain(pull(state, "h", None), "h", "a check is missing").unwrap_err();
        assert!(matches!(why(PullState::Merged), ForgeError::Unavailable(_)));
        assert!(matches!(why(PullState::Closed), ForgeError::NotMergeable(text) if text.contains("closed")));
        assert!(matches!(why(PullState::Open), ForgeError::NotMergeable(text) if text.contains("a check is missing")));
    }
}
