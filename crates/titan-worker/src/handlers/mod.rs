//! The handlers there are, one file each.

mod background;
pub mod chat;
mod context;
pub mod embed;
pub mod exec;
pub mod extract;
mod feedback;
mod files;
pub mod install;
mod ops;
mod pipeline;
pub mod plan;
mod recall;
pub mod remember;
mod summarise;
mod takes;

use std::sync::Arc;

use titan_core::config::Config;

use crate::embedder::Embedder;
use crate::extract::process::Place;
use crate::handler::Registry;
use crate::models::Models;
use crate::workshop::Workshop;

/// Everything this worker can do.
///
/// # Errors
/// When the settings of a model provider cannot be used, or two handlers want the same jobs.
pub fn all(config: &Config) -> anyhow::Result<Registry> {
    let models = Arc::new(Models::from_config(&config.models)?);
    let embedder = Embedder::of(&models, config.memory.embedding_model.as_deref())?.map(Arc::new);
    let mut handlers = Registry::new();
    handlers.add(chat::Chat::new(Arc::clone(&models), embedder.clone()))?;
    handlers.add(plan::Plan::new(Arc::clone(&models), embedder.clone(), config.templates_dir.clone()))?;
    handlers.add(remember::Remember::new(models, config.memory.mode, embedder.clone()))?;
    handlers.add_job(extract::Extract::new(Place::of_this_program()))?;
    let workshop = Arc::new(Workshop::new(config)?);
    handlers.add(exec::Exec::new(Arc::clone(&workshop)))?;
    handlers.add_job(install::Install::new(Arc::clone(&workshop)))?;
    pipeline::add(&mut handlers, &workshop)?;
    ops::add(&mut handlers, config, &workshop)?;
    handlers.run_in(workshop);
    if let Some(embedder) = embedder {
        handlers.add_job(embed::Embed::new(embedder))?;
    }
    Ok(handlers)
}
