//! The job that makes embeddings: of a question that somebody in the API waits for, and of memories that have none yet. It leaves no
//! dead letter: a search finds by words what it did not embed, and the next job tries again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
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

    /// False when there are more than one job should embed.
    async fn missing(&self, job: &LoneJob) -> anyhow::Result<bool> {
        for _ in 0..ROUNDS {
            let model = self.embedder.name().to_owned();
            let some = job.db.run(move |connection| memories::unembedded(connection, &model, BATCH)).await?;
            if some.is_empty() || job.stop.reason().is_some() {
                return Ok(true);
            }
            let texts: Vec<String> = some.iter().map(|memory| memory.content.clone()).collect();
            let embeddings = self.embedder.embed(&texts, PATIENCE).await?;
            let pair = |(memory, embedding): (Unembedded, Option<Embedding>)| Some((memory, embedding?));
            let embedded: Vec<_> = some.into_iter().zip(embeddings).filter_map(pair).collect();
            // What has no direction would come again and again.
            if embedded.is_empty() {
                return Ok(true);
            }
            job.db.run(move |connection| memories::embed(connection, &embedded)).await?;
        }
        Ok(false)
    }
}
