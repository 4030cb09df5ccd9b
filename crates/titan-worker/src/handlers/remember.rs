//! The step that remembers what was said: the facts of it, for which the model is asked, or a plain record. What is worth a fact is
//! `titan-agent`'s to say. Whatever goes wrong, the run completes; the log says what was not remembered and why.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::{Value, json};
use titan_agent::extraction::{self, Fact};
use titan_agent::memory::{fact_of_exchange, fact_of_question};
use titan_agent::{ModelRequest, ProviderKind, agents};
use titan_core::config::MemoryMode;
use titan_core::engine::{Done, NewEvent, Outcome, Purpose, Write};
use titan_core::memories::{self, Embedding, Form, Remembered, Trust};
use titan_core::messages;
use titan_core::state::Level;
use tokio::time::sleep;

use super::recall::agent_of;
use crate::asking::{self, Broken, Question, Shown};
use crate::embedder::Embedder;
use crate::handler::{Handler, Work};
use crate::models::Models;
use crate::stop::{Stop, StopReason};

/// A record of what was said, not a conclusion from it.
const CONFIDENCE: f64 = 1.0;
/// For the facts, and for their embeddings: together less than the step may take.
const PATIENCE: Duration = Duration::from_secs(40);
/// By then the outcome is in the tables.
const UNTIL_WRITTEN: TimeDelta = TimeDelta::seconds(5);
const PATIENCE_FOR_EMBEDDINGS: Duration = Duration::from_secs(10);

pub struct Remember {
    models: Arc<Models>,
    mode: MemoryMode,
    embedder: Option<Arc<Embedder>>,
}

impl Remember {
    #[must_use]
    pub fn new(models: Arc<Models>, mode: MemoryMode, embedder: Option<Arc<Embedder>>) -> Self {
        Self { models, mode, embedder }
    }
}

#[async_trait]
impl Handler for Remember {
    fn kind(&self) -> &'static str {
        "remember"
    }

    async fn run(&self, work: Work) -> Outcome {
        let said = |name: &str| {
            let answer = work.started.inputs.get("answer");
            answer.and_then(|answer| answer.get(name)).and_then(Value::as_str).unwrap_or_default()
        };
        let agent = agents::find(Some(agent_of(&work)));
        let title = agent.map_or(agent_of(&work), |agent| agent.title.as_str());
        let record = |said: Option<String>, form: Form| Remembered::new(&said?, form, CONFIDENCE);
        // The one that answered, or would have.
        let of_agent = agent.and_then(|agent| agent.model.as_deref());
        let model = work.started.payload.get("model").and_then(Value::as_str).or(of_agent);
        let offline = self.models.resolve(model).provider.kind() == ProviderKind::Offline;
        let remembered = match self.mode {
            MemoryMode::Off => Vec::new(),
            // What the offline model says is not worth it, and the queue is not to wait for an index of such records.
            _ if offline => record(fact_of_question(said("question")), Form::Unindexed).into_iter().collect(),
            MemoryMode::Record => {
                let exchange = fact_of_exchange(said("question"), title, said("answer"));
                record(exchange, Form::Record).into_iter().collect()
            }
            MemoryMode::Extract => {
                let (question, answer) = whole(&work, said("question"), said("answer")).await;
                match self.extract(&work, model, extraction::request(&question, title, &answer)).await {
                    Ok(facts) => facts,
                    Err(outcome) => return outcome,
                }
            }
        };
        if self.embedder.is_some() && remembered.iter().any(Remembered::wants_embedding) {
            work.reporter.enqueue(memories::embed_missing(UNTIL_WRITTEN));
        }
        let writes = remembered.into_iter().map(Write::Memory).collect();
        Outcome::Done(Done { output: json!({}), writes })
    }
}

impl Remember {
    /// The facts; none when there are none or the model does not say. An outcome only when nothing can be written any more.
    async fn extract(
        &self,
        work: &Work,
        model: Option<&str>,
        request: Option<ModelRequest>,
    ) -> Result<Vec<Remembered>, Outcome> {
        let log = |level: Level, line: String| work.reporter.at_the_end(NewEvent::log(level, line));
        let Some(request) = request else { return Ok(Vec::new()) };
        let question = Question { purpose: Purpose::Memory, model, request, shown: Shown::Nothing };
        let told = match ask_in_time(work, &self.models, question).await {
            Ok(told) => told,
            Err(Refused::Ends(outcome)) => return Err(outcome),
            Err(Refused::Because(why)) => {
                log(Level::Warn, format!("Nothing is remembered: {why}"));
                return Ok(Vec::new());
            }
        };
        let facts = match extraction::read(&told) {
            Ok(facts) => facts,
            Err(why) => {
                log(Level::Warn, format!("Nothing is remembered: the model's facts cannot be read: {why}"));
                return Ok(Vec::new());
            }
        };
        if facts.is_empty() {
            log(Level::Info, "Nothing of this is worth remembering".to_owned());
        }
        Ok(self.remembered(work, facts).await)
    }

