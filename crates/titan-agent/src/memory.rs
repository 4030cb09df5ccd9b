//! A plain record of what was asked and answered. Finding out the facts that are worth keeping needs a model: `extraction`.

use titan_core::redact::redact;
use titan_core::text::head;

/// Characters of the question and of the answer that are kept.
const QUESTION_CHARS: usize = 300;
const ANSWER_CHARS: usize = 500;

/// One sentence about the exchange with the agent of this title, or nothing when there is nothing in it. Secrets are taken out
/// before it is shortened: of one that is cut nobody can tell that it is one.
#[must_use]
pub fn fact_of_exchange(question: &str, title: &str, answer: &str) -> Option<String> {
    let question = shorten(&redact(question), QUESTION_CHARS);
    let answer = shorten(&redact(answer), ANSWER_CHARS);
    if question.is_empty() || answer.is_empty() {
        return None;
    }
    Some(format!("User asked: {question} — {title} answered: {answer}"))
}

/// What is kept of a question that no model answered.
#[must_use]
pub fn fact_of_question(question: &str) -> Option<String> {
    let question = shorten(&redact(question), QUESTION_CHARS);
    (!question.is_empty()).then(|| format!("User asked: {question} — no model was there to answer"))
}

/// One line of at most `limit` characters; a text that is longer ends in an ellipsis, after a whole word if one ends in
/// the last fifth.
#[must_use]
pub fn shorten(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut chars = 0;
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
            chars += 1;
        }
        line.push_str(word);
        chars += word.chars().count();
        if chars > limit {
            break;
        }
    }
    if chars <= limit {
        return line;
    }
    let kept = head(&line, limit.saturating_sub(1));
    let end = match kept.rfind(' ') {
        Some(space) if kept.get(..space).is_some_and(|head| head.chars().count() >= limit / 5 * 4) => space,
        _ => kept.len(),
    };
    format!("{}…", kept.get(..end).unwrap_or(kept).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_who_asked_and_who_answered() {
        assert_eq!(
            fact_of_exchange("What is\n  the plan?", "Jason", "Ship it."),
            Some("User asked: What is the plan? — Jason answered: Ship it.".to_owned())
        );
    }

    #[test]
    fn what_nobody_answered_is_remembered_as_a_question() {
        assert_eq!(
            fact_of_question("What is the plan?"),
            Some("User asked: What is the plan? — no model was there to answer".to_owned())
        );
        assert_eq!(fact_of_question(" \n"), None);
    }

    #[test]
    fn an_empty_side_is_not_remembered() {
        assert_eq!(fact_of_exchange(" \n", "Jason", "yes"), None);
        assert_eq!(fact_of_exchange("hello", "Jason", ""), None);
    }

    #[test]
    fn no_part_of_a_secret_stays_where_a_text_is_cut() {
        let key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789";
        for length in QUESTION_CHARS - key.len()..QUESTION_CHARS {
            let question = format!("{} {key}", "x".repeat(length));
            let record = fact_of_exchange(&question, "Writer", "Done").unwrap();
            assert!(!record.contains("sk-") && record.ends_with("Writer answered: Done"), "{record}");
        }
    }

    #[test]
    fn a_long_text_ends_after_a_word() {
        assert_eq!(shorten("one two three four", 15), "one two three…");
        assert_eq!(shorten("one two three four", 13), "one two thre…");
        assert_eq!(shorten(&"x".repeat(20), 5), "xxxx…");
    }

    proptest! {
        #[test]
        fn never_longer_than_the_limit_and_one_line(text in "\\PC{0,400}|[a-zé日 \\n]{0,2000}", limit in 1usize..400) {
            let short = shorten(&text, limit);
            prop_assert!(short.chars().count() <= limit);
            prop_assert!(!short.contains('\n'));
        }
    }
}
