//! What calls of models cost: money, tokens and the calls themselves, and the price of a model.

/// Money is counted in millionths of a US dollar.
pub const MICROS: f64 = 1e6;

/// An amount of each of what a budget can limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amounts {
    pub cost_micros: i64,
    pub tokens: i64,
    pub calls: i64,
}

impl Amounts {
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Amounts {
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
            tokens: self.tokens.saturating_add(other.tokens),
            calls: self.calls.saturating_add(other.calls),
        }
    }

    /// Never below nothing.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        let less = |a: i64, b: i64| a.saturating_sub(b).max(0);
        Amounts {
            cost_micros: less(self.cost_micros, other.cost_micros),
            tokens: less(self.tokens, other.tokens),
            calls: less(self.calls, other.calls),
        }
    }
}

/// What a million tokens of a model cost, in millionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Price {
    pub input: i64,
    pub output: i64,
    /// Input that the provider still had from an earlier call.
    pub cached_input: i64,
}

const MILLION: i128 = 1_000_000;

impl Price {
    /// Rounded up, so that a thousand small calls are not free. `cached` is a part of `input`.
    #[must_use]
    pub fn cost(&self, input: i64, cached: i64, output: i64) -> i64 {
        let (input, cached, output) = (i128::from(input.max(0)), i128::from(cached.max(0)), i128::from(output.max(0)));
        let cached = cached.min(input);
        let sum = (input - cached) * i128::from(self.input)
            + cached * i128::from(self.cached_input)
            + output * i128::from(self.output);
        i64::try_from((sum + MILLION - 1) / MILLION).unwrap_or(i64::MAX)
    }

    /// How many tokens of output so much money buys.
    pub(super) fn output_for(&self, cost_micros: i64) -> i64 {
        if self.output <= 0 {
            return i64::MAX;
        }
        i64::try_from(i128::from(cost_micros.max(0)) * MILLION / i128::from(self.output)).unwrap_or(i64::MAX)
    }
}

/// Millionths as dollars, for people and JSON.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn dollars(micros: i64) -> f64 {
    micros as f64 / MICROS
}

/// As people read it: at least cents, and no more digits than there are.
#[must_use]
pub fn dollars_text(micros: i64) -> String {
    let text = format!("{:.6}", dollars(micros));
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = part.trim_end_matches('0');
    format!("${whole}.{part:0<2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_costs_its_tokens_and_is_rounded_up() {
        let price = Price { input: 150_000, output: 600_000, cached_input: 75_000 };
        assert_eq!(price.cost(1_000_000, 0, 1_000_000), 750_000);
        assert_eq!(price.cost(1_000_000, 1_000_000, 0), 75_000);
        assert_eq!(price.cost(1, 0, 0), 1);
        assert_eq!(price.cost(0, 5, 0), 0);
        assert_eq!(Price::default().cost(i64::MAX, 0, i64::MAX), 0);
    }

    #[test]
    fn dollars_show_cents_at_least() {
        let texts = [0, 5, 10_000, 1_500_000, 12_345_678].map(dollars_text);
        assert_eq!(texts, ["$0.00", "$0.000005", "$0.01", "$1.50", "$12.345678"]);
    }
}
