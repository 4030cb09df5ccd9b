//! Takes secrets out of a text before it is kept or shown to a model: the keys of known services, private keys, tokens, and whatever
//! stands behind a word such as `password`. What looks like nothing of the kind cannot be known, so this makes leaks rarer, not
//! impossible; a word too many that is taken out is the smaller harm.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};

/// Stands where a secret was.
pub const REMOVED: &str = "[removed]";

/// What is taken out, and what of it stays: the groups `before` and `after`.
/// Words and their ends are those of ASCII: with Unicode's a text in other letters would be searched a thousand times slower.
const RULES: [&str; 11] = [
    // A key in PEM, also one that is cut off.
    r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
    // OpenAI, Anthropic, OpenRouter, DeepSeek; Google; Stripe; Hugging Face; npm; SendGrid; GitLab.
    r"(?-u:\b)(?:sk-[A-Za-z0-9_-]{16,}|AIza[0-9A-Za-z_-]{30,}|[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|hf_[A-Za-z0-9]{20,}|npm_[A-Za-z0-9]{20,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|glpat-[A-Za-z0-9_-]{16,})",
    // AWS.
    r"(?-u:\b)(?:AKIA|ASIA)[0-9A-Z]{16}(?-u:\b)",
    // GitHub.
    r"(?-u:\b)(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    // Slack.
    r"(?-u:\b)(?:xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,})|(?P<before>hooks\.slack\.com/services/)[A-Za-z0-9/_-]+",
    // JSON web tokens.
    r"(?-u:\b)eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?",
    // A password in an address.
    r#"(?P<before>(?-u:\b)[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@"'<>]*:)[^\s/"'<>]+(?P<after>@)"#,
    // A header.
    r"(?i-u)(?P<before>\b(?:authorization:?\s+basic|bearer)\s+)[A-Za-z0-9._~+/=-]{16,}",
    // In an address, up to the next of its parameters.
    r#"(?P<before>[?&](?:key|sig|signature)=)[^\s,;&"'`]+"#,
    // What is several words goes up to the end of its line.
    r#"(?P<before>(?i-u:(?:pass[- ]?phrase|(?:seed|recovery)[- ]phrase|mnemonic)["'`]?(?:\s*(?::=|=>|[:=]|\b(?:is|ist|est)\b))+[ \t]*))(?:"[^"\n]*"?|'[^'\n]*'?|`[^`\n]*`?|[^\s"'`][^\n]*)"#,
    // An assignment in any notation, or in a sentence. Marks within it may belong to it, those at its end do not.
    r#"(?P<before>(?i-u:(?:passw(?:or)?[dt]s?|kennwort|mot de passe|wachtwoord|passphrase|pwd|secret|token|credentials?|(?:api|access|private|signing|encryption|account)[-_ ]?key)(?:[_-][\w-]*)?["'`]?(?:\s*(?::=|=>|[:=]|\b(?:is|ist|est)\b))+\s*))(?:"[^"\n]*"?|'[^'\n]*'?|`[^`\n]*`?|[^\s,;&"'`](?:[^\s"'`]*[^\s,;"'`])?)"#,
];

/// All rules in one pass: most texts hold no secret, and are left alone after it.
static ANY: LazyLock<Option<RegexSet>> = LazyLock::new(|| RegexSet::new(RULES).ok());
static ALL: LazyLock<Vec<Regex>> = LazyLock::new(|| RULES.iter().filter_map(|rule| Regex::new(rule).ok()).collect());

/// The text without the secrets that are known as such.
#[must_use]
pub fn redact(text: &str) -> String {
    if ANY.as_ref().is_some_and(|rules| !rules.is_match(text)) {
        return text.to_owned();
    }
    let mut clean = Cow::Borrowed(text);
    for rule in ALL.iter() {
        let keep = |found: &Captures<'_>| {
            if let Some(found) = found.get(0)
                && is_folder(clean.get(..found.start()).unwrap_or_default(), found.as_str())
            {
                return found.as_str().to_owned();
            }
            let part = |name: &str| found.name(name).map_or("", |part| part.as_str()).to_owned();
            format!("{}{REMOVED}{}", part("before"), part("after"))
        };
        if let Cow::Owned(changed) = rule.replace_all(&clean, keep) {
            clean = Cow::Owned(changed);
        }
    }
    clean.into_owned()
}

