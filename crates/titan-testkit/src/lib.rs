//! (to be written)

pub mod fake_model;
