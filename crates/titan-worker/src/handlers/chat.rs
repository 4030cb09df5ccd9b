//! The step that answers a message: reads what the model should know, has it answer, and leaves the answer, an output and
//! what the next step needs.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use titan_agent::memory::shorten;
use titan_agent::{FinishReason, agents};
use titan_core::engine::{Done, NewEvent, Outcome, Purpose, Write};
use titan_core::redact::redact;
use titan_core::state::Level;

use super::{context, recall};
use crate::asking::{self, Answer, Question, Shown};
use crate::embedder::Embedder;
use crate::handler::{Handler, Work};
use crate::models::Models;

/// Characters of the question and of the answer that the next step is given; who needs all of them reads the messages.
const FOR_THE_NEXT_STEP: usize = 1000;

pub struct Chat {
    models: Arc<Models>,
    embedder: Option<Arc<Embedder>>,
}

impl Chat {
    #[must_use]
    pub fn new(models: Arc<Models>, embedder: Option<Arc<Embedder>>) -> Self {
        Self { models, embedder }
    }
}

#[async_trait]
impl Handler for Chat {
    fn kind(&self) -> &'static str {
        "chat"
    }

    async fn run(&self, work: Work) -> Outcome {
        let text = |name: &str| work.started.payload.get(name).and_then(Value::as_str);
        let Some(content) = text("content") else {
            return Outcome::Fail { error: "the task has no content to answer".to_owned() };
        };
        let named = text("agent").map(str::trim);
        let Some(agent) = agents::find(named) else {
            let name = named.unwrap_or_default();
            return Outcome::Fail { error: format!("there is no agent {name:?}; there are {}", agents::names()) };
        };
        let model = text("model").or(agent.model.as_deref());
        let asked = context::request(&work, &self.models, self.embedder.as_deref(), agent, model, content).await;
        let (request, shown, outside) = match asked {
            Ok(asked) => asked,
            Err(none) => return none.outcome(),
        };
        let question = Question { purpose: Purpose::Answer, model, request, shown: Shown::Words };
        match asking::ask(&work, &self.models, question).await {
            Ok(answer) => {
                recall::note_use(&work, shown);
                done(&work, content, answer, outside)
            }
            Err(broken) => broken.outcome(),
        }
    }

    fn models(&self) -> Option<Arc<Models>> {
        Some(Arc::clone(&self.models))
    }
}

/// `outside`: whether the model was shown what somebody wrote whom nobody knows.
fn done(work: &Work, content: &str, answer: Answer, outside: bool) -> Outcome {
    if answer.text.trim().is_empty() {
        return Outcome::Retry { error: "the model answered with nothing".to_owned(), after: None };
    }
    if answer.reason != FinishReason::Stop {
        let line = format!("The answer is not whole: the model stopped because of {}", answer.reason.as_str());
        work.reporter.at_the_end(NewEvent::log(Level::Warn, line));
    }
    // Secrets first: of one that is cut nobody can tell that it is one.
    let brief = |text: &str| shorten(&redact(text), FOR_THE_NEXT_STEP);
    let mut output = json!({"question": brief(content), "answer": brief(&answer.text)});
    if let Some(output) = output.as_object_mut().filter(|_| outside) {
        output.insert("outside".to_owned(), true.into());
    }
    Outcome::Done(Done {
        output,
        writes: vec![
            Write::Answer { content: answer.text.clone() },
            Write::Output {
                name: "Answer".to_owned(),
                kind: "text",
                media_type: "text/markdown; charset=utf-8".to_owned(),
                content: answer.text.into_bytes().into(),
            },
        ],
    })
}
