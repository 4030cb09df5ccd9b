//! The names of branches.

use std::str::FromStr as _;

use uuid::Uuid;

use crate::{Error, Result};

/// What a project has, or what one of its runs is working on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Branch {
    Main,
    OfRun(Uuid),
}

impl Branch {
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Branch::Main => "main".to_owned(),
            Branch::OfRun(run_id) => format!("run/{run_id}"),
        }
    }

    /// # Errors
    /// When no branch is called so.
    pub fn named(name: &str) -> Result<Self> {
        match name.strip_prefix("run/").map(Uuid::from_str) {
            None if name == "main" => Ok(Branch::Main),
            Some(Ok(run_id)) => Ok(Branch::OfRun(run_id)),
            _ => Err(Error::invalid("branch", format!("must be main or run/<id of a run>, and is {name:?}"))),
        }
    }
}
