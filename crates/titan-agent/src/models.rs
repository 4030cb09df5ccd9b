//! Which provider and model answer. The settings come from the worker, which has them from the environment.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::error::ProviderError;
use crate::offline::{self, Offline};
use crate::openai::{OpenAi, OpenAiSettings, Timeouts};
use crate::provider::Provider;

const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";
const OPENAI_MODEL: &str = "gpt-4o-mini";
const OPENROUTER_BASE_URL: &str = "https://openrouter.ai/api/v1";
const OPENROUTER_MODEL: &str = "openrouter/auto";

/// What is configured. A provider counts as configured when its key or its address is set.
#[derive(Debug, Clone, Default)]
pub struct ProviderSettings {
    pub openai_base_url: Option<Url>,
    pub openai_api_key: Option<SecretString>,
    pub openrouter_base_url: Option<Url>,
    pub openrouter_api_key: Option<SecretString>,
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
        if settings.openai_base_url.is_some() || settings.openai_api_key.is_some() {
            providers.push(Arc::new(OpenAi::new(OpenAiSettings {
                name: "openai".to_owned(),
                base_url: address(settings.openai_base_url.as_ref(), OPENAI_BASE_URL)?,
                api_key: settings.openai_api_key.clone(),
                // Any other server knows its own models best.
                default_model: is_openai(settings.openai_base_url.as_ref()).then(|| OPENAI_MODEL.to_owned()),
                timeouts: settings.timeouts,
            })?));
        }
        if settings.openrouter_base_url.is_some() || settings.openrouter_api_key.is_some() {
            providers.push(Arc::new(OpenAi::new(OpenAiSettings {
                name: "openrouter".to_owned(),
                base_url: address(settings.openrouter_base_url.as_ref(), OPENROUTER_BASE_URL)?,
                api_key: settings.openrouter_api_key.clone(),
                default_model: Some(OPENROUTER_MODEL.to_owned()),
                timeouts: settings.timeouts,
            })?));
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

fn address(set: Option<&Url>, default: &str) -> Result<Url, ProviderError> {
    match set {
        Some(url) => Ok(url.clone()),
        None => Url::parse(default).map_err(|error| ProviderError::Misconfigured { message: error.to_string() }),
    }
}

fn is_openai(base_url: Option<&Url>) -> bool {
    base_url.is_none_or(|url| url.host_str() == Some("api.openai.com"))
}
