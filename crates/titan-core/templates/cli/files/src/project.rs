//! The project's own words.

pub const TITLE: &str = {{ title }};
pub const DESCRIPTION: &str = {{ description }};
pub const FEATURES: &[&str] = &{{ features }};
