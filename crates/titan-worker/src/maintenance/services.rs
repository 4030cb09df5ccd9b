//! The services of the leader: what is done, how often, and what is said about it.

use std::time::Duration;

use futures_util::future::join_all;
use titan_core::blobs::{self, Collected};
use titan_core::budgets;
use titan_core::engine::{ForceCancel, Transition, Wake};
use titan_core::meter::Meter;
use titan_core::ops::{rollbacks, rollouts, webhooks};
use titan_core::pipelines::previews;
use titan_core::queue::maintenance::leader::{Patience, Term};
use titan_core::queue::maintenance::{self, BATCH, Kept, Loss, Rescued, Sleepers, Speed};
use titan_core::queue::{self, Hint};
use titan_core::state::WaitingOn;
use titan_core::{Error, Result};
use tokio_util::task::AbortOnDropHandle;

use super::{Keeper, Office, connected};

/// Transactions of one service in a row; the next look goes on.
const ROUNDS: usize = 20;

const BRIEF: Patience = Patience { statement_ms: 5_000, lock_ms: 1_000 };
const LONG: Patience = Patience { statement_ms: 20_000, lock_ms: 2_000 };

#[derive(Debug, Clone, Copy)]
pub(super) enum Service {
    Rescue,
    Promote,
    Overdue,
    Quarantine,
    Cancels,
    Budgets,
    Rollouts,
    Counters,
    Tallies,
    Reconcile,
    Previews,
    Analyse,
    Partitions,
    History,
    Retention,
    Blobs,
}

/// What is done, what it is called in the log when it fails, and how often it is looked at.
pub(super) const SERVICES: [(Service, &str, Duration); 16] = [
    (Service::Rescue, "rescuing jobs", Duration::ZERO),
    (Service::Promote, "waking jobs", Duration::ZERO),
    (Service::Overdue, "looking for handlers that hang", Duration::from_secs(5)),
    (Service::Quarantine, "looking for jobs that kill workers", Duration::from_secs(5)),
    (Service::Cancels, "ending what was canceled", Duration::from_secs(5)),
    (Service::Budgets, "waking runs that wait for a budget", Duration::from_secs(10)),
    (Service::Rollouts, "seeing to rollouts", Duration::from_secs(2)),
    (Service::Counters, "folding counters", Duration::from_secs(1)),
    (Service::Tallies, "folding tallies", Duration::from_secs(10)),
    (Service::Reconcile, "reconciling", Duration::from_secs(10)),
    (Service::Previews, "looking for previews that nobody serves", Duration::from_secs(10)),
    (Service::Analyse, "analysing jobs", Duration::from_secs(10)),
    (Service::Partitions, "making partitions", Duration::from_secs(3600)),
    (Service::History, "dropping old history", Duration::from_secs(3600)),
    (Service::Retention, "forgetting what is old", Duration::from_secs(3600)),
    (Service::Blobs, "collecting blobs", Duration::from_secs(3600)),
];

