//! What GitHub's checks say of a commit: check-runs (those of Actions and of apps) and statuses (those of everything else).

use std::collections::BTreeMap;

use super::GitHub;
use super::answers::{CheckRun, CheckRuns, CombinedStatus, Status};
use crate::forge::names::checked_commit;
use crate::forge::{Check, CheckState, Checks, ForgeError};

const MAX_SUMMARY_CHARS: usize = 500;

impl GitHub {
    pub(super) async fn checks_of(&self, commit: &str) -> Result<Checks, ForgeError> {
        let route = self.route(&format!("/commits/{}", checked_commit(commit)?));
        let latest = [("filter", "latest")];
        let runs = self.client.all(&format!("{route}/check-runs"), &latest, |page: CheckRuns| page.check_runs).await?;
        let statuses = self.client.all(&format!("{route}/status"), &[], |page: CombinedStatus| page.statuses).await?;
        Ok(Checks { checks: newest_runs(runs).chain(newest_statuses(statuses)).collect() })
    }
}

/// The newest of each name in its suite. Two workflows may each have a job of one name: neither stands for the other, least of all
/// when one passed and the other did not.
fn newest_runs(runs: Vec<CheckRun>) -> impl Iterator<Item = Check> {
    let mut newest = BTreeMap::<_, CheckRun>::new();
    for run in runs {
        let key = (run.name.clone(), run.check_suite.as_ref().map(|suite| suite.id));
        match newest.get(&key) {
            // Ids grow; when a run began is not told of those that wait.
            Some(other) if other.id >= run.id => {}
            _ => {
                newest.insert(key, run);
            }
        }
    }
    newest.into_values().map(|run| {
        let output = run.output.as_ref();
        let said = output.and_then(|output| output.title.as_deref().or(output.summary.as_deref()));
        let summary = said.or(run.conclusion.as_deref()).unwrap_or(&run.status);
        Check {
            state: state_of_run(&run.status, run.conclusion.as_deref()),
            summary: titan_core::text::head(summary.trim(), MAX_SUMMARY_CHARS).to_owned(),
            name: run.name,
            page: run.html_url,
            finished_at: run.completed_at,
        }
    })
}

/// Only the newest of a name is listed, but not on the same page as the others when one comes in between two pages.
fn newest_statuses(statuses: Vec<Status>) -> impl Iterator<Item = Check> {
    let mut newest = BTreeMap::<_, Status>::new();
    for status in statuses {
        match newest.get(&status.context) {
            Some(other) if other.updated_at >= status.updated_at => {}
            _ => {
                newest.insert(status.context.clone(), status);
            }
        }
    }
    newest.into_values().map(|status| {
        let state = state_of_status(&status.state);
        let summary = status.description.as_deref().filter(|text| !text.is_empty()).unwrap_or(&status.state);
        Check {
            state,
            summary: titan_core::text::head(summary.trim(), MAX_SUMMARY_CHARS).to_owned(),
            name: status.context,
            page: status.target_url.filter(|page| !page.is_empty()),
            finished_at: status.updated_at.filter(|_| state != CheckState::Pending),
        }
    })
}

/// A conclusion that is not known here is no pass.
fn state_of_run(status: &str, conclusion: Option<&str>) -> CheckState {
    match (status, conclusion) {
        ("completed", Some("success")) => CheckState::Passed,
        ("completed", Some("neutral" | "skipped")) => CheckState::Neutral,
        ("completed", Some(_)) => CheckState::Failed,
        _ => CheckState::Pending,
    }
}

fn state_of_status(state: &str) -> CheckState {
    match state {
        "success" => CheckState::Passed,
        "pending" => CheckState::Pending,
        _ => CheckState::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(json: &str) -> Vec<(String, CheckState, String)> {
        let page: CheckRuns = serde_json::from_str(json).unwrap();
        newest_runs(page.check_runs).map(|check| (check.name, check.state, check.summary)).collect()
    }

    #[test]
    fn only_what_ended_well_has_passed() {
        let states = [
            ("queued", None, CheckState::Pending),
            ("in_progress", None, CheckState::Pending),
            ("waiting", None, CheckState::Pending),
            ("completed", None, CheckState::Pending),
            ("completed", Some("success"), CheckState::Passed),
            ("completed", Some("neutral"), CheckState::Neutral),
            ("completed", Some("skipped"), CheckState::Neutral),
            ("completed", Some("failure"), CheckState::Failed),
            ("completed", Some("cancelled"), CheckState::Failed),
            ("completed", Some("timed_out"), CheckState::Failed),
            ("completed", Some("action_required"), CheckState::Failed),
            ("completed", Some("stale"), CheckState::Failed),
            ("completed", Some("of a later year"), CheckState::Failed),
        ];
        for (status, conclusion, state) in states {
            assert_eq!(state_of_run(status, conclusion), state, "{status} {conclusion:?}");
        }
        let states = ["success", "pending", "failure", "error", "unheard"].map(state_of_status);
        use CheckState::{Failed, Passed, Pending};
        assert_eq!(states, [Passed, Pending, Failed, Failed, Failed]);
    }

    #[test]
    fn the_newest_of_a_name_counts_but_not_for_another_workflow() {
        let found = runs(
            r#"{"check_runs": [
                {"id": 1, "name": "test", "status": "completed", "conclusion": "failure", "check_suite": {"id": 9}},
                {"id": 2, "name": "test", "status": "completed", "conclusion": "success", "check_suite": {"id": 9},
                 "output": {"title": "12 passed", "summary": null}},
                {"id": 3, "name": "test", "status": "in_progress", "conclusion": null, "check_suite": {"id": 8}}
            ]}"#,
        );
        let test = || "test".to_owned();
        assert_eq!(
            found,
            [
                (test(), CheckState::Pending, "in_progress".to_owned()),
                (test(), CheckState::Passed, "12 passed".to_owned()),
            ]
        );
        assert!(runs(r#"{"total_count": 0, "check_runs": []}"#).is_empty());
    }

    #[test]
    fn a_status_says_when_it_ended_once_it_has() {
        let page = r#"{"state": "pending", "statuses": [
            {"context": "ci", "state": "failure", "description": "1 failed", "target_url": "", "updated_at": "2026-01-01T00:00:00Z"},
            {"context": "ci", "state": "pending", "description": null, "target_url": "https://ci/7", "updated_at": "2026-01-02T00:00:00Z"}
        ]}"#;
        let page: CombinedStatus = serde_json::from_str(page).unwrap();
        let found: Vec<_> = newest_statuses(page.statuses).collect();
        let page = Some("https://ci/7".to_owned());
        let summary = "pending".to_owned();
        assert_eq!(found, [Check { name: "ci".into(), state: CheckState::Pending, summary, page, finished_at: None }]);
    }
}