/// `PWD=/home/ida` and `OLDPWD=/` are where a shell is and was, and no passwords.
fn is_folder(before: &str, found: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || "\"'".contains(c)).next().unwrap_or_default();
    found.starts_with("PWD=/") && (word.is_empty() || word == "OLD")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_rule_is_one() {
        assert!(ANY.is_some());
        assert_eq!(ALL.len(), RULES.len());
    }

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (text, clean) in [
            ("key sk-proj-abcdefghijklmnop1234 works", "key [removed] works"),
            ("sk-ant-api03-AAAAAAAAAAAAAAAA", "[removed]"),
            ("AKIAIOSFODNN7EXAMPLE in us-east-1", "[removed] in us-east-1"),
            ("AIzaSyA-1234567890abcdefghijklmnopqrstu", "[removed]"),
            ("push with ghp_0123456789abcdefghij0123456789abcdef", "push with [removed]"),
            ("github_pat_11ABCDEFG0123456789_abc", "[removed]"),
            ("xoxb-123456789012-abcdef", "[removed]"),
            ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/[removed]"),
            ("postgres://titan:s3cr3t@db.example:5432/x", "postgres://titan:[removed]@db.example:5432/x"),
            ("redis://:p@ss@h", "redis://:[removed]@h"),
            ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [removed]"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_def", "[removed]"),
            ("DB_PASSWORD=hunter2 PORT=80", "DB_PASSWORD=[removed] PORT=80"),
            (r#"{"api_key": "abc def", "n": 1}"#, r#"{"api_key": [removed], "n": 1}"#),
            ("password: hunter2, user: ida", "password: [removed], user: ida"),
            ("The password is hunter2.", "The password is [removed]"),
            ("The password is: hunter2", "The password is: [removed]"),
            ("my password: is hunter2", "my password: is [removed]"),
            ("if password == hunter2 {", "if password == [removed] {"),
            ("passphrase: correct horse battery staple\nnext", "passphrase: [removed]\nnext"),
            (r#"{"passphrase": "correct horse", "n": 1}"#, r#"{"passphrase": [removed], "n": 1}"#),
            ("password=ab,cd&ef", "password=[removed]"),
            ("DB_PWD=/tea PWD=/home/ida pwd=/tea", "DB_PWD=[removed] PWD=/home/ida pwd=[removed]"),
            ("password=ab,cd; user=ida", "password=[removed]; user=ida"),
            ("Passwort: geheim1", "Passwort: [removed]"),
            ("Das Passwort ist geheim1", "Das Passwort ist [removed]"),
            ("https://h/x?sig=abc&y=1", "https://h/x?sig=[removed]&y=1"),
            ("a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", "a [removed] b"),
            ("-----BEGIN PRIVATE KEY-----\nMII", "[removed]"),
        ] {
            assert_eq!(redact(text), clean);
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_stays() {
        for text in [
            "Ida's favourite tea is green, see https://tea.example:8080/x",
            "Set OPENAI_API_KEY to use a model",
            "The token budget was used up",
            "She lost the key to the shed",
            "task-based planning, risk-averse",
            "mail ida@example.com",
            "A phrase is a part of a sentence",
            "PWD=/home/ida/project\nOLDPWD=/",
            "Tokens: 100 in, 20 out; a basic understanding of authentication",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    proptest! {
        #[test]
        fn a_secret_in_any_surroundings_is_gone_and_twice_is_once(
            before in "[a-z .,\n]{0,40}", after in "[a-z .,\n]{0,40}", secret in "[A-Za-z0-9]{24,40}",
            form in prop::sample::select(vec!["sk-{}", "ghp_{}", "xoxb-{}", "password={}", "token: \"{}\"", "x://u:{}@h"]),
        ) {
            let text = format!("{before} {} {after}", form.replace("{}", &secret));
            let clean = redact(&text);
            prop_assert!(!clean.contains(&secret), "{clean}");
            prop_assert_eq!(redact(&clean), clean);
        }

        #[test]
        fn any_text_is_taken(text in any::<String>()) {
            prop_assert!(text.is_empty() || !redact(&text).is_empty());
        }
    }
}
