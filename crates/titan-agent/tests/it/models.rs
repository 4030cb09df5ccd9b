//! Which provider and model answer for which settings.

use secrecy::SecretString;
use titan_agent::models::Resolved;
use titan_agent::{ProviderError, ProviderSettings, Registry};
use titan_core::config::{ConfiguredVendor, VENDORS};
use url::Url;

fn names(resolved: &Resolved) -> (&str, &str) {
    (resolved.provider.name(), resolved.model.as_str())
}

/// A vendor with a key, with an address, or with both.
fn vendor(name: &str, key: bool, base_url: Option<&str>) -> ConfiguredVendor {
    let vendor = VENDORS.iter().find(|vendor| vendor.name == name).unwrap();
    let api_key = key.then(|| SecretString::from("sk-hidden"));
    ConfiguredVendor { vendor, base_url: base_url.map(|url| Url::parse(url).unwrap()), api_key }
}

fn vendors(vendors: &[ConfiguredVendor]) -> ProviderSettings {
    ProviderSettings { vendors: vendors.to_vec(), ..ProviderSettings::default() }
}

#[test]
fn the_configured_provider_answers_else_the_offline_one() {
    let local = || vendor("openai", false, Some("http://localhost:1/v1"));
    let keyed = |name| vendor(name, true, None);
    for (settings, provider, model) in [
        (vendors(&[]), "offline", "offline"),
        (vendors(&[keyed("openai")]), "openai", "gpt-4o-mini"),
        (vendors(&[local()]), "openai", "auto"),
        (vendors(&[keyed("openrouter")]), "openrouter", "openrouter/auto"),
        (vendors(&[keyed("anthropic"), keyed("gemini")]), "anthropic", "auto"),
        (vendors(&[vendor("gemini", true, Some("http://localhost:1/v1beta"))]), "gemini", "gemini-flash-latest"),
        (vendors(&[vendor("ollama", false, Some("http://localhost:1"))]), "ollama", "auto"),
        (vendors(&[local(), keyed("openrouter")]), "openai", "auto"),
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
        default_model: Some(default_model.to_owned()),
        ..vendors(&[vendor("openai", true, None), vendor("openrouter", true, None)])
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
        default_model: Some("small".to_owned()),
        ..vendors(&[vendor("openai", false, Some("http://localhost:1/v1"))])
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
    let settings = vendors(&[vendor("openai", false, Some("file:///tmp"))]);
    assert!(matches!(Registry::from_settings(&settings), Err(ProviderError::Misconfigured { .. })));
}
