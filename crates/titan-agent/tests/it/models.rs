//! Which provider and model answer for which settings.

use secrecy::SecretString;
use titan_agent::models::Resolved;
use titan_agent::{ProviderError, ProviderSettings, Registry};
use url::Url;

fn names(resolved: &Resolved) -> (&str, &str) {
    (resolved.provider.name(), resolved.model.as_str())
}

fn url(text: &str) -> Option<Url> {
    Some(Url::parse(text).unwrap())
}

fn key() -> Option<SecretString> {
    Some(SecretString::from("sk-hidden"))
}

#[test]
fn the_configured_provider_answers_else_the_offline_one() {
    let default = ProviderSettings::default;
    let local = url("http://localhost:11434/v1");
    for (settings, provider, model) in [
        (default(), "offline", "offline"),
        (ProviderSettings { openai_api_key: key(), ..default() }, "openai", "gpt-4o-mini"),
        (ProviderSettings { openai_base_url: local.clone(), ..default() }, "openai", "auto"),
        (ProviderSettings { openrouter_api_key: key(), ..default() }, "openrouter", "openrouter/auto"),
        (ProviderSettings { openai_base_url: local, openrouter_api_key: key(), ..default() }, "openai", "auto"),
    ] {
        let registry = Registry::from_settings(&settings).unwrap();
        assert_eq!(names(registry.default()), (provider, model), "{settings:?}");
        assert_eq!(registry.list().last().unwrap().name(), "offline");
        assert!(!format!("{registry:?} {settings:?}").contains("hidden"));
    }
}

#[test]
fn the_default_model_can_name_its_provider() {
    let settings = |default_model: &str| ProviderSettings {
        openai_api_key: key(),
        openrouter_api_key: key(),
        default_model: Some(default_model.to_owned()),
        ..ProviderSettings::default()
    };
    for (default_model, provider, model) in [
        ("llama3:8b", "openai", "llama3:8b"),
        ("openrouter:openai/gpt-4o:free", "openrouter", "openai/gpt-4o:free"),
        ("openrouter", "openrouter", "openrouter/auto"),
        ("offline", "offline", "offline"),
        ("  ", "openai", "gpt-4o-mini"),
    ] {
        let registry = Registry::from_settings(&settings(default_model)).unwrap();
        assert_eq!(names(registry.default()), (provider, model), "{default_model}");
    }
}

#[test]
fn a_task_can_name_its_model() {
    let settings = ProviderSettings {
        openai_base_url: url("http://localhost:1/v1"),
        default_model: Some("small".to_owned()),
        ..ProviderSettings::default()
    };
    let registry = Registry::from_settings(&settings).unwrap();
    assert_eq!(names(&registry.resolve(None)), ("openai", "small"));
    assert_eq!(names(&registry.resolve(Some("large"))), ("openai", "large"));
    assert_eq!(names(&registry.resolve(Some("offline"))), ("offline", "offline"));
    let models: Vec<_> = registry.list().iter().map(|provider| registry.model_of(provider.as_ref())).collect();
    assert_eq!(models, ["small", "offline"]);
}

#[test]
fn the_offline_provider_never_answers_under_another_name() {
    let registry = Registry::from_settings(&ProviderSettings::default()).unwrap();
    assert_eq!(names(&registry.resolve(Some("gpt-4o"))), ("offline", "offline"));
}

#[test]
fn an_address_that_cannot_work_is_refused() {
    let settings = ProviderSettings { openai_base_url: url("file:///tmp"), ..ProviderSettings::default() };
    assert!(matches!(Registry::from_settings(&settings), Err(ProviderError::Misconfigured { .. })));
}
