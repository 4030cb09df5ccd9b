//! What the committer claims for this worker, and what becomes of it.

use std::sync::Arc;

use titan_core::Result;
use titan_core::engine::{Intake, Taken};
use titan_core::queue::{Claim, Source};

use crate::job;
use crate::shared::Shared;
use crate::slots::Room;
use crate::stop::Stop;

impl Intake for Shared {
    fn want(&self, ending: usize) -> Option<Claim> {
        self.pulse.is_felt().then(|| self.slots.set_aside(ending)).flatten().map(|room| self.claim(room))
    }

    fn want_some(&self) -> Option<Claim> {
        self.pulse.is_felt().then(|| self.slots.set_some_aside()).flatten().map(|room| self.claim(room))
    }

    fn took(&self, claim: &Claim, taken: Result<Vec<Taken>>) {
        let room = self.room_of(claim);
        match taken {
            Ok(taken) => {
                self.claiming.worked();
                let more = self.slots.taken(&room, &taken.iter().map(|taken| &taken.job).collect::<Vec<_>>());
                taken.into_iter().for_each(|taken| self.hand_over(taken));
                if more {
                    self.committer.wake();
                }
            }
            Err(error) => {
                self.claiming.failed(&error);
                self.slots.nothing_taken(&room);
            }
        }
        self.claims.end(claim.number);
    }
}

impl Shared {
    pub(crate) fn take_in_hand(&self, taken: &Taken) -> Stop {
        let Taken { job, context } = taken;
        tracing::debug!(job.id, job.epoch, kind = job.kind, run.id = ?job.run_id, "claimed");
        self.in_hand.take((job.id, job.epoch), job.run_id, context.as_ref().map(|context| context.task_id))
    }

    fn claim(&self, Room { queues, limit, suspect }: Room) -> Claim {
        Claim {
            number: self.claims.begin(),
            worker_id: self.worker_id(),
            source: match self.only_run {
                Some(run_id) => Source::OneRun(run_id),
                None => Source::Queues(queues),
            },
            kinds: self.kinds.to_vec(),
            limit,
            suspect,
            context: true,
        }
    }

    fn room_of(&self, claim: &Claim) -> Room {
        let queues = match &claim.source {
            Source::Queues(queues) => queues.clone(),
            Source::OneRun(_) => self.slots.queues(),
        };
        Room { queues, limit: claim.limit, suspect: claim.suspect }
    }

    fn hand_over(&self, taken: Taken) {
        let Some(shared) = self.me.upgrade() else { return };
        let stop = self.take_in_hand(&taken);
        self.jobs.spawn_on(job::carry_out(Arc::clone(&shared), taken, stop), &self.runtime);
    }
}
