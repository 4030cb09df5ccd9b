//! What a canary shows: samples of a baseline and a canary, and the verdict on them.
//!
//! All that judges is pure: a template says what is looked at, a sample is what was seen, and [`verdict::Analysis::take`] makes of a
//! state and a sample the next state. A worker keeps the state after each sample and goes on from there after a kill. Only
//! [`probe`] and [`collect`] speak with the daemons.
//!
//! In reading order: the template and its conditions, the numbers of a scrape, a sample made of two of them, the rank test, and the
//! verdict.

mod check;
pub mod condition;
pub mod template;

pub mod scrape;

pub mod sample;

pub mod measure;

pub mod rank;

mod comparison;
pub mod verdict;

pub mod collect;
pub mod probe;

pub use collect::Collector;
pub use comparison::Comparison;
pub use sample::{Reading, Sample};
pub use template::Template;
pub use verdict::{Analysis, Phase};
