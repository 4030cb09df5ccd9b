//! What processes tell each other through NOTIFY. A hint is never needed: who misses it finds out by polling.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "h", rename_all = "snake_case")]
pub enum Hint {
    /// There are ready jobs.
    Jobs,
    /// A run has events up to this number.
    Run { id: Uuid, project_id: Uuid, seq: i64, ended: bool },
    /// A run is to stop.
    Cancel { run_id: Uuid },
    /// A model is at work: shown live, stored nowhere.
    Beat { run_id: Uuid, step: i16, attempt: i32, output_tokens: i64 },
    /// Something changed; who shows it fetches it again.
    Change { kind: String, id: Uuid, project_id: Option<Uuid> },
}

impl Hint {
    #[must_use]
    pub fn change(kind: &str, id: Uuid, project_id: Uuid) -> Self {
        Hint::Change { kind: kind.to_owned(), id, project_id: Some(project_id) }
    }

    /// Something about queues, jobs or limits changed: they are one page.
    #[must_use]
    pub fn queue_change() -> Self {
        Hint::Change { kind: "queue".to_owned(), id: Uuid::nil(), project_id: None }
    }

    /// Templates of the installation changed, or one that is being installed did; nil where it is not about an install.
    #[must_use]
    pub fn template_change(id: Uuid) -> Self {
        Hint::Change { kind: "template".to_owned(), id, project_id: None }
    }

    /// What the hint is about: a later one on the same subject says all that an earlier one said.
    pub(super) fn subject(&self) -> (u8, Uuid, i16) {
        match self {
            Hint::Jobs => (0, Uuid::nil(), 0),
            Hint::Run { id, .. } => (1, *id, 0),
            Hint::Cancel { run_id } => (2, *run_id, 0),
            Hint::Beat { run_id, step, .. } => (3, *run_id, *step),
            // Where many of a project changed at once the id is nil.
            Hint::Change { kind, id, project_id } if id.is_nil() => {
                (4, project_id.unwrap_or_default(), number_of(kind))
            }
            Hint::Change { kind, id, .. } => (4, *id, number_of(kind)),
        }
    }
}

/// Tells the kinds of changes apart.
fn number_of(kind: &str) -> i16 {
    kind.bytes().fold(0, |number: i16, byte| number.wrapping_mul(31).wrapping_add(i16::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_two_kinds_or_projects_are_two_subjects() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let subject = |kind: &str, project| Hint::change(kind, Uuid::nil(), project).subject();
        assert_eq!(subject("lead", one), subject("lead", one));
        assert_ne!(subject("lead", one), subject("contact", one));
        assert_ne!(subject("lead", one), subject("lead", other));
    }
}
