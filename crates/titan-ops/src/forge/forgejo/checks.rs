//! What Forgejo's checks say of a commit. Its Actions report by statuses like everybody else.

use std::collections::BTreeMap;

use super::Forgejo;
use super::answers::{CombinedStatus, Status};
use super::client::PAGE;
use crate::forge::names::checked_commit;
use crate::forge::{Check, CheckState, Checks, ForgeError};

const MAX_SUMMARY_CHARS: usize = 500;

impl Forgejo {
    pub(super) async fn checks_of(&self, commit: &str) -> Result<Checks, ForgeError> {
        let rest = format!("/commits/{}/status", checked_commit(commit)?);
        // Where nobody said anything, there is no status at all.
        let read = |page: Option<CombinedStatus>| page.map(|page| page.statuses).unwrap_or_default();
        let statuses = self.client.list(&rest, &[PAGE], read, |_| false).await?;
        let mut newest = BTreeMap::<_, Status>::new();
        for status in statuses {
            match newest.get(&status.context) {
                Some(other) if other.updated_at >= status.updated_at => {}
                _ => {
                    newest.insert(status.context.clone(), status);
                }
            }
        }
        Ok(Checks { checks: newest.into_values().map(check).collect() })
    }
}

fn check(status: Status) -> Check {
    let state = match status.status.as_str() {
        "success" => CheckState::Passed,
        "pending" => CheckState::Pending,
        "warning" | "skipped" => CheckState::Neutral,
        _ => CheckState::Failed,
    };
    let summary = if status.description.is_empty() { &status.status } else { &status.description };
    Check {
        state,
        summary: titan_core::text::head(summary.trim(), MAX_SUMMARY_CHARS).to_owned(),
        name: status.context,
        page: Some(status.target_url).filter(|page| !page.is_empty()),
        finished_at: status.updated_at.filter(|_| state != CheckState::Pending),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_has_passed() {
        let of = |status: &str| {
            let json = format!(r#"{{"context": "ci", "status": "{status}", "updated_at": "2026-01-01T00:00:00Z"}}"#);
            check(serde_json::from_str(&json).unwrap())
        };
        use CheckState::{Failed, Neutral, Passed, Pending};
        let states = [("success", Passed), ("pending", Pending), ("warning", Neutral), ("skipped", Neutral)];
        for (status, state) in states.into_iter().chain([("failure", Failed), ("error", Failed), ("unheard", Failed)]) {
            assert_eq!(of(status).state, state, "{status}");
            assert_eq!(of(status).finished_at.is_some(), state != Pending, "{status}");
        }
        let none: CombinedStatus = serde_json::from_str(r#"{"state": "", "statuses": null}"#).unwrap();
        assert!(none.statuses.is_empty());
    }
}
