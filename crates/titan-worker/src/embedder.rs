//! What turns texts into embeddings: one model for a whole installation, since directions of two models cannot be compared. That it
//! fails never stops anything; what has no embedding is found by its words.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use titan_agent::provider::MAX_EMBEDDED;
use titan_agent::{Provider, ProviderError};
use titan_core::memories::Embedding;
use tokio::time::timeout;

use crate::models::Models;

#[derive(Debug)]
pub struct Embedder {
    provider: Arc<dyn Provider>,
    model: String,
    /// As the settings have it: `provider:model`.
    name: String,
}

impl Embedder {
    /// None when no model is set.
    ///
    /// # Errors
    /// When the provider that is named has neither a key nor an address.
    pub fn of(models: &Models, name: Option<&str>) -> anyhow::Result<Option<Self>> {
        let Some((name, (provider, model))) = name.and_then(|name| Some((name, name.split_once(':')?))) else {
            return Ok(None);
        };
        let provider = models.provider(provider).with_context(|| {
            format!("TITAN_EMBEDDING_MODEL: {provider} is not set up; it needs its key or its address, or unset the variable")
        })?;
        Ok(Some(Embedder { provider, model: model.to_owned(), name: name.to_owned() }))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One for each text; none for one that has no direction.
    ///
    /// # Errors
    /// When the provider does not answer in time or not as it should.
    pub async fn embed(&self, texts: &[String], within: Duration) -> Result<Vec<Option<Embedding>>, ProviderError> {
        let mut embeddings = Vec::new();
        for some in texts.chunks(MAX_EMBEDDED) {
            let silent = ProviderError::Timeout { phase: titan_agent::TimeoutPhase::FirstToken, after: within };
            let vectors = timeout(within, self.provider.embed(&self.model, some)).await.unwrap_or(Err(silent))?;
            embeddings.extend(vectors.iter().map(|vector| Embedding::of(&self.name, vector)));
        }
        Ok(embeddings)
    }

    /// The same for one text, when it is no great loss to have none.
    pub async fn try_one(&self, text: &str, within: Duration) -> Option<Embedding> {
        match self.embed(&[text.to_owned()], within).await {
            Ok(embeddings) => embeddings.into_iter().next().flatten(),
            Err(error) => {
                tracing::warn!(%error, model = self.name, "no embedding; searching by words alone");
                None
            }
        }
    }
}
