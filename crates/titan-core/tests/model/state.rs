//! What there is: the rows of the database, the workers with what they remember, what is on its way between them, and who
//! leads. A clock is missing on purpose: time is the age of each worker's last beat, which any step may let grow.

/// Workers have letters, jobs numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Worker {
    A,
    B,
    C,
}

pub(crate) const WORKERS: [Worker; 3] = [Worker::A, Worker::B, Worker::C];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Leader {
    First,
    Second,
}

pub(crate) const LEADERS: [Leader; 2] = [Leader::First, Leader::Second];

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The table `jobs`, and what `job_history` says of each.
    pub(crate) jobs: Vec<Job>,
    pub(crate) workers: Vec<Process>,
    /// Requests that were sent and not yet carried out, in order only so that equal sets are equal.
    pub(crate) wire: Vec<Message>,
    pub(crate) leadership: Leadership,
    /// Postgres has just started: nobody could beat for a while, so nobody is rescued from.
    pub(crate) grace: bool,
    /// How many faults and acts of people may still happen.
    pub(crate) faults_left: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    pub(crate) row: Row,
    pub(crate) epoch: u8,
    pub(crate) attempt: u8,
    pub(crate) rescues: u8,
    /// A person asked for it to stop.
    pub(crate) canceled: bool,
    /// Whether the start was recorded under the current epoch: the first of the side effects that the database keeps.
    pub(crate) begun: bool,
    /// Terminal rows in the history.
    pub(crate) ended: u8,
    /// The highest epoch that a claim has handed out. No such column exists: only the rules look at it.
    pub(crate) handed_out: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Row {
    Ready,
    Running {
        holder: Worker,
    },
    /// Deleted, since it ended.
    Gone,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Process {
    pub(crate) life: Life,
    /// It was told to shut down: it claims nothing more.
    pub(crate) leaving: bool,
    /// Its dedicated connection, on which it beats, and with it the session lock.
    pub(crate) session: bool,
    pub(crate) beat: Beat,
    /// It was stopped, or let its beat grow old while the database could be reached. Only the rules look at it.
    pub(crate) out_of_touch: bool,
    pub(crate) claim: Claim,
    pub(crate) hands: Vec<Hand>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Life {
    Up,
    /// By SIGSTOP: it holds its lock and does nothing.
    Stopped,
    Dead,
}

/// The age of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Beat {
    Young,
    /// Older than the fast lane waits (1 s).
    Old,
    /// Older than the lease (15 s).
    Over,
}

/// The one thread of a worker that claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Claim {
    Idle,
    Asked,
    /// The answer is there, but not yet in hand.
    Answered {
        job: usize,
        epoch: u8,
        attempt: u8,
    },
}

/// A job as its worker knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Hand {
    pub(crate) job: usize,
    pub(crate) epoch: u8,
    /// What the row said when it was claimed. Only a flawed protocol looks at it.
    pub(crate) attempt: u8,
    pub(crate) phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Phase {
    Claimed,
    /// The handler runs, and that it does is written down.
    Working,
    /// A write was sent, and its answer is awaited.
    Sent(Write),
    /// The answer to COMMIT was lost. The transaction's status is asked; `None` while it is in progress.
    Unsure(Write, Option<Answer>),
}

