//! What a task's next run is told of those before: what a person rejected, and why.

use titan_agent::memory::shorten;
use titan_core::outputs::Rejection;

/// Characters of what was rejected.
const SHOWN: usize = 600;

/// The message with it, so that it is never left out while the message is shown.
pub(super) fn with(content: &str, rejections: &[Rejection]) -> String {
    if rejections.is_empty() {
        return content.to_owned();
    }
    let told: String = rejections.iter().map(told).collect();
    format!(
        "{content}\n\n---\nThis was done before, and a person rejected the result. Do it again, with what they say in mind.\n{told}"
    )
}

fn told(rejection: &Rejection) -> String {
    let said = match &rejection.comment {
        Some(comment) => format!("They say of {:?}: {comment}\n", rejection.name),
        None => format!("They do not say why they rejected {:?}.\n", rejection.name),
    };
    let preview = rejection.preview.as_deref().map(str::trim).filter(|preview| !preview.is_empty());
    let began = preview.map(|preview| format!("What was rejected began: {}\n", shorten(preview, SHOWN)));
    format!("\n{said}{}", began.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_is_told_with_the_message() {
        assert_eq!(with("Write it.", &[]), "Write it.");
        let rejections = [
            Rejection { name: "Answer".to_owned(), comment: None, preview: None },
            Rejection {
                name: "Answer".to_owned(),
                comment: Some("Too long.".to_owned()),
                preview: Some("A long answer.".to_owned()),
            },
        ];
        let told = with("Write it.", &rejections);
        assert!(told.starts_with("Write it.\n\n---\nThis was done before"), "{told}");
        assert!(
            told.contains("They do not say why they rejected \"Answer\".\n\nThey say of \"Answer\": Too long.\n"),
            "{told}"
        );
        assert!(told.ends_with("What was rejected began: A long answer.\n"), "{told}");
    }
}
