//! The request for a plan. Everything that is known goes as one JSON object, so that no text can pretend to be the end of it.

use serde::Serialize;
use serde_json::Value;
use titan_core::plans::{Answered, PlanContent, schema};
use titan_core::templates::Problem;
use titan_core::text::head;

use crate::context::Limits;
use crate::context::limits::size_of_request;
use crate::provider::{Format, Message, ModelRequest, Role};

const PROMPT: &str = include_str!("../../prompts/plan.md");

/// Characters of an answer that is shown again to be mended; of a longer one the beginning, which says what it was to be.
const SHOWN_AGAIN: usize = 40_000;
/// Bytes of it that are shown in any case.
const LEAST_SHOWN: usize = 2_000;
/// The messages of a question that was not answered yet.
const QUESTION: usize = 2;
/// Problems that are told at once.
const MOST_PROBLEMS: usize = 30;

/// What a model is told.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Material {
    pub wish: String,
    pub project: Value,
    pub contacts: Vec<String>,
    /// Passages, the best first.
    pub documents: Vec<String>,
    /// The one most worth having first.
    pub memories: Vec<String>,
    /// What was done in the project lately, the newest first.
    pub done: Vec<String>,
    /// Each with its reference and the schema of its inputs.
    pub templates: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
}

/// The version that was answered.
#[derive(Debug, Clone, Serialize)]
pub struct Before {
    pub version: i32,
    pub plan: PlanContent,
    pub answers: Vec<Answered>,
}

/// Even the wish and the version before do not fit into what the model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    pub tokens: u64,
    pub limit: u64,
}

/// Asks for a plan. What does not fit is left out, first of all what was found by words alone. Its model is for who asks to
/// choose.
///
/// # Errors
/// [`TooLarge`] when that is not enough.
pub fn request(material: Material, limits: Limits) -> Result<ModelRequest, TooLarge> {
    fitted(material, limits, &[])
}

/// With what was said after the question, of which nothing is left out.
fn fitted(mut material: Material, limits: Limits, after: &[Message]) -> Result<ModelRequest, TooLarge> {
    loop {
        let mut asked = plain(&material);
        asked.messages.extend_from_slice(after);
        let tokens = size_of_request(&asked);
        if tokens <= limits.room() {
            asked.max_output_tokens = limits.answer_limit(tokens);
            return Ok(asked);
        }
        if !material.leave_out() {
            return Err(TooLarge { tokens, limit: limits.room() });
        }
    }
}

fn plain(material: &Material) -> ModelRequest {
    let told = serde_json::to_string(material).unwrap_or_default();
    let messages = vec![Message::new(Role::System, PROMPT.trim_end()), Message::new(Role::User, told)];
    let format = Some(Format { name: "plan".to_owned(), schema: schema() });
    ModelRequest { messages, format, ..ModelRequest::default() }
}

impl Material {
    /// Half of the first of the lists that is not empty yet, the less important half; false when all are.
    fn leave_out(&mut self) -> bool {
        let halve = |list: &mut Vec<String>| {
            let had = list.len();
            list.truncate(had / 2);
            had > 0
        };
        if [&mut self.documents, &mut self.done, &mut self.memories, &mut self.contacts].into_iter().any(halve) {
            return true;
        }
        let had = self.templates.len();
        self.templates.truncate(had / 2);
        had > 0
    }
}

/// The same question once more, with the answers to it and what was wrong with each, as far as that fits: what is known is left
/// out as before, then the answers but the last, and then the end of that one.
///
/// # Errors
/// [`TooLarge`] when that is not enough.
pub fn repair(
    material: &Material,
    limits: Limits,
    asked: &ModelRequest,
    answer: &str,
    problems: &[Problem],
) -> Result<ModelRequest, TooLarge> {
    let mut after: Vec<Message> = asked.messages.iter().skip(QUESTION).cloned().collect();
    after.extend(mending(head(answer, SHOWN_AGAIN), problems));
    let mut again = fitted(material.clone(), limits, &after);
    let mut most = SHOWN_AGAIN.min(answer.len());
    while again.is_err() {
        again = fitted(material.clone(), limits, &mending(head(answer, most), problems));
        if most <= LEAST_SHOWN {
            break;
        }
        most /= 2;
    }
    again
}

