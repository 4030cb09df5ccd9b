//! The facts of an exchange: how a model is asked for them, and what of its answer is believed. Secrets are taken out before the model
//! is asked; storing is the worker's.

use serde::Deserialize;
use serde_json::{Value, json};
use titan_core::memories::MemoryScope;
use titan_core::redact::redact;
use titan_core::text::head;

use crate::provider::{Format, Message, ModelRequest, Role};

/// What is worth keeping, and how it is to be written.
const PROMPT: &str = include_str!("../prompts/extract.md");

/// Facts of one exchange, and characters of one.
pub const MAX_FACTS: usize = 5;
pub const MAX_CHARS: usize = 500;
/// What five facts take, and something for models that think aloud.
pub const MAX_OUTPUT_TOKENS: u64 = 2000;
/// Characters of the question, and of the answer, that facts are looked for in: half of them at each end.
pub const MAX_READ: usize = 8000;
/// For a model that does not say how sure it is.
const UNSURE: f64 = 0.5;

#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub content: String,
    pub scope: MemoryScope,
    pub confidence: f64,
    pub person: Option<String>,
    pub expires_in_days: Option<i32>,
}

/// Asks for the facts of an exchange with the agent of this title; none when nothing was said. Its model is for who asks to choose.
#[must_use]
pub fn request(question: &str, title: &str, answer: &str) -> Option<ModelRequest> {
    let (question, answer) = (ends(&redact(question)), ends(&redact(answer)));
    if question.trim().is_empty() || answer.trim().is_empty() {
        return None;
    }
    // As JSON, so that no text can pretend to be the end of the exchange.
    let exchange = json!({"person": question, "agent": title, "answer": answer}).to_string();
    let messages = vec![Message::new(Role::System, PROMPT.trim_end()), Message::new(Role::User, exchange)];
    let format = Some(Format { name: "facts".to_owned(), schema: schema() });
    Some(ModelRequest { messages, format, max_output_tokens: Some(MAX_OUTPUT_TOKENS), ..ModelRequest::default() })
}

/// A text, or its beginning and its end.
fn ends(text: &str) -> String {
    let chars = text.chars().count();
    if chars <= MAX_READ {
        return text.to_owned();
    }
    let head = head(text, MAX_READ / 2);
    let tail: String = text.chars().skip(chars - MAX_READ / 2).collect();
    format!("{head}\n[…]\n{tail}")
}

