//! Prices from the environment, for models that nobody else knows the price of, or knows it wrong.

use super::{ConfigError, VENDORS, wrong};
use crate::budgets::{MICROS, Price};

/// The price of one model, or with `*` of all models, of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceOf {
    pub provider: String,
    pub model: String,
    pub price: Price,
}

impl PriceOf {
    /// The price of a model. One that is named wins over those of all.
    #[must_use]
    pub fn find(prices: &[PriceOf], provider: &str, model: &str) -> Option<Price> {
        let named = |name: &str| prices.iter().find(|price| price.provider == provider && price.model == name);
        named(model).or_else(|| named("*")).map(|price| price.price)
    }
}

/// The dearest price that can be meant, in US dollars per million tokens.
const MOST: f64 = 1e6;

/// `provider:model=input/output[/cached]`, comma separated.
pub(super) fn parse(text: &str) -> Result<Vec<PriceOf>, ConfigError> {
    super::list(text).iter().map(|entry| one(entry).ok_or_else(|| unclear(entry))).collect()
}

fn one(entry: &str) -> Option<PriceOf> {
    let (name, prices) = entry.rsplit_once('=')?;
    let (provider, model) = name.split_once(':')?;
    let prices = prices.split('/').map(micros).collect::<Option<Vec<_>>>()?;
    let price = match prices[..] {
        [input, output] => Price { input, output, cached_input: input },
        [input, output, cached_input] => Price { input, output, cached_input },
        _ => return None,
    };
    let (provider, model) = (provider.trim(), model.trim());
    (VENDORS.iter().any(|vendor| vendor.name == provider) && !model.is_empty()).then(|| PriceOf {
        provider: provider.to_owned(),
        model: model.to_owned(),
        price,
    })
}

fn micros(dollars: &str) -> Option<i64> {
    let dollars: f64 = dollars.trim().parse().ok()?;
    #[allow(clippy::cast_possible_truncation)]
    (0.0..=MOST).contains(&dollars).then(|| (dollars * MICROS).round() as i64)
}

fn unclear(entry: &str) -> ConfigError {
    let message = format!(
        "must be a list like provider:model=input/output, in US dollars per million tokens and for a provider that there is, e.g. \
         openai:my-model=0.50/1.50, and has {entry:?}"
    );
    wrong("TITAN_PRICES", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_for_one_model_or_for_all_of_a_provider() {
        let prices = parse("openai:ft:x=0.5/1.5/0.05, ollama:*=0/0, ollama:dear=1/1").unwrap();
        assert_eq!(prices[0].price, Price { input: 500_000, output: 1_500_000, cached_input: 50_000 });
        let find = |provider, model| PriceOf::find(&prices, provider, model).map(|price| price.input);
        assert_eq!((find("openai", "ft:x"), find("openai", "x")), (Some(500_000), None));
        assert_eq!((find("ollama", "dear"), find("ollama", "any")), (Some(1_000_000), Some(0)));
    }

    #[test]
    fn what_is_no_price_is_refused_with_the_entry() {
        for wrong in [
            "x",
            "openai=1/2",
            "openai:m=1",
            "openai:m=-1/2",
            "openai:m=a/b",
            ":m=1/2",
            "openai:m=1/2/3/4",
            "openai:m=NaN/1",
            "opnai:m=1/2",
        ] {
            assert!(parse(wrong).unwrap_err().message.contains(wrong), "{wrong}");
        }
    }
}
