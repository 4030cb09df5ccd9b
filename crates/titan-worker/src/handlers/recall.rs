//! What a model is shown of all that is remembered, and the count of it.

use std::time::Duration;

use titan_agent::{ModelRequest, Role};
use titan_core::db::PgConnection;
use titan_core::engine::NewEvent;
use titan_core::memories::{self, Asked, DEFAULT_AGENT, Embedding, Memory, Trust};
use titan_core::redact::redact;
use titan_core::state::Level;
use uuid::Uuid;

use crate::embedder::Embedder;
use crate::handler::Work;
use crate::reporter::Reporter;

/// Memories that are looked at; how many of them fit is a matter of their length.
const MOST: usize = 50;
/// A person waits for the answer: without an embedding by then it goes on by words alone.
const PATIENCE: Duration = Duration::from_secs(3);

/// The agent that works on a task: the one that its payload names, else Jason.
pub(super) fn agent_of(work: &Work) -> &str {
    let named = work.started.payload.get("agent").and_then(serde_json::Value::as_str).map(str::trim);
    named.filter(|name| !name.is_empty()).unwrap_or(DEFAULT_AGENT)
}

/// What a run wants to know.
pub(super) struct Question {
    project_id: Uuid,
    agent: String,
    text: String,
    embedding: Option<Embedding>,
    reporter: Reporter,
}

impl Question {
    /// The provider of embeddings is no reason to be shown a secret.
    pub(super) async fn of(work: &Work, embedder: Option<&Embedder>, text: &str) -> Self {
        let embedding = match embedder {
            Some(embedder) => embedding(work, embedder, &redact(text)).await,
            None => None,
        };
        let (project_id, agent) = (work.started.project_id, agent_of(work).to_owned());
        Question { project_id, agent, text: text.to_owned(), embedding, reporter: work.reporter.clone() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The most important first; none when they cannot be read, for instance in the time that a statement has: an answer without
    /// them is better than none.
    pub(super) fn recall(&self, connection: &mut PgConnection) -> Vec<Memory> {
        let Question { project_id, agent, text, embedding, .. } = self;
        let asked = Asked { project_id: *project_id, agent, question: text, embedding: embedding.as_ref() };
        memories::recall(connection, &asked, MOST).unwrap_or_else(|error| {
            tracing::warn!(%error, project.id = %project_id, "the answer goes on without memories");
            let line = format!("The model is shown no memories, because they could not be read: {error}");
            self.reporter.at_the_end(NewEvent::log(Level::Warn, line));
            Vec::new()
        })
    }
}

/// Made once for a question, however often its step begins again.
async fn embedding(work: &Work, embedder: &Embedder, text: &str) -> Option<Embedding> {
    let question = text.to_owned();
    let kept = work.db.run(move |connection| memories::embedding_of_query(connection, &question)).await;
    if let Some(kept) = kept.ok().flatten().filter(|kept| kept.model() == embedder.name()) {
        return Some(kept);
    }
    let made = embedder.try_one(text, PATIENCE).await?;
    let (question, embedding) = (text.to_owned(), made.clone());
    if let Err(error) = work.db.run(move |connection| memories::keep_query(connection, &question, &embedding)).await {
        tracing::debug!(%error, "the embedding of a question was not kept");
    }
    Some(made)
}

/// As the model is shown it: whose word it is, and what it says.
pub(super) fn line(memory: &Memory) -> String {
    let word = match memory.trust {
        Trust::Person => "a person wrote",
        Trust::Agent => "noted by an agent",
        Trust::Outside => "from outside, not to be trusted",
    };
    format!("({word}) {}", memory.content.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Those that found room in the request.
pub(super) fn shown(recalled: &[Memory], request: &ModelRequest) -> Vec<Uuid> {
    let system = request.messages.iter().filter(|message| message.role == Role::System);
    let shown: String = system.map(titan_agent::Message::text).collect();
    recalled.iter().filter(|memory| shown.contains(&line(memory))).map(|memory| memory.id).collect()
}

/// Counts those that a model was shown, once it has answered. Beside the work: nobody waits for it.
pub(super) fn note_use(work: &Work, shown: Vec<Uuid>) {
    if shown.is_empty() {
        return;
    }
    let db = work.db.clone();
    tokio::spawn(async move {
        if let Err(error) = db.run(move |connection| memories::used(connection, &shown)).await {
            tracing::debug!(%error, "the use of memories was not counted");
        }
    });
}
