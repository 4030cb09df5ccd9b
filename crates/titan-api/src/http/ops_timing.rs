//! Whether the time that a token's check takes says anything about the token: the method of "Dude, is my code constant time?" (Reparaz,
//! Balasch and Verbauwhede, 2017). Two classes of input take turns at random, and Welch's t-test compares how long they took.

use std::hint::black_box;
use std::time::Instant;

use secrecy::SecretString;

use super::ops_calls::is_one_of;

/// Of each class.
const SAMPLES: usize = 20_000;
/// Calls that are measured together, since a clock has its grain.
const TOGETHER: usize = 4;
/// Of the slowest: what was interrupted says nothing.
const CROPPED: f64 = 0.1;
/// From here on the authors call a leak certain.
const CERTAIN: f64 = 10.0;

const TOKEN: &str = "ops_7f3a9c1e5b8d2046f1a3c5e7092b4d6887a9c1e3f5b7d90214365870a9bccbed";

/// The t-value of the two inputs.
fn t_value(mut check: impl FnMut(&[u8]), a: &str, b: &str) -> f64 {
    let mut times = [Vec::with_capacity(SAMPLES), Vec::with_capacity(SAMPLES)];
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    while times.iter().any(|class| class.len() < SAMPLES) {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let class = usize::from(dice & 1 == 1);
        let given = black_box([a, b][class].as_bytes());
        let began = Instant::now();
        for _ in 0..TOGETHER {
            check(given);
        }
        times[class].push(f64::from(u32::try_from(began.elapsed().as_nanos()).unwrap_or(u32::MAX)));
    }
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some thousands"
    )]
    let crop = all[(all.len() as f64 * (1.0 - CROPPED)) as usize];
    let of = |class: &[f64]| {
        let kept: Vec<f64> = class.iter().copied().filter(|time| *time < crop).collect();
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    };
    let ((mean_a, error_a), (mean_b, error_b)) = (of(&times[0]), of(&times[1]));
    (mean_a - mean_b) / (error_a + error_b).sqrt()
}

/// Right but for its last character, and wrong from the first on.
fn guesses() -> (String, String) {
    let nearly = format!("{}!", &TOKEN[..TOKEN.len() - 1]);
    (nearly, TOKEN.replace(|_| true, "!"))
}

#[test]
fn a_token_that_is_nearly_right_takes_as_long_as_any_other() {
    let tokens: [SecretString; 2] = [TOKEN.into(), TOKEN.replace("ops_", "old_").into()];
    let check = |given: &[u8]| {
        let _ = black_box(is_one_of(given, black_box(&tokens)));
    };
    let (nearly, wrong) = guesses();
    let (second, wrong_too) = (TOKEN.replace("ops_", "old_"), TOKEN.replace("ops_", "bad_"));
    for (a, b) in [(nearly.as_str(), wrong.as_str()), (TOKEN, wrong.as_str()), (second.as_str(), wrong_too.as_str())] {
        // Who measures long enough finds the machine's own steps now and then: a leak is there each time.
        let values: Vec<f64> = (0..3).map(|_| t_value(check, a, b)).collect();
        println!("{values:?}");
        assert!(values.iter().any(|t| t.abs() < CERTAIN), "{values:?} for {a:?} and {b:?}");
    }
}

#[test]
fn the_probe_would_see_a_comparison_that_stops_early() {
    let stops_early = |given: &[u8]| {
        let mut pairs = given.iter().zip(black_box(TOKEN.as_bytes()));
        let _ = black_box(pairs.all(|(a, b)| a == b));
    };
    let (nearly, wrong) = guesses();
    let t = t_value(stops_early, &nearly, &wrong);
    println!("{t:.0}");
    assert!(t > CERTAIN, "{t}");
}
