//! The step that answers a message: reads what the model should know, has it answer, and leaves the answer, an output and
//! what the next step needs.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use titan_agent::agents::{self, Agent};
use titan_agent::context::{Limits, Parts, Plan, Project, Said, Summary, plan};
use titan_agent::memory::shorten;
use titan_agent::models::Resolved;
use titan_agent::{FinishReason, Message, ModelRequest, Role};
use titan_core::engine::{Done, NewEvent, Outcome, Purpose, Write};
use titan_core::state::Level;
use titan_core::{Error, memories, messages, projects};

use crate::asking::{self, Answer, Question};
use crate::handler::{Handler, Work};
use crate::models::Models;

/// Messages and memories that are looked at; how many of them fit is a matter of their length.
const HISTORY: i64 = 50;
const MEMORIES: i64 = 50;
/// Characters of the question and of the answer that the next step is given.
const FOR_THE_NEXT_STEP: usize = 1000;
/// When the database cannot be read, the attempt is put off and not counted.
const COME_BACK: std::time::Duration = std::time::Duration::from_secs(1);

pub struct Chat {
    models: Arc<Models>,
}

impl Chat {
    #[must_use]
    pub fn new(models: Arc<Models>) -> Self {
        Self { models }
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
        let Some(agent) = agents::find(None) else {
            return Outcome::Fail { error: "there is no agent".to_owned() };
        };
        let resolved = self.models.resolve(text("model"));
        let request = match request(&work, agent, content, &resolved).await {
            Ok(request) => request,
            Err(error) if error.may_pass() => return Outcome::Snooze { after: COME_BACK, reason: error.to_string() },
            Err(error) => return Outcome::Fail { error: error.to_string() },
        };
        let question = Question { purpose: Purpose::Answer, model: text("model"), request, shown: true };
        match asking::ask(&work, &self.models, question).await {
            Ok(answer) => done(&work, content, answer),
            Err(broken) => broken.outcome(),
        }
    }

    fn models(&self) -> Option<Arc<Models>> {
        Some(Arc::clone(&self.models))
    }
}

/// Everything the model is shown, read in one go.
async fn request(work: &Work, agent: &Agent, content: &str, resolved: &Resolved) -> titan_core::Result<ModelRequest> {
    if !resolved.provider.wants_context() {
        let messages = vec![Message::new(Role::User, content)];
        return Ok(ModelRequest::new(resolved.model.clone(), messages));
    }
    let (project_id, task_id) = (work.started.project_id, work.started.task_id);
    let read = move |connection: &mut _| {
        let project = projects::name_and_spec(connection, project_id)?;
        let remembered = memories::list(connection, project_id, Some(MEMORIES), None)?;
        let said = messages::history(connection, project_id, task_id, HISTORY)?;
        Ok::<_, Error>((project, remembered.items, said))
    };
    let ((name, spec), remembered, said) = work.db.run(read).await?;
    let memories: Vec<String> = remembered.into_iter().map(|memory| memory.content).collect();
    let role = |word: &str| if word == "assistant" { Role::Assistant } else { Role::User };
    let said = said.into_iter().zip(1..);
    let history: Vec<Said> =
        said.map(|(said, ordinal)| Said { ordinal, message: Message::new(role(&said.role), said.content) }).collect();
    let project = Project { name: &name, description: spec.get("description").and_then(Value::as_str), charter: None };
    let question = Message::new(Role::User, content);
    let parts = Parts {
        agent,
        project,
        memories: &memories,
        recent: &[],
        summary: None,
        history: &history,
        question: &question,
    };
    match plan(&resolved.model, &parts, Limits::default()) {
        Plan::Fits(fitted) => Ok(fitted.request),
        Plan::Compact(compaction) => {
            let summary = Some(Summary { up_to: compaction.up_to, content: &compaction.extract });
            match plan(&resolved.model, &Parts { summary, ..parts }, Limits::default()) {
                Plan::Fits(fitted) => Ok(fitted.request),
                _ => Err(Error::Internal("the conversation does not fit".to_owned())),
            }
        }
        Plan::TooLarge { what, tokens, limit } => {
            Err(Error::Conflict(format!("{what}: about {tokens} tokens, and the model takes {limit}")))
        }
    }
}

fn done(work: &Work, content: &str, answer: Answer) -> Outcome {
    if answer.text.trim().is_empty() {
        return Outcome::Retry { error: "the model answered with nothing".to_owned(), after: None };
    }
    if answer.reason != FinishReason::Stop {
        let line = format!("The answer is not whole: the model stopped because of {}", answer.reason.as_str());
        work.reporter.at_the_end(NewEvent::log(Level::Warn, line));
    }
    Outcome::Done(Done {
        output: json!({"question": shorten(content, FOR_THE_NEXT_STEP), "answer": shorten(&answer.text, FOR_THE_NEXT_STEP)}),
        writes: vec![
            Write::Answer { content: answer.text.clone() },
            Write::Output {
                name: "Answer".to_owned(),
                kind: "text",
                media_type: "text/markdown; charset=utf-8".to_owned(),
                bytes: answer.text.into_bytes(),
            },
        ],
    })
}
