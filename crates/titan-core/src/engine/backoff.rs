//! How long to wait before the next attempt: exponential with jitter, so that many failures do not come back together.

use std::time::Duration;

use rand::RngExt as _;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// The wait after this attempt (counted from 1). What the other side asked for (`Retry-After`) is the least.
pub(super) fn wait(attempt: i16, asked: Option<Duration>) -> Duration {
    spread(attempt, asked, rand::rng().random::<f64>())
}

/// `dice` between 0 and 1 moves the wait between a half and one and a half of the exponential curve.
fn spread(attempt: i16, asked: Option<Duration>, dice: f64) -> Duration {
    let doublings = u32::from(attempt.max(1).unsigned_abs()) - 1;
    let curve = FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST);
    curve.mul_f64(0.5 + dice).max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_five_minutes_and_spreads_by_half() {
        assert_eq!(spread(1, None, 0.5), Duration::from_secs(1));
        assert_eq!(spread(4, None, 0.5), Duration::from_secs(8));
        assert_eq!(spread(i16::MAX, None, 0.5), LONGEST);
        assert_eq!(spread(1, None, 0.0), Duration::from_millis(500));
        assert_eq!(spread(1, None, 1.0), Duration::from_millis(1500));
    }

    #[test]
    fn what_the_other_side_asked_for_is_the_least() {
        assert_eq!(spread(1, Some(Duration::from_secs(60)), 0.5), Duration::from_secs(60));
        assert_eq!(spread(9, Some(Duration::from_secs(60)), 0.5), Duration::from_secs(256));
    }
}