/// What is written under the fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Write {
    Start,
    Finish(Outcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Done,
    /// The attempt failed. The last one ends the job.
    Retry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Answer {
    Accepted,
    /// By the fence.
    Refused,
    /// The transaction never happened.
    Aborted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Message {
    pub(crate) from: Worker,
    pub(crate) what: Request,
    /// The sender's connection is gone: the server may still carry it out, or not.
    pub(crate) cut_off: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Request {
    Claim,
    Write {
        job: usize,
        epoch: u8,
        attempt: u8,
        write: Write,
        /** Only without a lock. */
        checked: bool,
    },
    /// Gives a job back: at shutdown, or a stray.
    Release {
        job: usize,
        epoch: u8,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Leadership {
    /// The row of `leaders`.
    pub(crate) term: u8,
    /// The term that each believes to be its own; 0 for none.
    pub(crate) believes: [u8; 2],
    /// The rescue that each has an open transaction for.
    pub(crate) rescuing: [Option<Rescue>; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Rescue {
    pub(crate) from: Worker,
    pub(crate) speed: Speed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Speed {
    /// The lock is free and the beat old. The leader holds the lock until it commits.
    Fast,
    /// The lease is over.
    Slow,
}

impl State {
    pub(crate) fn first(jobs: usize, workers: usize, faults: u8) -> Self {
        State {
            jobs: vec![Job::new(); jobs],
            workers: vec![Process::new(); workers],
            wire: Vec::new(),
            leadership: Leadership { term: 1, believes: [1, 0], rescuing: [None; 2] },
            grace: false,
            faults_left: faults,
        }
    }

    pub(crate) fn worker(&self, worker: Worker) -> &Process {
        &self.workers[worker as usize]
    }

    pub(crate) fn worker_mut(&mut self, worker: Worker) -> &mut Process {
        &mut self.workers[worker as usize]
    }

    pub(crate) fn all_workers(&self) -> impl Iterator<Item = (Worker, &Process)> {
        WORKERS.into_iter().zip(&self.workers)
    }

    pub(crate) fn held_by(&self, worker: Worker) -> impl Iterator<Item = (usize, &Job)> {
        let held = move |(_, job): &(usize, &Job)| job.row == Row::Running { holder: worker };
        self.jobs.iter().enumerate().filter(held)
    }

    pub(crate) fn send(&mut self, from: Worker, what: Request) {
        self.wire.push(Message { from, what, cut_off: false });
        self.wire.sort_unstable();
    }

    /// Workers differ in name only. States that differ only in who is called what are one: of them this is the one whose workers
    /// stand in order. It saves half of the states of two workers, and five sixths of those of three.
    pub(crate) fn with_workers_in_order(mut self) -> Self {
        let mut order: Vec<Worker> = self.all_workers().map(|(worker, _)| worker).collect();
        order.sort_by_key(|worker| self.all_that_speaks_of(*worker));
        if order.is_sorted() {
            return self;
        }
        let named = |old: Worker| WORKERS[order.iter().position(|worker| *worker == old).unwrap_or_default()];
        for job in &mut self.jobs {
            if let Row::Running { holder } = &mut job.row {
                *holder = named(*holder);
            }
        }
        self.wire.iter_mut().for_each(|message| message.from = named(message.from));
        self.wire.sort_unstable();
        self.leadership.rescuing.iter_mut().flatten().for_each(|rescue| rescue.from = named(rescue.from));
        self.workers = order.iter().map(|worker| self.worker(*worker).clone()).collect();
        self
    }

    /// Two workers of whom this is the same can change places, and nothing changes.
    fn all_that_speaks_of(&self, worker: Worker) -> impl Ord {
        let held: Vec<usize> = self.held_by(worker).map(|(job, _)| job).collect();
        let sent = self.wire.iter().filter(|message| message.from == worker);
        let sent: Vec<(Request, bool)> = sent.map(|message| (message.what, message.cut_off)).collect();
        let rescuing = self.leadership.rescuing.map(|rescue| rescue.filter(|r| r.from == worker).map(|r| r.speed));
        (self.worker(worker), held, sent, rescuing)
    }

    /// Whether a leader's open transaction holds the lock of a worker.
    pub(crate) fn lock_is_taken_by_a_leader(&self, worker: Worker) -> bool {
        self.leadership.rescuing.contains(&Some(Rescue { from: worker, speed: Speed::Fast }))
    }
}

impl Job {
    pub(crate) fn new() -> Self {
        Job {
            row: Row::Ready,
            epoch: 0,
            attempt: 0,
            rescues: 0,
            canceled: false,
            begun: false,
            ended: 0,
            handed_out: 0,
        }
    }
}

impl Process {
    pub(crate) fn new() -> Self {
        Process {
            life: Life::Up,
            leaving: false,
            session: true,
            beat: Beat::Young,
            out_of_touch: false,
            claim: Claim::Idle,
            hands: Vec::new(),
        }
    }

    pub(crate) fn put_down(&mut self, job: usize, epoch: u8) {
        self.hands.retain(|hand| (hand.job, hand.epoch) != (job, epoch));
    }

    pub(crate) fn set_phase(&mut self, job: usize, epoch: u8, phase: Phase) {
        if let Some(hand) = self.hands.iter_mut().find(|hand| (hand.job, hand.epoch) == (job, epoch)) {
            hand.phase = phase;
        }
    }
}
