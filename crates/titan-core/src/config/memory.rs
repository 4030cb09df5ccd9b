//! What is remembered, for how long, and with which model it is found by its meaning.

use super::{ConfigError, VENDORS, Vars, Wire, wrong};

/// What a run remembers. With the offline model, which knows no facts, `Extract` means `Record`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemoryMode {
    /// Facts, for which the model is asked once more.
    #[default]
    Extract,
    /// What was asked and answered.
    Record,
    Off,
}

#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub mode: MemoryMode,
    /// None: until it expires or somebody forgets it.
    pub retention_days: Option<i32>,
    /// `provider:model`.
    pub embedding_model: Option<String>,
}

impl Memory {
    pub(super) fn of(vars: &Vars<'_>) -> Result<Self, ConfigError> {
        let modes = [("extract", MemoryMode::Extract), ("record", MemoryMode::Record), ("off", MemoryMode::Off)];
        Ok(Memory {
            mode: vars.choice("TITAN_MEMORY", &modes)?.unwrap_or_default(),
            retention_days: vars.number("TITAN_MEMORY_RETENTION", 1, 36_500)?.and_then(|days| i32::try_from(days).ok()),
            embedding_model: embedding_model(vars)?,
        })
    }
}

fn embedding_model(vars: &Vars<'_>) -> Result<Option<String>, ConfigError> {
    let Some(given) = vars.text("TITAN_EMBEDDING_MODEL") else { return Ok(None) };
    let offering = VENDORS.iter().filter(|vendor| vendor.wire != Wire::Anthropic);
    let names: Vec<&str> = offering.map(|vendor| vendor.name).collect();
    match given.split_once(':') {
        Some((provider, model)) if names.contains(&provider) && !model.is_empty() && given.len() <= 300 => {
            Ok(Some(given.to_owned()))
        }
        _ => Err(wrong(
            "TITAN_EMBEDDING_MODEL",
            format!("must be provider:model with a provider out of {}, and is {given:?}", names.join(", ")),
        )),
    }
}
