//! Claims for an intake. They ride with the batches while these are quick, and go on a thread of their own when they are not:
//! then whoever has the next turn does not wait for hundreds of strangers to be written.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use super::Intake;
use super::writer::Writer;
use crate::queue::Claim;

/// From when on batches are no longer quick. Up to that, the claims that ride with those of two threads bring as many jobs as claims
/// apart would.
const SLOW: Duration = Duration::from_millis(50);
/// How often there is a claim apart, at most.
const APART: Duration = Duration::from_millis(20);

#[derive(Default)]
pub(super) struct Feed {
    open: OnceLock<(Weak<dyn Intake>, SyncSender<()>)>,
    /// What batches take, smoothed; one that is not heavy counts as nothing.
    batch_us: AtomicU64,
}

impl Feed {
    /// False when it was open already.
    pub(super) fn open(&self, intake: Weak<dyn Intake>, knocks: SyncSender<()>) -> bool {
        self.open.set((intake, knocks)).is_ok()
    }

    /// The claim that is to ride with such a batch.
    pub(super) fn ride(&self, heavy: bool, ending: usize) -> Option<(Arc<dyn Intake>, Claim)> {
        let slow = self.is_slow();
        // A wake-up may have come with this batch, so it is passed on.
        if slow && heavy && self.knock() {
            return None;
        }
        let intake = self.open.get()?.0.upgrade()?;
        let claim = if slow { intake.want_some() } else { intake.want(ending) }?;
        Some((intake, claim))
    }

    pub(super) fn batch_took(&self, heavy: bool, time: Duration) {
        // One that waited for the database is soon forgotten, and one that is not heavy is quick whatever it took.
        let time = if heavy { time.min(4 * SLOW) } else { Duration::ZERO };
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        // Two threads at once may lose one of their figures; the next one is as good.
        let before = self.batch_us.load(Ordering::Relaxed);
        self.batch_us.store((before * 3 + time) / 4, Ordering::Relaxed);
    }

    fn is_slow(&self) -> bool {
        u128::from(self.batch_us.load(Ordering::Relaxed)) > SLOW.as_micros()
    }

    /// False when claims ride with the batches.
    pub(super) fn knock_if_slow(&self) -> bool {
        self.is_slow() && self.knock()
    }

    /// False when nobody is there.
    fn knock(&self) -> bool {
        // A knock that is waiting already is as good.
        let heard =
            |(_, knocks): &(_, SyncSender<()>)| !matches!(knocks.try_send(()), Err(TrySendError::Disconnected(())));
        self.open.get().is_some_and(heard)
    }
}

/// Claims when somebody knocks, every [`APART`] at most. Ends with whoever may knock.
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

    use super::*;
    use crate::Result;
    use crate::engine::Taken;

    /// Always wants a job, and says what for.
    #[derive(Default)]
    struct Hungry(Mutex<Vec<Option<usize>>>);

    impl Hungry {
        fn wants(&self, what: Option<usize>) -> Option<Claim> {
            self.0.lock().unwrap().push(what);
            Some(Claim::simple(Uuid::nil(), vec!["chat".to_owned()], 1))
        }
    }

    impl Intake for Hungry {
        fn want(&self, ending: usize) -> Option<Claim> {
            self.wants(Some(ending))
        }

        fn want_some(&self) -> Option<Claim> {
            self.wants(None)
        }

        fn took(&self, _: &Claim, _: Result<Vec<Taken>>) {}
    }

    #[test]
    fn claims_ride_with_quick_batches_and_go_apart_from_slow_ones() {
        let (feed, hungry) = (Feed::default(), Arc::new(Hungry::default()));
        let (knocks, knocked) = sync_channel(1);
        let intake: Arc<dyn Intake> = hungry.clone();
        assert!(feed.ride(true, 2).is_none() && !feed.knock_if_slow(), "there is nobody to feed");
        assert!(feed.open(Arc::downgrade(&intake), knocks));
        assert!(feed.ride(true, 2).is_some() && !feed.knock_if_slow());

        (0..10).for_each(|_| feed.batch_took(true, Duration::from_millis(90)));
        assert!(feed.ride(true, 1).is_none(), "this batch will be slow");
        assert!(feed.knock_if_slow(), "two knocks are as good as one");
        assert!(knocked.try_recv().is_ok() && knocked.try_recv().is_err());
        assert!(feed.ride(false, 0).is_some(), "there is nothing to wait for");

        (0..10).for_each(|_| feed.batch_took(true, Duration::from_millis(2)));
        assert!(feed.ride(true, 3).is_some());
        assert_eq!(*hungry.0.lock().unwrap(), [Some(2), None, Some(3)]);
    }

    #[test]
    fn claims_ride_with_plain_ends_whatever_these_take() {
        let (feed, hungry) = (Feed::default(), Arc::new(Hungry::default()));
        let (knocks, _knocked) = sync_channel(1);
        let intake: Arc<dyn Intake> = hungry.clone();
        assert!(feed.open(Arc::downgrade(&intake), knocks));
        (0..10).for_each(|_| feed.batch_took(false, Duration::from_millis(90)));
        assert!(feed.ride(false, 4).is_some() && !feed.knock_if_slow());
        assert_eq!(*hungry.0.lock().unwrap(), [Some(4)]);
    }

    #[test]
    fn an_outage_is_soon_forgotten() {
        let feed = Feed::default();
        feed.batch_took(true, Duration::from_secs(20));
        feed.batch_took(true, Duration::from_secs(20));
        assert!(feed.is_slow());
        (0..3).for_each(|_| feed.batch_took(true, Duration::from_millis(2)));
        assert!(!feed.is_slow());
    }

    #[test]
    fn without_a_thread_that_claims_apart_claims_ride_with_slow_batches_too() {
        let (feed, hungry) = (Feed::default(), Arc::new(Hungry::default()));
        let intake: Arc<dyn Intake> = hungry;
        let (knocks, knocked) = sync_channel(1);
        assert!(feed.open(Arc::downgrade(&intake), knocks));
        drop(knocked);
        (0..10).for_each(|_| feed.batch_took(true, Duration::from_millis(90)));
        assert!(!feed.knock_if_slow() && feed.ride(true, 1).is_some());
    }
}
