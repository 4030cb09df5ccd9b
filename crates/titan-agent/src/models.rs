//! Which provider and model answer. The settings come from the worker, which has them from the environment.

use std::sync::Arc;
use std::time::Duration;

use titan_core::config::{ConfiguredVendor, Wire};
use url::Url;

use crate::error::ProviderError;
use crate::http::{HttpProvider, HttpSettings, Timeouts};
use crate::offline::{self, Offline};
use crate::provider::Provider;
use crate::wire;

/// What is configured.
#[derive(Debug, Clone, Default)]
pub struct ProviderSettings {
    /// In the order in which they are preferred.
    pub vendors: Vec<ConfiguredVendor>,
    /// The model that answers when a task names none: `model`, or `provider:model`, or a provider's name.
    pub default_model: Option<String>,
    /// Pause between two words of the offline provider.
    pub offline_delay: Duration,
    pub timeouts: Timeouts,
}

/// A provider and the model to ask it for.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub provider: Arc<dyn Provider>,
    pub model: String,
}

/// Every provider there is. The first answers unless the settings say otherwise; the offline one is always there, last.
#[derive(Debug, Clone)]
pub struct Registry {
    providers: Vec<Arc<dyn Provider>>,
    default: Resolved,
}

impl Registry {
    /// # Errors
    /// [`ProviderError::Misconfigured`] when an address or a key cannot be used at all. Nothing is asked over the
    /// network yet.
    pub fn from_settings(settings: &ProviderSettings) -> Result<Self, ProviderError> {
        let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
        for configured in &settings.vendors {
            providers.push(provider(configured, settings.timeouts)?);
        }
        let offline: Arc<dyn Provider> = Arc::new(Offline::new(settings.offline_delay));
        providers.push(Arc::clone(&offline));

        let first = providers.first().unwrap_or(&offline);
        let fallback = Resolved { provider: Arc::clone(first), model: first.default_model().to_owned() };
        let default = match settings.default_model.as_deref().map(str::trim).filter(|model| !model.is_empty()) {
            Some(model) => resolve(&providers, &fallback, model),
            None => fallback,
        };
        Ok(Self { providers, default })
    }

    /// All providers, in the order in which they are preferred.
    #[must_use]
    pub fn list(&self) -> &[Arc<dyn Provider>] {
        &self.providers
    }

    /// What answers when a task names no model.
    #[must_use]
    pub fn default(&self) -> &Resolved {
        &self.default
    }

    /// The model this provider answers with when nobody names one: for the default provider the one from the settings.
    #[must_use]
    pub fn model_of<'a>(&'a self, provider: &'a dyn Provider) -> &'a str {
        if provider.name() == self.default.provider.name() { &self.default.model } else { provider.default_model() }
    }

    /// What answers for the model a task names: `provider:model`, a provider's name alone, or a model of the default
    /// provider.
    #[must_use]
    pub fn resolve(&self, model: Option<&str>) -> Resolved {
        match model.map(str::trim).filter(|model| !model.is_empty()) {
            Some(model) => resolve(&self.providers, &self.default, model),
            None => self.default.clone(),
        }
    }
}

fn resolve(providers: &[Arc<dyn Provider>], default: &Resolved, model: &str) -> Resolved {
    let named = |name: &str| providers.iter().find(|provider| provider.name() == name);
    if let Some(provider) = named(model) {
        return Resolved { provider: Arc::clone(provider), model: provider.default_model().to_owned() };
    }
    // A colon is also part of many models' own names (llama3:8b), so it only counts after a provider's name.
    if let Some((provider, model)) = model.split_once(':').and_then(|(name, model)| Some((named(name)?, model))) {
        return Resolved { provider: Arc::clone(provider), model: model.to_owned() };
    }
    if default.provider.name() == offline::NAME {
        // It has no other model, and the answer must not be taken for one of the model that was named.
        return default.clone();
    }
    Resolved { provider: Arc::clone(&default.provider), model: model.to_owned() }
}

/// The provider of a vendor, at the vendor's own address unless another one is set.
///
/// # Errors
/// [`ProviderError::Misconfigured`] when the address or the key cannot be used at all.
pub fn provider(configured: &ConfiguredVendor, timeouts: Timeouts) -> Result<Arc<dyn Provider>, ProviderError> {
    let vendor = configured.vendor;
    let own =
        Url::parse(vendor.base_url).map_err(|error| ProviderError::Misconfigured { message: error.to_string() })?;
    let base_url = configured.base_url.clone().unwrap_or_else(|| own.clone());
    let is_own = base_url.host() == own.host();
    let wire: Box<dyn wire::Wire> = match vendor.wire {
        Wire::OpenAi => Box::new(wire::OpenAi {
            is_openai: is_own && vendor.name == "openai",
            asks_for_usage: vendor.asks_for_usage,
            takes_schema: vendor.takes_schema || !is_own,
        }),
        Wire::Anthropic => Box::new(wire::Anthropic),
        Wire::Gemini => Box::new(wire::Gemini),
        Wire::Ollama => Box::new(wire::Ollama),
    };
    // Any other server knows its own models best, unless it stands in for one vendor's many.
    let keeps_models = is_own || vendor.wire != Wire::OpenAi || vendor.name == "openrouter";
    let default_model = vendor.default_model.filter(|_| keeps_models).map(str::to_owned);
    let settings = HttpSettings {
        name: vendor.name.to_owned(),
        wire,
        base_url,
        api_key: configured.api_key.clone(),
        key_variable: vendor.key_variable,
        catalogue: is_own.then_some(vendor.name).filter(|_| vendor.wire != Wire::Ollama),
        default_model,
        timeouts,
    };
    Ok(Arc::new(HttpProvider::new(settings)?))
}
