//! The Mann-Whitney U test: whether the numbers of one sample tend to be greater than those of another, without asking how they are
//! distributed.
//!
//! H. B. Mann and D. R. Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other", Annals
//! of Mathematical Statistics 18 (1947). Up to [`EXACT_UP_TO`] numbers the probabilities are counted over all ways in which the ranks
//! that were seen could have fallen to the two samples, which is exact with ties too. Beyond, they are those of the normal
//! distribution with the variance corrected for ties and half a step for continuity (M. Hollander and D. A. Wolfe, "Nonparametric
//! Statistical Methods", section 4.1).
//!
//! Written here because the library that is kept up (`statrs` 0.19) counts over the wrong tail when the first sample is not the larger
//! one, and approximates as soon as two numbers are equal, as rates of errors are.

/// Numbers in both samples together; all ways to choose half of them still fit into 64 bits.
pub const EXACT_UP_TO: usize = 60;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankTest {
    /// Of the first sample: pairs in which its number is the greater one, with half of those that are equal.
    pub u: f64,
    /// How probable a U as great as this is when there is no difference: small when the first sample is greater.
    pub greater: f64,
    /// Small when the first sample is less.
    pub less: f64,
    /// Small when it is either.
    pub two_sided: f64,
    pub exact: bool,
}

/// Compares two samples. None when one of them is empty or holds what is not a finite number.
#[must_use]
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<RankTest> {
    if first.is_empty() || second.is_empty() || !first.iter().chain(second).all(|number| number.is_finite()) {
        return None;
    }
    let ranks = Ranks::of(first, second);
    Some(if first.len() + second.len() <= EXACT_UP_TO { ranks.exact() } else { ranks.approximate() })
}

/// The ranks of both samples together, doubled: of equal numbers each has the mean of their ranks, which may be a half.
struct Ranks {
    doubled: Vec<usize>,
    /// How many numbers the first sample has, and the sum of their doubled ranks.
    first: usize,
    sum: usize,
    /// How many numbers were equal, for each that there is.
    ties: Vec<usize>,
}

impl Ranks {
    fn of(first: &[f64], second: &[f64]) -> Self {
        let mut all: Vec<(f64, bool)> = first.iter().map(|number| (*number, true)).collect();
        all.extend(second.iter().map(|number| (*number, false)));
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut doubled, mut ties, mut sum) = (Vec::with_capacity(all.len()), Vec::new(), 0);
        // By equality and not by bits, so that 0 and -0 are one.
        for equal in all.chunk_by(|a, b| a.0 == b.0) {
            let before = doubled.len();
            let rank = 2 * before + equal.len() + 1;
            sum += rank * equal.iter().filter(|(_, of_first)| *of_first).count();
            doubled.extend(std::iter::repeat_n(rank, equal.len()));
            ties.push(equal.len());
        }
        Ranks { doubled, first: first.len(), sum, ties }
    }

    fn u(&self) -> f64 {
        (count(self.sum) - count(self.first * (self.first + 1))) / 2.0
    }

    fn exact(&self) -> RankTest {
        let ways = ways(&self.doubled, self.first);
        let total: f64 = ways.iter().map(|ways| number(*ways)).sum();
        let probability = |taken: &dyn Fn(usize) -> bool| {
            let taken = ways.iter().enumerate().filter(|(sum, _)| taken(*sum)).map(|(_, ways)| number(*ways));
            (taken.sum::<f64>() / total).min(1.0)
        };
        // The mean of the doubled sum, which is a whole number.
        let mean = self.first * (self.doubled.len() + 1);
        RankTest {
            u: self.u(),
            greater: probability(&|sum| sum >= self.sum),
            less: probability(&|sum| sum <= self.sum),
            two_sided: probability(&|sum| sum.abs_diff(mean) >= self.sum.abs_diff(mean)),
            exact: true,
        }
    }

    fn approximate(&self) -> RankTest {
        let (first, all) = (count(self.first), count(self.doubled.len()));
        let second = all - first;
        let mean = first * second / 2.0;
        let tied: f64 = self.ties.iter().map(|ties| count(*ties).powi(3) - count(*ties)).sum();
        let deviation = (first * second / 12.0 * ((all + 1.0) - tied / (all * (all - 1.0)))).max(0.0).sqrt();
        let u = self.u();
        let tail = |above: f64| if deviation > 0.0 { upper_tail((above - 0.5) / deviation) } else { 1.0 };
        let (greater, less) = (tail(u - mean), tail(mean - u));
        RankTest { u, greater, less, two_sided: (2.0 * greater.min(less)).min(1.0), exact: false }
    }
}

/// In how many ways so many of the ranks can be chosen, by their sum.
fn ways(ranks: &[usize], chosen: usize) -> Vec<u64> {
    let most: usize = ranks.iter().sum();
    // A row for each number of chosen ones.
    let mut table = vec![vec![0_u64; most + 1]; chosen + 1];
    if let Some(none) = table.first_mut().and_then(|row| row.first_mut()) {
        *none = 1;
    }
    for rank in ranks {
        // From the top, so that no rank is chosen twice.
        for row in (1..=chosen).rev() {
            let (below, from) = table.split_at_mut(row);
            let (Some(before), Some(row)) = (below.last(), from.first_mut()) else { continue };
            for (place, ways) in row.iter_mut().skip(*rank).zip(before) {
                *place += ways;
            }
        }
    }
    table.pop().unwrap_or_default()
}

/// How probable a normal variable above this is.
fn upper_tail(z: f64) -> f64 {
    (0.5 * libm::erfc(z / std::f64::consts::SQRT_2)).clamp(0.0, 1.0)
}

