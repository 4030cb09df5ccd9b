//! The condition of a metric: one or several thresholds, which must all hold. A threshold is a number (`<= 0.01`) or so many times
//! the baseline (`> 2 x baseline`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Thresholds in one condition.
const MOST: usize = 4;

/// What a threshold looks like, for errors.
pub const EXAMPLE: &str = "\"<= 0.01\" or \"> 2 x baseline\"";

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Threshold {
    pub is: Comparator,
    pub number: f64,
    /// The number counts how many times the baseline it is.
    pub of_baseline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// All of its thresholds must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "OneOrMore", into = "Vec<Threshold>")]
pub struct Condition(Vec<Threshold>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a comparison such as \"<= 0.01\" or \"> 2 x baseline\", or a list of them")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Condition {
    /// Whether it holds, with what was found about each threshold. None when nothing of it can be asked, which is so when all of it
    /// is about a baseline and there is none.
    #[must_use]
    pub fn holds(&self, canary: f64, baseline: Option<f64>) -> Option<bool> {
        let asked: Vec<bool> = self.0.iter().filter_map(|threshold| threshold.holds(canary, baseline)).collect();
        (!asked.is_empty()).then(|| asked.iter().all(|held| *held))
    }

    pub(super) fn thresholds(&self) -> &[Threshold] {
        &self.0
    }
}

impl Threshold {
    /// The bound itself; none when it wants a baseline and there is none. Multiplied and never divided: a baseline of zero has a
    /// bound too.
    #[must_use]
    pub fn bound(&self, baseline: Option<f64>) -> Option<f64> {
        if self.of_baseline { Some(self.number * baseline?) } else { Some(self.number) }
    }

    fn holds(&self, canary: f64, baseline: Option<f64>) -> Option<bool> {
        let bound = self.bound(baseline)?;
        Some(match self.is {
            Comparator::Less => canary < bound,
            Comparator::AtMost => canary <= bound,
            Comparator::Greater => canary > bound,
            Comparator::AtLeast => canary >= bound,
        })
    }
}

impl TryFrom<String> for Threshold {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("must be a comparison such as {EXAMPLE}, and is {text:?}");
        let given = text.trim();
        // The longer ones first.
        let comparators = [
            ("<=", Comparator::AtMost),
            (">=", Comparator::AtLeast),
            ("<", Comparator::Less),
            (">", Comparator::Greater),
        ];
        let found = comparators.iter().find_map(|(sign, is)| Some((given.strip_prefix(sign)?, *is)));
        let (rest, is) = found.ok_or_else(wrong)?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (number, of_baseline) = match words.as_slice() {
            [number] => (number, false),
            [number, "x", "baseline"] => (number, true),
            _ => return Err(wrong()),
        };
        let number: f64 = number.parse().map_err(|_| wrong())?;
        if !number.is_finite() || (of_baseline && number < 0.0) {
            return Err(wrong());
        }
        Ok(Threshold { is, number, of_baseline })
    }
}

impl From<Threshold> for String {
    fn from(threshold: Threshold) -> Self {
        threshold.to_string()
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.is {
            Comparator::Less => "<",
            Comparator::AtMost => "<=",
            Comparator::Greater => ">",
            Comparator::AtLeast => ">=",
        };
        write!(f, "{sign} {}{}", self.number, if self.of_baseline { " x baseline" } else { "" })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, threshold) in self.0.iter().enumerate() {
            write!(f, "{}{threshold}", if place == 0 { "" } else { " and " })?;
        }
        Ok(())
    }
}

impl TryFrom<OneOrMore> for Condition {
    type Error = String;

    fn try_from(given: OneOrMore) -> Result<Self, String> {
        let given = match given {
            OneOrMore::One(one) => vec![one],
            OneOrMore::More(more) => more,
        };
        if given.is_empty() || given.len() > MOST {
            return Err(format!("must have 1 to {MOST} thresholds such as {EXAMPLE}, and has {}", given.len()));
        }
        given.into_iter().map(Threshold::try_from).collect::<Result<_, _>>().map(Condition)
    }
}

impl From<Condition> for Vec<Threshold> {
    fn from(condition: Condition) -> Self {
        condition.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(texts: &[&str]) -> Condition {
        OneOrMore::More(texts.iter().map(|text| (*text).to_owned()).collect()).try_into().unwrap()
    }

    #[test]
    fn thresholds_hold_or_not() {
        for (texts, canary, baseline, holds) in [
            (&["<= 0.01"][..], 0.01, None, Some(true)),
            (&["< 0.01"], 0.01, None, Some(false)),
            (&[">=2"], 2.0, None, Some(true)),
            (&["> 2 x baseline"], 2.0, Some(0.9), Some(true)),
            (&["> 2 x baseline"], 2.0, None, None),
            // A baseline of zero has a bound too.
            (&["> 2 x baseline"], 0.0, Some(0.0), Some(false)),
            (&["> 2 x baseline"], 0.1, Some(0.0), Some(true)),
            (&["> 0.05", "> 2 x baseline"], 0.06, Some(0.05), Some(false)),
            // What cannot be asked is left out.
            (&["> 0.05", "> 2 x baseline"], 0.06, None, Some(true)),
        ] {
            assert_eq!(condition(texts).holds(canary, baseline), holds, "{texts:?} of {canary} and {baseline:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_what_is_wrong_is_told() {
        for text in ["<= 0.01", "> 2 x baseline", "< -3", ">= 1.5"] {
            assert_eq!(Threshold::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        for text in ["", "0.01", "== 1", "<= ", "<= 1 x", "<= 1 x canary", "<= NaN", "> inf", "< -1 x baseline", "=> 1"]
        {
            let why = Threshold::try_from(text.to_owned()).unwrap_err();
            assert!(why.contains("x baseline") && why.contains(&format!("{text:?}")), "{why}");
        }
    }
}