    /// What means the same as a fact that is known takes its words, and so is merged with it.
    async fn remembered(&self, work: &Work, facts: Vec<Fact>) -> Vec<Remembered> {
        let (agent, trust) = (agent_of(work), trust_in(work));
        let new = |fact: &Fact| {
            let remembered = Remembered::new(&fact.content, Form::Fact, fact.confidence)?;
            let remembered = remembered.scoped(fact.scope, agent).on_the_word_of(trust);
            Some(remembered.about(fact.person.as_deref()).for_days(fact.expires_in_days))
        };
        let facts: Vec<Remembered> = facts.iter().filter_map(new).collect();
        let Some(embedder) = self.embedder.as_deref().filter(|_| !facts.is_empty()) else { return facts };
        let texts: Vec<String> = facts.iter().map(|fact| fact.content().to_owned()).collect();
        let embeddings = embedder.embed(&texts, PATIENCE_FOR_EMBEDDINGS).await.unwrap_or_else(|error| {
            tracing::warn!(%error, model = embedder.name(), "facts are remembered without embeddings for now");
            vec![None; facts.len()]
        });
        let mut kept = Vec::new();
        for (fact, embedding) in facts.into_iter().zip(embeddings) {
            kept.push(match embedding {
                Some(embedding) => self.or_known(work, fact, embedding).await,
                None => fact,
            });
        }
        kept
    }

    async fn or_known(&self, work: &Work, fact: Remembered, embedding: Embedding) -> Remembered {
        let (project_id, asked, near) = (work.started.project_id, fact.clone(), embedding.clone());
        let known = work.db.run(move |connection| memories::similar(connection, project_id, &asked, &near)).await;
        match known {
            Ok(Some(words)) => fact.in_these_words(words),
            Ok(None) => fact.embedded(Some(embedding)),
            Err(error) => {
                tracing::debug!(%error, "not known whether a fact is known already");
                fact.embedded(Some(embedding))
            }
        }
    }
}

/// What was said, in full: the step before hands on the beginning only.
async fn whole(work: &Work, question: &str, answer: &str) -> (String, String) {
    let run_id = work.fence.run_id;
    let kept = work.db.run(move |connection| messages::answer(connection, run_id)).await;
    let kept = kept.unwrap_or_else(|error| {
        tracing::warn!(%error, run.id = %run_id, "facts are looked for in the beginning of the answer only");
        None
    });
    let asked = work.started.payload.get("content").and_then(Value::as_str);
    (asked.unwrap_or(question).to_owned(), kept.map_or_else(|| answer.to_owned(), |kept| kept.content))
}

/// A message that brings files along, or that documents were shown for, may be about what stands in them, and nobody knows
/// who wrote that.
fn trust_in(work: &Work) -> Trust {
    let files = work.started.payload.get("attachments").and_then(Value::as_array);
    let shown = work.started.inputs.get("answer").and_then(|answer| answer.get("outside")?.as_bool());
    if shown == Some(true) || files.is_some_and(|files| !files.is_empty()) { Trust::Outside } else { Trust::Agent }
}

/// Why there are no facts.
enum Refused {
    /// The step itself cannot go on.
    Ends(Outcome),
    Because(String),
}

/// Asks the model, for a while.
async fn ask_in_time(work: &Work, models: &Models, question: Question<'_>) -> Result<String, Refused> {
    // A stop of its own, so that the call is settled when its time is over, and the step goes on.
    let hurried = Work { stop: Stop::default(), ..work.clone() };
    let answered = asking::ask(&hurried, models, question);
    tokio::pin!(answered);
    let answer = tokio::select! {
        answer = &mut answered => answer,
        () = work.stop.requested() => {
            hurried.stop.because(work.stop.reason().unwrap_or(StopReason::Canceled));
            answered.await
        }
        () = sleep(PATIENCE) => {
            hurried.stop.because(StopReason::Deadline);
            answered.await
        }
    };
    match answer {
        Ok(answer) => Ok(answer.text),
        Err(Broken::Stopped) if work.stop.reason().is_none() => {
            Err(Refused::Because(format!("the model took longer than {} s", PATIENCE.as_secs())))
        }
        Err(Broken::Provider(error)) => Err(Refused::Because(error.to_string())),
        Err(Broken::Budget(refusal)) => Err(Refused::Because(refusal.reason)),
        Err(broken) => Err(Refused::Ends(broken.outcome())),
    }
}
