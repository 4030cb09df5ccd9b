//! The model providers of this worker: made from the configuration, published for `GET /api/providers`, and marked by how
//! their calls go.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use futures_util::future::join_all;
use titan_agent::catalogue::Facts;
use titan_agent::models::Resolved;
use titan_agent::{Model, Probe, ProbeState, ProviderError, ProviderKind, ProviderSettings};
use titan_core::budgets::dollars;
use titan_core::config::{self, PriceOf};
use titan_core::db::Db;
use titan_core::providers::{self, Offered, Provider, Use};

/// A state that has not changed is written this often at most.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// Between two looks at the providers: while one of them does not answer, and while all do.
const ASK_AGAIN_SOON: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_secs(600);
/// Bytes of a model's name, and tokens that a model may take, beyond which a server is not believed.
const MAX_NAME: usize = 300;
const MAX_TOKENS: u64 = 1 << 40;

#[derive(Debug)]
pub struct Models {
    registry: titan_agent::Registry,
    /// Asked in this order when the model that was wanted does not answer.
    fallback: Vec<String>,
    prices: Vec<PriceOf>,
    /// By provider and model, as far as it was told.
    offered: Mutex<HashMap<String, HashMap<String, Facts>>>,
    /// By provider: whether the last call that was told of failed, and when that was.
    told: Mutex<HashMap<String, (bool, Instant)>>,
}

