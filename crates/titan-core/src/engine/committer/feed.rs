//! Claims for an intake. They ride with the batches while these are quick, and go on a thread of their own when they are not:
//! then whoever has the next turn does not wait for hundreds of strangers to be written.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use super::Intake;
use super::writer::Writer;
use crate::queue::Claim;

/// From when on a batch is no longer quick, and how often there is a claim then. Before, as many jobs are claimed by riding.
const SLOW: Duration = Duration::from_millis(50);
const APART: Duration = Duration::from_millis(20);

#[derive(Default)]
pub(super) struct Feed {
    open: OnceLock<(Weak<dyn Intake>, SyncSender<()>)>,
    /// What a batch takes, smoothed.
    batch_us: AtomicU64,
}

impl Feed {
    /// False when it was open already.
    pub(super) fn open(&self, intake: Weak<dyn Intake>, knocks: SyncSender<()>) -> bool {
        self.open.set((intake, knocks)).is_ok()
    }

    /// The claim that is to ride with such a batch.
    pub(super) fn ride(&self, transitions: usize, ending: usize) -> Option<(Arc<dyn Intake>, Claim)> {
        if transitions > 0 && self.is_slow() {
            return None;
        }
        let intake = self.open.get()?.0.upgrade()?;
        let claim = intake.want(ending)?;
        Some((intake, claim))
    }

    pub(super) fn batch_took(&self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        // Two threads at once may lose one of their figures; the next one is as good.
        let before = self.batch_us.load(Ordering::Relaxed);
        self.batch_us.store((before / 4).saturating_mul(3).saturating_add(time / 4), Ordering::Relaxed);
    }

    fn is_slow(&self) -> bool {
        self.batch_us.load(Ordering::Relaxed) > u64::try_from(SLOW.as_micros()).unwrap_or(u64::MAX)
    }

    /// False when claims ride with the batches.
    pub(super) fn knock_if_slow(&self) -> bool {
        let Some((_, knocks)) = self.open.get().filter(|_| self.is_slow()) else { return false };
        // One that is waiting already is as good.
        let _ = knocks.try_send(());
        true
    }
}

/// Claims whenever somebody knocks, but not all the time. Ends with whoever may knock.
pub(super) fn claim_apart(mut writer: Writer, knocked: &Receiver<()>, intake: &Weak<dyn Intake>) {
    while knocked.recv().is_ok() {
        let Some(intake) = intake.upgrade() else { return };
        let begun = Instant::now();
        if let Some(claim) = intake.want_some() {
            let (_, taken) = writer.write(&[], Some(&claim));
            intake.took(&claim, taken);
        }
        drop(intake);
        std::thread::sleep(APART.saturating_sub(begun.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::sync_channel;

    use uuid::Uuid;

    use super::super::super::transition::Taken;
    use super::*;
    use crate::Result;

    /// Always wants a job, and says what for.
    #[derive(Default)]
    struct Hungry(Mutex<Vec<usize>>);

    impl Intake for Hungry {
        fn want(&self, ending: usize) -> Option<Claim> {
            self.0.lock().unwrap().push(ending);
            Some(Claim::simple(Uuid::nil(), vec!["chat".to_owned()], 1))
        }

        fn want_some(&self) -> Option<Claim> {
            None
        }

        fn took(&self, _: &Claim, _: Result<Vec<Taken>>) {}
    }

    #[test]
    fn claims_ride_with_quick_batches_and_go_apart_from_slow_ones() {
        let (feed, hungry) = (Feed::default(), Arc::new(Hungry::default()));
        let (knocks, knocked) = sync_channel(1);
        let intake: Arc<dyn Intake> = hungry.clone();
        assert!(feed.ride(3, 2).is_none(), "there is nobody to feed");
        assert!(feed.open(Arc::downgrade(&intake), knocks));
        assert!(feed.ride(3, 2).is_some() && !feed.knock_if_slow());

        (0..10).for_each(|_| feed.batch_took(Duration::from_millis(90)));
        assert!(feed.ride(3, 1).is_none(), "this batch is slow");
        assert!(feed.ride(0, 0).is_some(), "without a batch there is nothing to wait for");
        assert!(feed.knock_if_slow() && feed.knock_if_slow());
        assert!(knocked.try_recv().is_ok() && knocked.try_recv().is_err(), "two knocks are as good as one");

        (0..10).for_each(|_| feed.batch_took(Duration::from_millis(2)));
        assert!(feed.ride(3, 3).is_some());
        assert_eq!(*hungry.0.lock().unwrap(), [2, 0, 3]);
    }
}
