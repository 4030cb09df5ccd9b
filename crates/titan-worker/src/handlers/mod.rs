//! The handlers there are, one file each.

pub mod chat;
mod context;
pub mod remember;
mod summarise;

use std::sync::Arc;

use titan_core::config::Config;

use crate::handler::Registry;
use crate::models::Models;

/// Everything this worker can do.
///
/// # Errors
/// When the settings of a model provider cannot be used, or two handlers want the same jobs.
pub fn all(config: &Config) -> anyhow::Result<Registry> {
    let models = Arc::new(Models::from_config(&config.models)?);
    let mut handlers = Registry::new();
    handlers.add(chat::Chat::new(models))?;
    handlers.add(remember::Remember)?;
    Ok(handlers)
}