fn schema() -> Value {
    let fact = json!({
        "type": "object",
        "properties": {
            "content": {"type": "string"},
            "scope": {"type": "string", "enum": MemoryScope::ALL},
            "confidence": {"type": "number"},
            "person": {"type": ["string", "null"]},
            "expires_in_days": {"type": ["integer", "null"]},
        },
        "required": ["content", "scope", "confidence", "person", "expires_in_days"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {"facts": {"type": "array", "items": fact}},
        "required": ["facts"],
        "additionalProperties": false,
    })
}

#[derive(Deserialize)]
struct Facts {
    facts: Vec<Value>,
}

/// As a model may write it: what it leaves out or gets wrong has a careful meaning.
#[derive(Deserialize)]
struct Told {
    content: String,
    #[serde(default)]
    scope: Value,
    #[serde(default)]
    confidence: Value,
    #[serde(default)]
    person: Value,
    #[serde(default)]
    expires_in_days: Value,
}

/// The facts in an answer: at most [`MAX_FACTS`]; what is empty, too long or no fact is left out.
///
/// # Errors
/// When it is not JSON with a list of facts.
pub fn read(answer: &str) -> Result<Vec<Fact>, String> {
    let told: Facts = serde_json::from_str(object_in(answer)).map_err(|error| error.to_string())?;
    let facts = told.facts.into_iter().filter_map(|fact| serde_json::from_value::<Told>(fact).ok());
    Ok(facts.filter_map(fact).take(MAX_FACTS).collect())
}

/// Some models put their JSON between fences, or a sentence before it.
fn object_in(answer: &str) -> &str {
    let (begin, end) = (answer.find('{').unwrap_or(0), answer.rfind('}').map_or(answer.len(), |end| end + 1));
    answer.get(begin..end).unwrap_or(answer)
}

fn fact(told: Told) -> Option<Fact> {
    let content = told.content.split_whitespace().collect::<Vec<_>>().join(" ");
    // What is cut in the middle may say the opposite.
    if content.is_empty() || content.chars().count() > MAX_CHARS {
        return None;
    }
    Some(Fact {
        content,
        scope: told.scope.as_str().and_then(|scope| scope.parse().ok()).unwrap_or(MemoryScope::Project),
        confidence: told.confidence.as_f64().unwrap_or(UNSURE).clamp(0.0, 1.0),
        person: told.person.as_str().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned),
        expires_in_days: told
            .expires_in_days
            .as_i64()
            .and_then(|days| i32::try_from(days).ok())
            .filter(|days| *days > 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(answer: &str) -> Vec<String> {
        read(answer).unwrap().into_iter().map(|fact| fact.content).collect()
    }

    #[test]
    fn facts_are_read_and_nothing_is_a_fine_answer() {
        let answer = r#"{"facts": [{"content": "Ida  likes\ntea", "scope": "agent", "confidence": 0.9, "person": "Ida", "expires_in_days": 30}]}"#;
        let fact = Fact {
            content: "Ida likes tea".to_owned(),
            scope: MemoryScope::Agent,
            confidence: 0.9,
            person: Some("Ida".to_owned()),
            expires_in_days: Some(30),
        };
        assert_eq!(read(answer).unwrap(), [fact]);
        assert_eq!(contents(r#"{"facts": []}"#), [""; 0]);
        assert_eq!(contents("Here it is:\n```json\n{\"facts\": [{\"content\": \"a\"}]}\n```"), ["a"]);
    }

    #[test]
    fn what_is_left_out_or_wrong_has_a_careful_meaning() {
        let fact = read(
            r#"{"facts": [{"content": "x", "scope": "moon", "confidence": 7, "person": "", "expires_in_days": -1}]}"#,
        );
        let fact = fact.unwrap().remove(0);
        assert_eq!(
            (fact.scope, fact.confidence, fact.person, fact.expires_in_days),
            (MemoryScope::Project, 1.0, None, None)
        );
        assert!((read(r#"{"facts": [{"content": "x"}]}"#).unwrap()[0].confidence - UNSURE).abs() < f64::EPSILON);
        let long = "x".repeat(MAX_CHARS + 1);
        let many: Vec<Value> = (0..9).map(|n| json!({"content": n.to_string()})).collect();
        assert_eq!(contents(&json!({"facts": [{"content": long}, {"content": " "}]}).to_string()), [""; 0]);
        assert_eq!(contents(&json!({"facts": many}).to_string()), ["0", "1", "2", "3", "4"]);
    }

    #[test]
    fn one_odd_fact_does_not_cost_the_others() {
        assert_eq!(
            contents(r#"{"facts": ["Ida", {"scope": "agent"}, {"content": 7}, {"content": "a"}, null]}"#),
            ["a"]
        );
    }

    #[test]
    fn of_a_long_text_both_ends_are_read() {
        let long = format!("first {} last", "x".repeat(2 * MAX_READ));
        let request = request(&long, "Jason", "Noted").unwrap();
        let exchange: Value = serde_json::from_str(&request.messages[1].text()).unwrap();
        let said = exchange["person"].as_str().unwrap();
        assert!(
            said.starts_with("first x") && said.ends_with("x last") && said.chars().count() == MAX_READ + 5,
            "{said}"
        );
    }

    #[test]
    fn what_is_not_the_json_that_was_asked_for_is_refused() {
        for wrong in ["", "I remember nothing.", "[]", r#"{"fact": []}"#, r#"{"facts": "none"}"#, r#"{"facts": "#, "}{"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_model_is_asked_without_secrets_and_with_a_limit() {
        let request = request("the password is hunter2 \"}", "Writer", "Noted: sk-abcdefghijklmnop1234").unwrap();
        assert_eq!(request.max_output_tokens, Some(MAX_OUTPUT_TOKENS));
        let exchange: Value = serde_json::from_str(&request.messages[1].text()).unwrap();
        assert_eq!(
            exchange,
            json!({"person": "the password is [removed] \"}", "agent": "Writer", "answer": "Noted: [removed]"})
        );
        assert!(super::request(" ", "Writer", "x").is_none());
    }
}