#[allow(clippy::cast_precision_loss)]
fn count(count: usize) -> f64 {
    count as f64
}

#[allow(clippy::cast_precision_loss)]
fn number(ways: u64) -> f64 {
    ways as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-7
    }

    /// How probable it is that U is at most this, without ties.
    fn at_most(first: usize, second: usize, u: usize) -> f64 {
        let ranks: Vec<usize> = (1..=first + second).map(|rank| 2 * rank).collect();
        let ways = ways(&ranks, first);
        let total: u64 = ways.iter().sum();
        let bound = 2 * u + first * (first + 1);
        number(ways.iter().take(bound + 1).sum()) / number(total)
    }

    /// The critical values of U at 0.05, two tails, as textbooks print them (Siegel and Castellan; Zar, table B.11).
    #[test]
    fn critical_values_are_those_of_the_tables() {
        let table = [
            (5, 5, 2),
            (5, 6, 3),
            (5, 7, 5),
            (5, 8, 6),
            (5, 9, 7),
            (5, 10, 8),
            (5, 15, 14),
            (5, 20, 20),
            (6, 10, 11),
            (7, 9, 12),
            (8, 8, 13),
            (8, 12, 22),
            (8, 20, 41),
            (10, 10, 23),
            (10, 15, 39),
            (10, 20, 55),
            (12, 12, 37),
            (15, 15, 64),
            (20, 20, 127),
        ];
        for (first, second, critical) in table {
            for (a, b) in [(first, second), (second, first)] {
                assert!(at_most(a, b, critical) <= 0.025, "{a} and {b}: {critical}");
                assert!(at_most(a, b, critical + 1) > 0.025, "{a} and {b}: {}", critical + 1);
            }
        }
        // Three of three is as far as three and three can go: one way of twenty.
        assert!(close(at_most(3, 3, 0), 0.05));
    }

    /// The example in the documentation of scipy.stats.mannwhitneyu.
    #[test]
    fn agrees_with_scipy() {
        let (male, female) = ([19.0, 22.0, 16.0, 29.0, 24.0], [20.0, 11.0, 17.0, 12.0]);
        let exact = mann_whitney(&male, &female).unwrap();
        assert!(exact.exact && exact.u == 17.0 && close(exact.two_sided, 0.111_111_111_111_111_1));
        let turned = mann_whitney(&female, &male).unwrap();
        assert!(turned.u == 3.0 && close(turned.two_sided, exact.two_sided) && close(turned.less, exact.greater));
        let normal = Ranks::of(&male, &female).approximate();
        assert!(close(normal.two_sided, 0.111_346_886_533_140_41) && close(normal.greater, 0.055_673_443_266_570_206));
    }

    /// With ties, as `coin::wilcox_test(distribution = "exact")` of R counts it.
    #[test]
    fn agrees_with_r_where_numbers_are_equal() {
        let first: Vec<f64> = (1..=10).map(f64::from).collect();
        let second: Vec<f64> = (1..=12).map(|n| f64::from(2 * n)).collect();
        let test = mann_whitney(&first, &second).unwrap();
        assert!(close(test.less, 0.006_001_738), "{test:?}");
        assert!(close(test.greater, 0.994_919_9), "{test:?}");
        assert!((test.two_sided - 0.011_889_04).abs() < 1e-8, "{test:?}");
    }

    #[test]
    fn the_approximation_meets_the_exact_one() {
        let first: Vec<f64> = (0..30).map(|n| f64::from(n * 7 % 41)).collect();
        let second: Vec<f64> = (0..30).map(|n| f64::from(n * 11 % 37) + 4.0).collect();
        let ranks = Ranks::of(&first, &second);
        let (exact, normal) = (ranks.exact(), ranks.approximate());
        for (a, b) in [(exact.greater, normal.greater), (exact.less, normal.less), (exact.two_sided, normal.two_sided)]
        {
            assert!((a - b).abs() < 0.003, "{exact:?} {normal:?}");
        }
    }

    #[test]
    fn what_is_all_the_same_is_no_difference() {
        for count in [3, 40] {
            let same = vec![0.0; count];
            let test = mann_whitney(&same, &same).unwrap();
            assert!(test.greater >= 0.5 && test.less >= 0.5 && close(test.two_sided, 1.0), "{test:?}");
        }
        assert_eq!(mann_whitney(&[], &[1.0]), None);
        assert_eq!(mann_whitney(&[f64::NAN], &[1.0]), None);
        assert_eq!(mann_whitney(&[1.0], &[f64::INFINITY]), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn probabilities_are_some_and_a_shift_upwards_never_makes_it_less_probable_to_be_greater(
            first in proptest::collection::vec(0_u8..20, 1..40), second in proptest::collection::vec(0_u8..20, 1..40),
        ) {
            let numbers = |of: &[u8], shift: f64| -> Vec<f64> { of.iter().map(|n| f64::from(*n) + shift).collect() };
            let (a, b) = (numbers(&first, 0.0), numbers(&second, 0.0));
            let test = mann_whitney(&a, &b).unwrap();
            for p in [test.greater, test.less, test.two_sided] {
                proptest::prop_assert!((0.0..=1.0).contains(&p));
            }
            let higher = mann_whitney(&numbers(&first, 1.0), &b).unwrap();
            proptest::prop_assert!(higher.u >= test.u);
            let back = mann_whitney(&b, &a).unwrap();
            proptest::prop_assert!((back.less - test.greater).abs() < 1e-9);
        }
    }
}
