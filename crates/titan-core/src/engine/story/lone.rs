//! Jobs without a run: no steps, no events, no task. What they do stands in the history of jobs alone.

use super::super::backoff;
use super::super::transition::{Applied, CancelJob, Canceled, FinishJob, Outcome};
use super::changes::{EndedJob, JobOutcome, NewJobRow, Rescheduled};
use super::{Story, short};
use crate::queue::{self, NewJob};
use crate::{Error, Result};

impl Story {
    pub(super) fn enqueue_lone(&mut self, index: usize, jobs: &[NewJob]) -> Result<Applied> {
        jobs.iter().try_for_each(queue::check_job)?;
        let rows = jobs.iter().map(|job| NewJobRow { job: job.clone(), run: None, answer: Some(index), kept: None });
        self.changes.new_jobs.extend(rows);
        // The ids are known when the rows are written.
        Ok(Applied::Enqueued(Vec::with_capacity(jobs.len())))
    }

    pub(super) fn finish_lone(&mut self, finish: &FinishJob) -> Result<Applied> {
        let lost = || Error::Fenced { job_id: finish.job_id, epoch: finish.epoch };
        if JobOutcome::of(&finish.outcome).is_some() {
            return if self.world.ended.remove(&(finish.job_id, finish.epoch)) {
                Ok(Applied::JobFinished)
            } else {
                Err(lost())
            };
        }
        let job = self.world.jobs.get(&finish.job_id).ok_or_else(lost)?;
        if job.run_id.is_some() || !self.holds(job, finish.epoch) {
            return Err(lost());
        }
        let (id, tried, most) = (job.id, job.attempt, job.max_attempts);
        match &finish.outcome {
            // Ended already, see above. Nobody could wake one that waits: it fails.
            Outcome::Done(_) | Outcome::Cancel { .. } => {}
            Outcome::Retry { after, .. } if tried < most => {
                self.come_back_lone(id, backoff::wait(tried, *after), tried)
            }
            Outcome::Snooze { after, .. } => self.come_back_lone(id, *after, tried - 1),
            Outcome::Retry { error, .. } | Outcome::Fail { error } | Outcome::Wait { reason: error, .. } => {
                self.end_lone(id, EndedJob { error: Some(short(error)), ..EndedJob::new(JobOutcome::Failed) });
            }
        }
        Ok(Applied::JobFinished)
    }

    /// A worker that holds the job finds out with its next word, or with its next heartbeat.
    pub(super) fn cancel_lone(&mut self, cancel: &CancelJob) -> Result<Canceled> {
        match self.world.jobs.get(&cancel.job_id) {
            Some(job) if job.run_id.is_some() => {
                Err(Error::Conflict(format!("job {} belongs to a run; cancel the run", cancel.job_id)))
            }
            Some(job) if !self.changes.ended_jobs.contains_key(&job.id) => {
                let id = job.id;
                self.changes.rescheduled.remove(&id);
                self.end_lone(id, EndedJob::new(JobOutcome::Canceled));
                Ok(Canceled::Now)
            }
            _ => Ok(Canceled::HadEnded),
        }
    }

    fn end_lone(&mut self, id: i64, ended: EndedJob) {
        self.changes.ended_jobs.insert(id, ended);
    }

    fn come_back_lone(&mut self, id: i64, wait: std::time::Duration, attempt: i16) {
        self.changes.rescheduled.insert(id, Rescheduled::after(wait, attempt));
    }
}
