//! What is publicly known of the vendors' own models, for where a provider does not tell it itself: prices and limits. The list in
//! `data/models.json` is taken from LiteLLM's (MIT; version 1.109.1 of November 2026) and names for each model, in US dollars per
//! million tokens, `[input, output, cached input, tokens that it takes in, tokens that it gives out]`. Prices change: a bill is the
//! provider's, and `TITAN_PRICES` overrules this list. Surcharges for very long requests, for writing to a cache and for tools of the
//! provider's own are not in it.

use std::collections::HashMap;
use std::sync::LazyLock;

use titan_core::budgets::{MICROS, Price};

/// A model as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    pub price: Option<Price>,
    pub context_tokens: Option<u64>,
    pub max_output_tokens: Option<u64>,
    pub takes_images: Option<bool>,
}

impl Facts {
    /// These, and where they say nothing, those.
    #[must_use]
    pub fn or(self, other: Facts) -> Facts {
        Facts {
            price: self.price.or(other.price),
            context_tokens: self.context_tokens.or(other.context_tokens),
            max_output_tokens: self.max_output_tokens.or(other.max_output_tokens),
            takes_images: self.takes_images.or(other.takes_images),
        }
    }
}

/// Input, output, cached input, and the two limits.
type Entry = (f64, f64, Option<f64>, Option<u64>, Option<u64>);

static LIST: LazyLock<HashMap<String, HashMap<String, Entry>>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/models.json")).unwrap_or_default());

/// A model of a vendor, by the vendor's own name for it.
#[must_use]
pub fn known(vendor: &str, model: &str) -> Option<Facts> {
    let &(input, output, cached, context_tokens, max_output_tokens) = LIST.get(vendor)?.get(model)?;
    let price = Some(price(input, output, cached));
    Some(Facts { price, context_tokens, max_output_tokens, takes_images: takes_images(vendor, model) })
}

/// The list does not say it. These families of the vendors do without an exception; of the others nothing is known.
fn takes_images(vendor: &str, model: &str) -> Option<bool> {
    const THAT_DO: [(&str, &str); 4] =
        [("anthropic", "claude-"), ("gemini", "gemini-"), ("openai", "gpt-4.1"), ("openai", "gpt-5")];
    THAT_DO.iter().any(|(of, family)| *of == vendor && model.starts_with(family)).then_some(true)
}

/// From US dollars per million tokens. Without a price of its own, cached input costs what input does.
#[must_use]
pub fn price(input: f64, output: f64, cached_input: Option<f64>) -> Price {
    #[allow(clippy::cast_possible_truncation)]
    let micros = |dollars: f64| (dollars * MICROS).round() as i64;
    Price { input: micros(input), output: micros(output), cached_input: micros(cached_input.unwrap_or(input)) }
}

#[cfg(test)]
mod tests {
    use titan_core::config::VENDORS;

    use super::*;

    #[test]
    fn the_list_can_be_read_and_is_of_our_vendors() {
        assert!(!LIST.is_empty());
        for (vendor, models) in LIST.iter() {
            assert!(VENDORS.iter().any(|known| known.name == vendor), "{vendor} is no vendor");
            for (model, (input, output, ..)) in models {
                assert!((0.0..=1000.0).contains(input) && (0.0..=5000.0).contains(output), "{vendor}:{model}");
            }
        }
    }

    #[test]
    fn the_default_models_have_a_price_and_limits() {
        // OpenRouter tells both itself.
        for vendor in VENDORS.iter().filter(|vendor| vendor.name != "openrouter") {
            let Some(model) = vendor.default_model else { continue };
            let facts = known(vendor.name, model).unwrap_or_default();
            assert!(facts.price.is_some() && facts.context_tokens.is_some(), "{}:{model}", vendor.name);
        }
    }

    #[test]
    fn only_what_is_certain_is_said_of_images() {
        assert_eq!(takes_images("gemini", "gemini-2.5-flash"), Some(true));
        assert_eq!(takes_images("gemini", "gemma-3-1b-it"), None);
        assert_eq!(takes_images("groq", "gpt-5"), None);
    }

    #[test]
    fn dollars_per_million_tokens_are_exact() {
        assert_eq!(price(0.15, 0.6, Some(0.075)), Price { input: 150_000, output: 600_000, cached_input: 75_000 });
        assert_eq!(price(3.0, 15.0, None).cached_input, 3_000_000);
    }
}
