//! What a batch of transitions names: the ids that are to be locked and read for it. No database, and no decision.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::ends::End;
use super::story::JobOutcome;
use super::transition::{Fence, Outcome, Transition, Write};
use crate::plans::PLAN;

/// The ids that a batch names.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) projects: BTreeSet<Uuid>,
    pub(super) runs: BTreeSet<Uuid>,
    /// Runs whose task matters too.
    pub(super) runs_with_task: BTreeSet<Uuid>,
    /// Runs of which every job matters, not only the one that is held.
    pub(super) runs_with_jobs: BTreeSet<Uuid>,
    pub(super) jobs: BTreeSet<i64>,
    pub(super) tasks: BTreeSet<Uuid>,
    /// Tasks that get another run.
    pub(super) executing: BTreeSet<Uuid>,
    pub(super) limits: BTreeSet<String>,
    pub(super) queues: BTreeSet<String>,
    /// Runs whose next step somebody would go on with.
    pub(super) runs_to_go_on: BTreeSet<Uuid>,
    pub(super) reports: Vec<Fence>,
    /// Runs that would call a model.
    pub(super) reserving: BTreeSet<Uuid>,
    /// Runs of which calls may end.
    pub(super) settling: BTreeSet<Uuid>,
    /// Plain ends of jobs without a run.
    pub(super) ends: Vec<End>,
    /// Projects whose plan gets a version or is decided about.
    pub(super) planning: BTreeSet<Uuid>,
    /// Projects that are to get a draft.
    pub(super) drafting: BTreeSet<Uuid>,
    /// Versions that are to be approved.
    pub(super) approvals: BTreeSet<(Uuid, i32)>,
}

impl Wanted {
    pub(super) fn of(batch: &[Transition]) -> Self {
        let mut wanted = Wanted::default();
        for transition in batch {
            match transition {
                Transition::Submit(submission) => {
                    wanted.projects.insert(submission.task.project_id);
                    let named = |name: &Option<String>| name.clone().filter(|name| !name.contains('\0'));
                    wanted.limits.extend(named(&submission.task.limit_key));
                    wanted.queues.extend(named(&submission.task.queue));
                    if submission.task.task_type == PLAN {
                        wanted.draft_of(submission.task.project_id);
                    }
                }
                Transition::Approve(approve) => {
                    wanted.projects.insert(approve.project_id);
                    wanted.planning.insert(approve.project_id);
                    wanted.approvals.insert((approve.project_id, approve.version));
                }
                Transition::Execute(execute) => {
                    wanted.tasks.insert(execute.task_id);
                    wanted.executing.insert(execute.task_id);
                }
                Transition::CancelTask { task_id } | Transition::CompleteTask { task_id } => {
                    wanted.tasks.insert(*task_id);
                }
                Transition::Start(start) => {
                    wanted.held(&start.fence);
                    wanted.settling.insert(start.fence.run_id);
                    wanted.runs_with_task.insert(start.fence.run_id);
                }
                // The end of a step may end its run, and with it whatever else of the run is under way.
                Transition::Finish(finish) => {
                    wanted.whole(finish.fence.run_id);
                    wanted.jobs.insert(finish.fence.job_id);
                    wanted.planning.extend(plan_of(&finish.outcome));
                    if finish.go_on.is_some() {
                        wanted.runs_to_go_on.insert(finish.fence.run_id);
                    }
                }
                Transition::Report(report) => {
                    wanted.held(&report.fence);
                    if !report.calls.is_empty() {
                        wanted.settling.insert(report.fence.run_id);
                    }
                    wanted.reports.push(report.fence);
                }
                Transition::Reserve(reserve) => {
                    wanted.held(&reserve.fence);
                    wanted.reports.push(reserve.fence);
                    wanted.reserving.insert(reserve.fence.run_id);
                }
                Transition::Wake(wake) => wanted.whole(wake.run_id),
                Transition::CancelRun(cancel) => wanted.whole(cancel.run_id),
                Transition::ForceCancel(force) => wanted.whole(force.run_id),
                Transition::Quarantine(quarantine) => wanted.whole(quarantine.run_id),
                Transition::Enqueue(_) => {}
                Transition::FinishJob(finish) => match JobOutcome::of(&finish.outcome) {
                    Some(outcome) => {
                        let (id, epoch) = (finish.job_id, Some(finish.epoch));
                        wanted.ends.push(End { id, epoch, outcome, error: None, task_id: None });
                    }
                    None => {
                        wanted.jobs.insert(finish.job_id);
                    }
                },
                Transition::CancelJob(cancel) => {
                    wanted.jobs.insert(cancel.job_id);
                }
            }
        }
        // Of two ends of one job the claim with the higher number is the one that may hold it.
        wanted.ends.sort_unstable_by_key(|end| (end.id, std::cmp::Reverse(end.epoch)));
        wanted.ends.dedup_by_key(|end| end.id);
        wanted
    }

    /// Of a project one draft is made at a time, so who orders one holds its plan.
    pub(super) fn draft_of(&mut self, project_id: Uuid) {
        self.planning.insert(project_id);
        self.drafting.insert(project_id);
    }

    fn held(&mut self, fence: &Fence) {
        self.runs.insert(fence.run_id);
        self.jobs.insert(fence.job_id);
    }

    fn whole(&mut self, run_id: Uuid) {
        self.runs.insert(run_id);
        self.runs_with_task.insert(run_id);
        self.runs_with_jobs.insert(run_id);
    }
}

/// The project of which the outcome holds a version of the plan.
fn plan_of(outcome: &Outcome) -> Option<Uuid> {
    let Outcome::Done(done) = outcome else { return None };
    done.writes.iter().find_map(|write| match write {
        Write::Plan(plan) => Some(plan.project_id),
        _ => None,
    })
}
