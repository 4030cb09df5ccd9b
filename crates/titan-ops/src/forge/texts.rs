//! Texts that are left at a forge: comments that are found again by a hidden marker, and descriptions that fit.

use super::ForgeError;

/// GitHub takes 65,536 characters, and its own limit counts some of them twice.
const MAX_TEXT_CHARS: usize = 60_000;

/// The comment with its marker, which no reader sees.
pub(crate) fn marked(marker: &str, body: &str) -> Result<String, ForgeError> {
    Ok(fitting(&format!("{}\n{body}", line(marker)?)))
}

/// Whether this comment was left under the marker. Only at its beginning: an answer that quotes it is another one.
pub(crate) fn is_marked(marker: &str, comment: &str) -> Result<bool, ForgeError> {
    Ok(comment.trim_start().starts_with(&line(marker)?))
}

/// Whether two texts are the same to a forge, which may keep other line ends than it was given.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.trim_end().replace("\r\n", "\n") == other.trim_end().replace("\r\n", "\n")
}

/// A text that a forge takes. What is left out is in Titan.
pub(crate) fn fitting(text: &str) -> String {
    let head = titan_core::text::head(text, MAX_TEXT_CHARS);
    if head.len() == text.len() { text.to_owned() } else { format!("{head}\n\n(The rest did not fit here.)") }
}

fn line(marker: &str) -> Result<String, ForgeError> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    if marker.is_empty() || marker.len() > 100 || !marker.chars().all(known) || marker.contains("--") {
        let why = format!("{:?} is no marker; one is like rollout-7", titan_core::text::head(marker, 100));
        return Err(ForgeError::Refused(why));
    }
    Ok(format!("<!-- titan:{marker} -->"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_at_the_beginning_alone() {
        let comment = marked("rollout", "All is well").unwrap();
        assert_eq!(comment, "<!-- titan:rollout -->\nAll is well");
        assert!(is_marked("rollout", &comment).unwrap());
        assert!(is_marked("rollout", "<!-- titan:rollout -->\r\nother").unwrap());
        assert!(!is_marked("rollou", &comment).unwrap());
        assert!(!is_marked("rollout", &format!("> {comment}")).unwrap());
        for wrong in ["", "a b", "a-->", "a--b", "ä", &"a".repeat(101)] {
            assert!(marked(wrong, "").is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_text_fits() {
        assert_eq!(fitting("short"), "short");
        let cut = fitting(&"ä".repeat(70_000));
        assert!(cut.chars().count() < 60_100 && cut.ends_with("did not fit here.)"));
        assert!(same("a\r\nb\n", "a\nb") && !same("a", "b"));
    }
}
