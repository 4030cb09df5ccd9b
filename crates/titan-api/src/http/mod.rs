//! What every request goes through on its way in and out, and the words handlers use for it.

pub mod body;
pub mod created;
pub mod envelope;
pub mod file;
pub mod guard;
pub mod headers;
pub mod idempotency;
pub mod ops_calls;
#[cfg(test)]
mod ops_timing;
pub mod params;
pub mod problem;
pub mod range;
pub mod seldom;
pub mod signature;
