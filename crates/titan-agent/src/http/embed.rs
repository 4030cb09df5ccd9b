//! One call for embeddings: a request, an answer in one piece, and whether it is what was asked for.

use titan_core::text::head;

use super::{HttpProvider, ProviderError};
use crate::provider::MAX_EMBEDDED;

/// 64 vectors of 4096 numbers of 20 characters.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Characters of a text; what comes after says hardly more of what it is about, and models have their limits.
const MAX_CHARS: usize = 6000;

impl HttpProvider {
    pub(super) async fn embeddings(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        let misconfigured = |message: String| Err(ProviderError::Misconfigured { message });
        if texts.len() > MAX_EMBEDDED {
            return misconfigured(format!("{} texts are more than the {MAX_EMBEDDED} of one call", texts.len()));
        }
        let cut: Vec<&str> = texts.iter().map(|text| head(text, MAX_CHARS)).collect();
        let Some((path, body)) = self.wire.embedding(model, &cut) else {
            return misconfigured(format!("{} offers no embeddings", self.name));
        };
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let within = self.timeouts.first_token;
        let response = self.send(self.client.post(self.url(&path)).json(&body), within).await?;
        let answer = self.failures.read_body(response, MAX_BYTES, within).await?;
        let answer = serde_json::from_slice(&answer)
            .map_err(|error| self.failures.malformed(format!("the embeddings: {error}")))?;
        let vectors = self.wire.embeddings(&answer).unwrap_or_default();
        let dimensions = vectors.first().map_or(0, Vec::len);
        let alike = vectors.iter().all(|vector| vector.len() == dimensions && vector.iter().all(|n| n.is_finite()));
        if vectors.len() != texts.len() || dimensions == 0 || !alike {
            let message = format!("{} texts were to be embedded, and {} vectors came back", texts.len(), vectors.len());
            return Err(self.failures.malformed(message));
        }
        Ok(vectors)
    }
}
