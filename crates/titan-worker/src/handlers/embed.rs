//! The job that makes embeddings: of a question that somebody in the API waits for, and of memories that have none yet. It leaves no
//! dead letter: a search finds by words what it did not embed, and the next job tries again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use titan_agent::ProviderError;
use titan_core::engine::{Done, Outcome};
use titan_core::memories::{self, Embedding, Unembedded};
use titan_core::redact::redact;

use crate::embedder::Embedder;
use crate::handler::{JobHandler, LoneJob};

/// Who waits for a question waits no longer.
const PATIENCE_FOR_QUERIES: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(20);
/// Memories of one call, and calls of one job.
const BATCH: i64 = 64;
const ROUNDS: usize = 20;
/// The rest waits so long, so that others have their turn.
const PAUSE: Duration = Duration::from_secs(1);

pub struct Embed {
    embedder: Arc<Embedder>,
}

impl Embed {
    #[must_use]
    pub fn new(embedder: Arc<Embedder>) -> Self {
        Self { embedder }
    }
}

#[async_trait]
impl JobHandler for Embed {
    fn kind(&self) -> &'static str {
        memories::EMBED
    }

    async fn run(&self, job: LoneJob) -> Outcome {
        let embedded = match job.payload.get("query").and_then(Value::as_str) {
            Some(query) => self.query(&job, query).await.map(|()| true),
            None => self.missing(&job).await,
        };
        match embedded {
            Ok(true) => {}
            Ok(false) => return Outcome::Snooze { after: PAUSE, reason: "more memories to embed".to_owned() },
            Err(error) => tracing::warn!(error = format!("{error:#}"), model = self.embedder.name(), "not embedded"),
        }
        Outcome::Done(Done::default())
    }
}

impl Embed {
    async fn query(&self, job: &LoneJob, query: &str) -> anyhow::Result<()> {
        let texts = [redact(query)];
        let embedding = self.embedder.embed(&texts, PATIENCE_FOR_QUERIES).await?.into_iter().next().flatten();
        if let Some(embedding) = embedding {
            let query = query.to_owned();
            job.db.run(move |connection| memories::keep_query(connection, &query, &embedding)).await?;
        }
        Ok(())
    }

    /// False when there are more than one job should embed. From the newest to the oldest, so that what cannot be embedded is tried once
    /// in a job and keeps nobody from the rest.
    async fn missing(&self, job: &LoneJob) -> anyhow::Result<bool> {
        // A worker that begins has such a job done, and its model may be another than before.
        let model = self.embedder.name().to_owned();
        job.db.run(move |connection| memories::forget_queries_of_others(connection, &model)).await?;
        let (mut before, mut passed_over) = (None, false);
        for _ in 0..ROUNDS {
            let model = self.embedder.name().to_owned();
            let some = job.db.run(move |connection| memories::unembedded(connection, &model, before, BATCH)).await?;
            let Some(last) = some.last().map(|memory| memory.id).filter(|_| job.stop.reason().is_none()) else {
                // What somebody was writing just then comes next time.
                return Ok(!passed_over);
            };
            before = Some(last);
            let embedded = self.embedded(some).await?;
            let made = embedded.len();
            let stored = job.db.run(move |connection| memories::embed(connection, &embedded)).await?;
            passed_over |= stored < made;
        }
        Ok(false)
    }

    /// One call for all of them, or one for each where the provider refuses something about them.
    async fn embedded(&self, some: Vec<Unembedded>) -> Result<Vec<(Unembedded, Embedding)>, ProviderError> {
        let texts: Vec<String> = some.iter().map(|memory| memory.content.clone()).collect();
        let embeddings = match self.embedder.embed(&texts, PATIENCE).await {
            Err(ProviderError::InvalidRequest { .. }) => self.one_by_one(&texts).await?,
            embeddings => embeddings?,
        };
        let pair = |(memory, embedding): (Unembedded, Option<Embedding>)| Some((memory, embedding?));
        Ok(some.into_iter().zip(embeddings).filter_map(pair).collect())
    }

    async fn one_by_one(&self, texts: &[String]) -> Result<Vec<Option<Embedding>>, ProviderError> {
        let mut embeddings = Vec::new();
        for text in texts.chunks(1) {
            embeddings.push(match self.embedder.embed(text, PATIENCE).await {
                Err(error @ ProviderError::InvalidRequest { .. }) => {
                    tracing::debug!(%error, model = self.embedder.name(), "a memory is found by its words only");
                    None
                }
                embedding => embedding?.into_iter().next().flatten(),
            });
        }
        Ok(embeddings)
    }
}
