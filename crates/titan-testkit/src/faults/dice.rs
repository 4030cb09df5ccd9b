//! What is left to chance, repeatable by its seed: SplitMix64 (Steele, Lea, Flood 2014).

use std::ops::RangeInclusive;
use std::time::Duration;

/// The same seed gives the same numbers in every version.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Of a row's own: the same seed means something else in each row.
    pub(crate) fn new(row: &str, seed: u64) -> Self {
        let name = row
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Dice(name ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn number(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        low + self.next() % (high - low + 1)
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.next() % length.max(1) as u64).unwrap_or(0)
    }

    pub(crate) fn millis(&mut self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(range))
    }

    /// One of two.
    pub(crate) fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn a_seed_says_the_same_again_and_each_row_hears_something_else() {
        let numbers = |row, seed| {
            let mut dice = Dice::new(row, seed);
            (0..8).map(|_| dice.number(0..=1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers("kill", 7), numbers("kill", 7));
        assert_ne!(numbers("kill", 7), numbers("kill", 8));
        assert_ne!(numbers("kill", 7), numbers("freeze", 7));
    }
}
