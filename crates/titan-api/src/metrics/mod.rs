//! What this process counts about its requests, and the text that Prometheus reads. Which numbers there are and where they
//! come from stands in `routes::metrics`.

mod text;
mod traffic;

pub use text::{CONTENT_TYPE, Kind, Text};
pub use traffic::{Traffic, traffic};