fn mending(answer: &str, problems: &[Problem]) -> [Message; 2] {
    // Some providers take no empty message.
    let shown = if answer.trim().is_empty() { "(nothing)" } else { answer };
    let told: Vec<&Problem> = problems.iter().take(MOST_PROBLEMS).collect();
    let problems = serde_json::to_string(&told).unwrap_or_default();
    let message = format!(
        "That cannot be used. What is wrong, each with a JSON pointer to its place:\n{problems}\n\
         Answer with the whole plan once more, with this put right and the rest as it was: one JSON object and nothing else."
    );
    [Message::new(Role::Assistant, shown), Message::new(Role::User, message)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn material() -> Material {
        Material {
            wish: "A page for our tea shop".to_owned(),
            project: json!({"name": "Tea"}),
            documents: (0..100).map(|n| format!("passage {n} {}", "word ".repeat(100))).collect(),
            memories: vec!["Ida likes blue".to_owned()],
            ..Material::default()
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_never_the_wish() {
        let told = |limits| {
            let asked = request(material(), limits).unwrap();
            serde_json::from_str::<Value>(&asked.messages[1].text()).unwrap()
        };
        let all = told(Limits::told(Some(200_000), None));
        assert_eq!(all["documents"].as_array().unwrap().len(), 100);
        let some = told(Limits::told(Some(16_000), None));
        let kept = some["documents"].as_array().unwrap().len();
        assert!(kept > 0 && kept < 100, "{kept}");
        assert_eq!((&some["memories"][0], &some["documents"][0]), (&all["memories"][0], &all["documents"][0]));
        let few = Limits::told(Some(100), None);
        assert_eq!(request(material(), few).unwrap_err().limit, few.room());
    }

    #[test]
    fn a_repair_shows_the_answer_and_what_is_wrong_with_it() {
        let material = Material { documents: Vec::new(), ..material() };
        let asked = request(material.clone(), Limits::default()).unwrap();
        let problems = [Problem { path: "/tasks".to_owned(), message: "must not be empty".to_owned() }];
        let again = repair(&material, Limits::default(), &asked, "{}", &problems).unwrap();
        let said: Vec<String> = again.messages.iter().skip(asked.messages.len()).map(Message::text).collect();
        assert_eq!(said[0], "{}");
        assert!(said[1].contains(r#"[{"path":"/tasks","message":"must not be empty"}]"#), "{}", said[1]);
        let again = repair(&material, Limits::default(), &asked, " ", &problems).unwrap();
        assert_eq!(again.messages[asked.messages.len()].text(), "(nothing)");
    }

    #[test]
    fn a_repair_fits_into_what_the_model_takes() {
        let problems = [Problem { path: "/tasks".to_owned(), message: "must not be empty".to_owned() }];
        let limits = Limits::told(Some(16_000), None);
        let first = request(material(), limits).unwrap();
        let long = "word ".repeat(6_000);
        let again = repair(&material(), limits, &first, &long, &problems).unwrap();
        let tokens = size_of_request(&again);
        assert!(tokens <= limits.room());
        assert_eq!(again.max_output_tokens, limits.answer_limit(tokens));
        assert!(again.messages[1].text().len() < first.messages[1].text().len(), "more of it is left out");
        assert!(long.starts_with(&again.messages[2].text()));
        let third = repair(&material(), limits, &again, &long, &problems).unwrap();
        assert!(size_of_request(&third) <= limits.room());
        assert_eq!(third.messages[2].text(), again.messages[2].text());
    }
}
