//! What a run remembers, as a value that its step hands to the engine.

use super::{Embedding, MAX_CONTENT, MAX_NAME, MemoryScope, Trust};
use crate::redact::redact;
use crate::text::head;

/// Days that a run may give what it remembers; what is to last longer does not expire.
const MAX_DAYS: i32 = 3650;

/// How it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Once, whoever says it again: exact duplicates are merged.
    Fact,
    /// What was said in one run, and so one for each run.
    Record,
    /// The same where the queue must not wait for an index of words. A search finds it by reading through.
    Unindexed,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    pub(crate) content: String,
    pub(crate) form: Form,
    pub(crate) scope: MemoryScope,
    pub(crate) agent: Option<String>,
    pub(crate) trust: Trust,
    pub(crate) confidence: f64,
    pub(crate) person: Option<String>,
    pub(crate) expires_in_days: Option<i32>,
    pub(crate) embedding: Option<Embedding>,
}

impl Remembered {
    /// For its project, for ever, on an agent's word. Secrets are taken out and what is too long is cut; none when nothing is left.
    #[must_use]
    pub fn new(content: &str, form: Form, confidence: f64) -> Option<Self> {
        let content = head(&redact(content.trim()), MAX_CONTENT).replace('\0', "\u{fffd}");
        let confidence = if confidence.is_finite() { confidence.clamp(0.0, 1.0) } else { 0.0 };
        (!content.is_empty()).then_some(Remembered {
            content,
            form,
            scope: MemoryScope::Project,
            agent: None,
            trust: Trust::Agent,
            confidence,
            person: None,
            expires_in_days: None,
            embedding: None,
        })
    }

    /// The agent counts for the scope that needs one.
    #[must_use]
    pub fn scoped(self, scope: MemoryScope, agent: &str) -> Self {
        let agent = (scope == MemoryScope::Agent).then(|| head(agent, MAX_NAME).to_owned());
        Remembered { scope, agent, ..self }
    }

    #[must_use]
    pub fn on_the_word_of(self, trust: Trust) -> Self {
        Remembered { trust, ..self }
    }

    #[must_use]
    pub fn about(self, person: Option<&str>) -> Self {
        let name = |name: &str| head(&redact(name.trim()).replace('\0', ""), MAX_NAME).to_owned();
        Remembered { person: person.map(name).filter(|name| !name.is_empty()), ..self }
    }

    #[must_use]
    pub fn for_days(self, days: Option<i32>) -> Self {
        Remembered { expires_in_days: days.filter(|days| (1..=MAX_DAYS).contains(days)), ..self }
    }

    #[must_use]
    pub fn embedded(self, embedding: Option<Embedding>) -> Self {
        Remembered { embedding, ..self }
    }

    /// As another memory says it, with which it is then merged.
    #[must_use]
    pub fn in_these_words(self, content: String) -> Self {
        Remembered { content, ..self }
    }

    /// Whether it is stored without one, where one belongs.
    #[must_use]
    pub fn wants_embedding(&self) -> bool {
        self.embedding.is_none() && self.form != Form::Unindexed
    }

    #[must_use]
    pub fn content(&self) -> &str {
        &self.content
    }
}