impl Keeper<'_> {
    /// `None` when the fence said that somebody else leads.
    pub(super) fn serve(&mut self, service: Service, office: &mut Office, sleepers: &Sleepers) -> Result<Option<()>> {
        let term = office.term;
        match service {
            Service::Rescue => self.rescue(&term),
            Service::Promote if sleepers.next_ms.is_none_or(|ms| ms > 0.0) => Ok(Some(())),
            Service::Promote => self.promote(&term),
            Service::Overdue => self.rescue_overdue(&term),
            Service::Quarantine => self.quarantine(&term),
            Service::Cancels => self.end_overdue_cancels(),
            Service::Budgets => self.wake_for_budgets(),
            Service::Rollouts => self.see_to_rollouts(&term),
            Service::Counters if !sleepers.deltas => Ok(Some(())),
            Service::Counters => self.act(&term, LONG, queue::fold_counters).map(|folded| folded.map(|_| ())),
            Service::Tallies => self.act(&term, LONG, maintenance::fold_tallies).map(|folded| folded.map(|_| ())),
            Service::Reconcile => self.reconcile(office),
            Service::Previews => self.see_to_previews(&term),
            Service::Analyse => self.act(&term, LONG, maintenance::analyse).map(|done| done.map(|_| ())),
            Service::Partitions => self.act(&term, LONG, queue::prepare_partitions).map(|made| made.map(|_| ())),
            Service::History => self.drop_history(&term),
            Service::Retention => self.forget(&term),
            Service::Blobs => {
                self.collect_blobs();
                Ok(Some(()))
            }
        }
    }

    fn rescue(&mut self, term: &Term) -> Result<Option<()>> {
        let link = connected(&mut self.link, self.shared)?;
        if link.speed() == Speed::LeaseOnly {
            return Ok(Some(()));
        }
        let lost = self.ask(maintenance::candidates)?;
        if lost.is_empty() {
            return Ok(Some(()));
        }
        let Some(rescued) = self.act(term, BRIEF, |connection| maintenance::rescue_from(connection, &lost))? else {
            return Ok(None);
        };
        self.tell(&rescued);
        // A job that has killed its last worker is not to be claimed again first.
        if rescued.is_empty() { Ok(Some(())) } else { self.quarantine(term) }
    }

    fn rescue_overdue(&mut self, term: &Term) -> Result<Option<()>> {
        let Some(rescued) = self.act(term, BRIEF, queue::rescue_overdue)? else { return Ok(None) };
        self.tell(&rescued);
        Ok(Some(()))
    }

    fn tell(&self, rescued: &[Rescued]) {
        for job in rescued {
            let why = match job.loss {
                Loss::Died => "its worker died",
                Loss::Silent => "its worker was silent for too long",
                Loss::Stopped => "its worker stopped and had not given it back",
                Loss::Hung => "its handler hung beyond its deadline",
            };
            tracing::warn!(job.id = job.id, worker.id = %job.worker_id, "rescued: {why}");
        }
        Meter::get().rescued.add(rescued.len());
        if !rescued.is_empty() {
            self.jobs_are_ready();
        }
    }

    fn quarantine(&mut self, term: &Term) -> Result<Option<()>> {
        for quarantine in self.ask(queue::poisoned)? {
            tracing::error!(
                job.id = quarantine.job_id, run.id = %quarantine.run_id, rescues = quarantine.rescues,
                "quarantined: this job has lost too many workers"
            );
            self.have_applied(Transition::Quarantine(quarantine));
        }
        let Some(jobs) = self.act(term, BRIEF, maintenance::quarantine_jobs)? else { return Ok(None) };
        for job in &jobs {
            tracing::error!(
                job.id = job.id,
                job.kind,
                rescues = job.rescues,
                "quarantined: this job has lost too many workers"
            );
        }
        Meter::get().failed.add(jobs.len());
        if !jobs.is_empty() {
            // Their places may have gone to others.
            self.jobs_are_ready();
        }
        Ok(Some(()))
    }

    fn promote(&mut self, term: &Term) -> Result<Option<()>> {
        for _ in 0..ROUNDS {
            let Some(promoted) = self.act(term, BRIEF, queue::promote)? else { return Ok(None) };
            if promoted > 0 {
                self.jobs_are_ready();
            }
            if promoted < BATCH {
                break;
            }
        }
        let Some(woken) = self.act(term, BRIEF, maintenance::wake)? else { return Ok(None) };
        if woken > 0 {
            self.jobs_are_ready();
        }
        Ok(Some(()))
    }

    fn reconcile(&mut self, office: &mut Office) -> Result<Option<()>> {
        let after = std::mem::take(&mut office.after_key);
        let Some((admitted, next)) =
            self.act(&office.term, BRIEF, |connection| maintenance::admit_waiting(connection, &after))?
        else {
            return Ok(None);
        };
        office.after_key = next.unwrap_or_default();
        if admitted > 0 {
            tracing::warn!(admitted, "jobs waited although the limit of their key had room");
            self.jobs_are_ready();
        }
        let stranded = self.ask(|connection| maintenance::stranded(connection, office.after_run))?;
        office.after_run = stranded.next.unwrap_or_default();
        if let Some(first) = stranded.runs.first() {
            let count = stranded.runs.len();
            tracing::error!(count, run.id = %first, "runs have neither a job nor anything to wait for; they will not end by themselves");
        }
        Ok(Some(()))
    }

    fn see_to_previews(&mut self, term: &Term) -> Result<Option<()>> {
        let Some(forgotten) = self.act(term, BRIEF, previews::reconcile)? else { return Ok(None) };
        if forgotten > 0 {
            tracing::warn!(forgotten, "nobody served previews that were to run or to stop");
            self.jobs_are_ready();
        }
        Ok(Some(()))
    }

    fn end_overdue_cancels(&mut self) -> Result<Option<()>> {
        let grace = i64::try_from(self.shared.grace.as_millis()).unwrap_or(i64::MAX);
        for ForceCancel { run_id } in self.ask(|connection| queue::overdue_cancels(connection, grace))? {
            tracing::warn!(run.id = %run_id, "canceled by force: no worker ended it in time");
            self.have_applied(Transition::ForceCancel(ForceCancel { run_id }));
        }
        Ok(Some(()))
    }

    /// A new day or month, or a budget whose change was not followed by a wake.
    fn wake_for_budgets(&mut self) -> Result<Option<()>> {
        let runs = self.ask(budgets::overslept)?;
        self.wake(runs.into_iter().map(Wake::for_budget));
        Ok(Some(()))
    }

    /// What a person or the forge has said when nobody listened; and what nobody moves any more is rolled back.
    fn see_to_rollouts(&mut self, term: &Term) -> Result<Option<()>> {
        let runs = self.ask(rollouts::overslept)?;
        let on = [WaitingOn::Approval, WaitingOn::Input];
        let for_people = runs.into_iter().flat_map(|run_id| on.map(|on| Wake::for_person(run_id, on)));
        let for_news = self.ask(webhooks::overslept)?;
        self.wake(for_people.chain(for_news));
        let Some(seen) = self.act(term, BRIEF, rollbacks::see_to)? else { return Ok(None) };
        for proposal in &seen.ordered {
            tracing::warn!(proposal.id = %proposal, "a rollout is rolled back: its run has ended before it");
        }
        for rollout in &seen.failed {
            tracing::error!(
                proposal.id = %rollout.task_id, target = rollout.target, last_good = rollout.last_good, reason = rollout.reason,
                "a rollback FAILED: what production runs has to be looked at by hand (docs/OPS.md, A rollback failed)"
            );
        }
        if !seen.ordered.is_empty() {
            self.jobs_are_ready();
        }
        self.shared.notifier.send(seen.hints);
        Ok(Some(()))
    }

    /// Together, so that they are one batch and not as many commits.
    fn wake(&self, wakes: impl Iterator<Item = Wake>) {
        let wakes = wakes.map(|wake| self.shared.committer.wake_run(wake));
        for woken in self.runtime.block_on(join_all(wakes)) {
            match woken {
                Ok(_) | Err(Error::NotFound(..)) => {}
                Err(error) => tracing::warn!(%error, "a run that waits could not be woken; trying again soon"),
            }
        }
    }

    fn drop_history(&mut self, term: &Term) -> Result<Option<()>> {
        let keep = self.keep.history_days;
        let Some(days) = self.act(term, LONG, |connection| maintenance::drop_history(connection, keep))? else {
            return Ok(None);
        };
        if days > 0 {
            tracing::info!(days, "dropped the history of jobs that ended long ago");
        }
        Ok(Some(()))
    }

    fn forget(&mut self, term: &Term) -> Result<Option<()>> {
        let days = self.keep.history_days;
        let mut rows = 0;
        let mut all = vec![
            Kept::StrayHistory { days },
            Kept::DeadLetters,
            Kept::IdempotencyKeys,
            Kept::Workers,
            Kept::Tallies,
            Kept::ExpiredMemories,
            Kept::Queries,
            Kept::OfflineCalls { days },
            Kept::Attachments,
            Kept::WebhookDeliveries,
        ];
        all.extend(self.keep.memory_days.map(|days| Kept::OldMemories { days }));
        for kept in all {
            for _ in 0..ROUNDS {
                let Some(gone) = self.act(term, LONG, |connection| maintenance::forget(connection, kept))? else {
                    return Ok(None);
                };
                rows += gone;
                if gone < BATCH {
                    break;
                }
            }
        }
        if rows > 0 {
            tracing::info!(rows, "forgot what was old");
        }
        Ok(Some(()))
    }

    /// Two at once would be harmless, so it needs no term.
    fn collect_blobs(&mut self) {
        if self.collecting.as_ref().is_some_and(|collecting| !collecting.is_finished()) {
            return;
        }
        let (blobs, grace) = (self.shared.blobs.clone(), self.keep.blobs);
        let collecting = self.runtime.spawn(async move {
            match blobs::collect(&blobs, grace).await {
                Ok(found) if found == Collected::default() => {}
                Ok(Collected { blobs, bytes, strays }) => {
                    tracing::info!(blobs, bytes, strays, "removed blobs that nothing named, and stray objects");
                }
                Err(error) => {
                    tracing::warn!(%error, "blobs that nothing names could not be removed; trying again later")
                }
            }
        });
        self.collecting = Some(AbortOnDropHandle::new(collecting));
    }

    /// The engine's own connection writes it; that somebody else was faster is no fault.
    fn have_applied(&self, transition: Transition) {
        match self.runtime.block_on(self.shared.committer.apply(transition)) {
            Ok(_) | Err(Error::Fenced { .. } | Error::Conflict(_) | Error::NotFound(..)) => {}
            Err(error) => tracing::warn!(%error, "a run could not be ended; trying again soon"),
        }
    }

    fn jobs_are_ready(&self) {
        self.shared.look_for_work();
        self.shared.notifier.send(vec![Hint::Jobs]);
    }
}
