//! All samples of both sides against each other, once they are there: is the canary worse by more than is tolerated, and for sure?
//!
//! Kayenta asks whether the confidence interval of the shift between both lies beyond a part of the baseline. This asks the same the
//! other way round: the baseline is made worse by what is tolerated, and the rank test says how probable it is that the canary looks
//! still worse than that by chance.

use serde::{Deserialize, Serialize};

use super::rank::mann_whitney;
use super::template::{Compare, Direction};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub baseline_samples: usize,
    pub canary_samples: usize,
    pub baseline_median: f64,
    pub canary_median: f64,
    /// How far the canary is above the baseline: the median of all differences (Hodges and Lehmann).
    pub shift: f64,
    /// What of that is tolerated, in the metric's unit, at the median of the baseline.
    pub tolerated: f64,
    /// How probable it is that a canary that is no worse than that looks as bad as this.
    pub p_value: f64,
    /// Below this it is worse.
    pub threshold: f64,
    pub worse: bool,
}

impl Comparison {
    /// None when a side has too few samples.
    #[must_use]
    pub fn of(compare: &Compare, direction: Direction, baseline: &[f64], canary: &[f64]) -> Option<Self> {
        if baseline.len().min(canary.len()) < compare.at_least.max(1) {
            return None;
        }
        let tolerated = |number: f64| compare.tolerance * number.abs() + compare.margin;
        let higher: Vec<f64> = baseline.iter().map(|number| number + tolerated(*number)).collect();
        let lower: Vec<f64> = baseline.iter().map(|number| number - tolerated(*number)).collect();
        let greater = mann_whitney(canary, &higher)?.greater;
        let less = mann_whitney(canary, &lower)?.less;
        let p_value = match direction {
            Direction::LowerIsBetter => greater,
            Direction::HigherIsBetter => less,
            // Two questions at once, so each must be answered twice as surely (Bonferroni).
            Direction::Either => (2.0 * greater.min(less)).min(1.0),
        };
        let baseline_median = median(baseline)?;
        let differences: Vec<f64> = canary.iter().flat_map(|c| baseline.iter().map(move |b| c - b)).collect();
        let threshold = 1.0 - compare.confidence;
        Some(Comparison {
            baseline_samples: baseline.len(),
            canary_samples: canary.len(),
            baseline_median: rounded(baseline_median),
            canary_median: rounded(median(canary)?),
            shift: rounded(median(&differences)?),
            tolerated: rounded(tolerated(baseline_median)),
            p_value: rounded(p_value),
            threshold: rounded(threshold),
            worse: p_value < threshold,
        })
    }
}

/// Twelve digits of it, which JSON gives back as they were: a state that was kept is the same as one that was not.
pub(super) fn rounded(number: f64) -> f64 {
    format!("{number:.11e}").parse().unwrap_or(number)
}

pub(super) fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(tolerance: f64, margin: f64) -> Compare {
        Compare { tolerance, margin, confidence: 0.98, at_least: 4 }
    }

    fn worse(compare: &Compare, direction: Direction, baseline: &[f64], canary: &[f64]) -> bool {
        Comparison::of(compare, direction, baseline, canary).unwrap().worse
    }

    #[test]
    fn worse_is_what_is_beyond_the_tolerance_and_for_sure() {
        let baseline: Vec<f64> = (0..12).map(|n| 1.0 + f64::from(n % 4) / 100.0).collect();
        let times = |factor: f64| baseline.iter().map(|number| number * factor).collect::<Vec<_>>();
        let quarter = compare(0.25, 0.0);
        assert!(worse(&quarter, Direction::LowerIsBetter, &baseline, &times(2.0)));
        assert!(!worse(&quarter, Direction::LowerIsBetter, &baseline, &times(1.2)));
        assert!(!worse(&quarter, Direction::LowerIsBetter, &baseline, &times(0.5)));
        assert!(worse(&quarter, Direction::HigherIsBetter, &baseline, &times(0.5)));
        assert!(worse(&quarter, Direction::Either, &baseline, &times(0.5)));
        assert!(worse(&quarter, Direction::Either, &baseline, &times(2.0)));
        assert!(!worse(&quarter, Direction::Either, &baseline, &baseline));
        // Three of three and fewer are never sure enough.
        assert_eq!(Comparison::of(&quarter, Direction::Either, &baseline, &[9.0; 3]), None);
    }

    #[test]
    fn a_baseline_without_errors_leaves_room_by_the_margin() {
        let none = [0.0; 12];
        assert!(!worse(&compare(0.0, 0.01), Direction::LowerIsBetter, &none, &[0.005; 12]));
        assert!(worse(&compare(0.0, 0.01), Direction::LowerIsBetter, &none, &[0.2; 12]));
        assert!(!worse(&compare(0.0, 0.0), Direction::LowerIsBetter, &none, &none));
    }

    #[test]
    fn medians() {
        assert_eq!((median(&[]), median(&[3.0]), median(&[4.0, 1.0, 3.0, 2.0])), (None, Some(3.0), Some(2.5)));
    }
}