impl Models {
    /// # Errors
    /// When an address or a key cannot be used at all. Nothing is asked over the network.
    pub fn from_config(models: &config::Models) -> Result<Self, ProviderError> {
        let settings = ProviderSettings {
            vendors: models.vendors.clone(),
            default_model: models.default_model.clone(),
            offline_delay: models.offline_delay,
            ..ProviderSettings::default()
        };
        let registry = titan_agent::Registry::from_settings(&settings)?;
        for fallback in &models.fallback_models {
            let provider = fallback.split_once(':').map_or(fallback.as_str(), |(provider, _)| provider);
            if !registry.list().iter().any(|known| known.name() == provider) {
                let message = format!(
                    "TITAN_FALLBACK_MODELS: {fallback:?} must be provider:model of a provider that is set up, by its key or its address"
                );
                return Err(ProviderError::Misconfigured { message });
            }
        }
        Ok(Self {
            registry,
            fallback: models.fallback_models.clone(),
            prices: models.prices.clone(),
            offered: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// What answers for the model that a task names, or by default.
    #[must_use]
    pub fn resolve(&self, model: Option<&str>) -> Resolved {
        self.registry.resolve(model)
    }

    /// The provider of this name, if it is set up.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<Arc<dyn titan_agent::Provider>> {
        self.registry.list().iter().find(|provider| provider.name() == name).cloned()
    }

    /// What is asked for the model that a task names, or by default, and what is asked in its place, in this order.
    #[must_use]
    pub fn candidates(&self, model: Option<&str>) -> Vec<Resolved> {
        let wanted = self.registry.resolve(model);
        // The offline model always answers.
        if wanted.provider.kind() == ProviderKind::Offline {
            return vec![wanted];
        }
        let mut candidates = vec![wanted];
        for name in &self.fallback {
            let resolved = self.registry.resolve(Some(name));
            let same =
                |other: &Resolved| other.provider.name() == resolved.provider.name() && other.model == resolved.model;
            if !candidates.iter().any(same) {
                candidates.push(resolved);
            }
        }
        candidates
    }

    /// What is known of a model: by the settings, by its provider, and publicly.
    #[must_use]
    pub fn facts(&self, provider: &dyn titan_agent::Provider, model: &str) -> Facts {
        let set = PriceOf::find(&self.prices, provider.name(), model);
        let told = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
        let told = told.get(provider.name()).and_then(|models| models.get(model)).copied().unwrap_or_default();
        Facts { price: set, ..Facts::default() }.or(told).or(provider.catalogued(model).unwrap_or_default())
    }

    /// Publishes the providers at once, and again and again when each was asked whether it could answer: soon while one could not.
    /// Does not end.
    pub async fn keep_published(&self, db: &Db) {
        let not_asked = "not asked yet".to_owned();
        let unknown = || Probe { state: ProbeState::Unknown, detail: Some(not_asked.clone()), models: Vec::new() };
        self.write(db, self.registry.list().iter().map(|_| unknown()).collect()).await;
        loop {
            let probes = join_all(self.registry.list().iter().map(|provider| provider.probe())).await;
            let failing = probes.iter().any(|probe| probe.state == ProbeState::Failing);
            self.write(db, probes).await;
            tokio::time::sleep(if failing { ASK_AGAIN_SOON } else { ASK_AGAIN }).await;
        }
    }

    async fn write(&self, db: &Db, probes: Vec<Probe>) {
        let default = self.registry.default().provider.name().to_owned();
        let described = self.registry.list().iter().zip(probes).map(|(provider, probe)| {
            let detail = probe.detail.unwrap_or_default();
            self.keep(provider.name(), &probe.models);
            let models = offered(probe.models, |model| self.facts(provider.as_ref(), model));
            let provider = Provider {
                name: provider.name().to_owned(),
                kind: provider.kind().as_str().to_owned(),
                model: self.registry.model_of(provider.as_ref()).to_owned(),
                // What needs nothing is always ready.
                state: match provider.kind() {
                    ProviderKind::Offline => ProbeState::Ready.as_str().to_owned(),
                    _ => probe.state.as_str().to_owned(),
                },
                is_default: provider.name() == default,
                last_error: (probe.state == ProbeState::Failing).then(|| detail.clone()),
                detail,
                model_count: i32::try_from(models.len()).unwrap_or(i32::MAX),
                checked_at: Utc::now(),
                last_30_days: Use::default(),
            };
            (provider, models)
        });
        let described: Vec<(Provider, Vec<Offered>)> = described.collect();
        if let Err(error) = db.run(move |connection| providers::publish(connection, &described)).await {
            tracing::warn!(%error, "the model providers could not be published");
        }
    }

    /// What a provider that is asked again does not tell stays as it was told.
    fn keep(&self, provider: &str, models: &[Model]) {
        if models.is_empty() {
            return;
        }
        let facts = |model: &Model| Facts {
            price: model.price,
            context_tokens: model.context_tokens,
            max_output_tokens: model.max_output_tokens,
            takes_images: model.takes_images,
        };
        let known = models.iter().map(|model| (model.id.clone(), facts(model))).collect();
        self.offered.lock().unwrap_or_else(PoisonError::into_inner).insert(provider.to_owned(), known);
    }

    /// Notes how a call went. Written beside the work, and seldom.
    pub fn called(&self, db: &Db, provider: &str, error: Option<&ProviderError>) {
        if error.is_some_and(|error| !speaks_of_the_provider(error)) || !self.worth_telling(provider, error.is_some()) {
            return;
        }
        let (db, name, error) = (db.clone(), provider.to_owned(), error.map(ToString::to_string));
        tokio::spawn(async move {
            let written = db.run(move |connection| providers::record(connection, &name, error.as_deref())).await;
            if let Err(error) = written {
                tracing::debug!(%error, "a provider's state was not written");
            }
        });
    }

    fn worth_telling(&self, provider: &str, failing: bool) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match told.get(provider) {
            Some((was, at)) if *was == failing && at.elapsed() < TELL_EVERY => false,
            _ => {
                told.insert(provider.to_owned(), (failing, Instant::now()));
                true
            }
        }
    }
}

/// What a server told, fit to be stored: gateways list a model twice, and some say "unlimited" with the largest number there is.
fn offered(told: Vec<Model>, facts: impl Fn(&str) -> Facts) -> Vec<Offered> {
    let mut seen = HashSet::new();
    let sane = |tokens: Option<u64>| tokens.filter(|tokens| *tokens <= MAX_TOKENS);
    let offer = |id: String| {
        let Facts { price, context_tokens, max_output_tokens, .. } = facts(&id);
        Offered {
            context_tokens: sane(context_tokens),
            max_output_tokens: sane(max_output_tokens),
            input_price: price.map(|price| dollars(price.input)),
            output_price: price.map(|price| dollars(price.output)),
            id,
        }
    };
    let models = told.into_iter().map(|model| model.id);
    models
        .filter(|id| !id.is_empty() && id.len() <= MAX_NAME && !id.contains('\0'))
        .filter(|id| seen.insert(id.clone()))
        .map(offer)
        .collect()
}

/// Whether a failure says something about the provider, or only about this one message.
fn speaks_of_the_provider(error: &ProviderError) -> bool {
    !matches!(
        error,
        ProviderError::Canceled
            | ProviderError::InvalidRequest { .. }
            | ProviderError::Refused { .. }
            | ProviderError::TooLong { .. }
    )
}

#[cfg(test)]
mod tests {
    use titan_core::budgets::Price;

    use super::*;

    #[test]
    fn what_a_server_tells_is_stored_only_as_far_as_it_makes_sense() {
        let long = "x".repeat(MAX_NAME + 1);
        let told = ["a", "a", "b", "", "\0", &long].map(Model::named).to_vec();
        let facts = |id: &str| Facts {
            context_tokens: Some(if id == "b" { u64::MAX } else { 8 }),
            price: Some(Price { input: 150_000, output: 600_000, cached_input: 0 }),
            ..Facts::default()
        };
        let stored = offered(told, facts);
        let stored: Vec<_> =
            stored.iter().map(|model| (model.id.as_str(), model.context_tokens, model.input_price)).collect();
        assert_eq!(stored, [("a", Some(8), Some(0.15)), ("b", None, Some(0.15))]);
    }
}
