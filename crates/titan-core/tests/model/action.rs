//! Everything that can happen, one step at a time. A counterexample is a list of these.

use crate::explore::Model;
use crate::protocol::Protocol;
use crate::rules::Step;
use crate::state::{Answer, Leader, Message, Outcome, Request, Speed, State, Worker, Write};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    // What workers do.
    SendsClaim(Worker),
    TakesInHand {
        worker: Worker,
        job: usize,
        epoch: u8,
    },
    SendsStart {
        worker: Worker,
        job: usize,
        epoch: u8,
    },
    SendsFinish {
        worker: Worker,
        job: usize,
        epoch: u8,
        outcome: Outcome,
    },
    /// Asks for the status of a transaction whose answer was lost.
    Learns {
        worker: Worker,
        job: usize,
        epoch: u8,
        answer: Answer,
    },
    Resends {
        worker: Worker,
        job: usize,
        epoch: u8,
        write: Write,
    },
    Beats(Worker),
    HandsBack {
        worker: Worker,
        job: usize,
        epoch: u8,
    },
    Exits(Worker),

    // What Postgres does with the requests that reach it.
    ClaimCommits {
        worker: Worker,
        job: usize,
        epoch: u8,
    },
    ClaimFindsNothing(Worker),
    /// Only where the fence does not lock the row.
    FenceIsRead {
        worker: Worker,
        job: usize,
        epoch: u8,
        write: Write,
    },
    WriteCommits {
        worker: Worker,
        job: usize,
        epoch: u8,
        write: Write,
        answer: Answer,
    },
    ReleaseCommits {
        worker: Worker,
        job: usize,
        epoch: u8,
        released: bool,
    },
    RequestDies(Message),

    // What leaders do.
    BeginsRescue {
        leader: Leader,
        from: Worker,
        speed: Speed,
    },
    RescueCommits {
        leader: Leader,
        from: Worker,
        speed: Speed,
    },
    RescueDies {
        leader: Leader,
        from: Worker,
    },
    IsRefusedByTerm(Leader),
    ForcesCancel {
        job: usize,
    },

    // Time, and what mends.
    TimePassesFor(Worker),
    Reconnects(Worker),
    Continues(Worker),
    StartsAnew(Worker),
    GraceEnds,

    // Faults, and what people do.
    Crashes(Worker),
    IsStopped(Worker),
    LosesConnection(Worker),
    BeatsLate(Worker),
    AnswerIsLost(Message),
    GivesUpAsking {
        worker: Worker,
        job: usize,
        epoch: u8,
    },
    PostgresRestarts,
    TakesOver(Leader),
    RescuesOverdue {
        leader: Leader,
        job: usize,
    },
    PersonCancels {
        job: usize,
    },
    IsToldToShutDown(Worker),
}

impl Action {
    /// What nobody may count on.
    pub(crate) fn is_fault(&self) -> bool {
        matches!(
            self,
            Action::Crashes(_)
                | Action::IsStopped(_)
                | Action::LosesConnection(_)
                | Action::BeatsLate(_)
                | Action::AnswerIsLost(_)
                | Action::GivesUpAsking { .. }
                | Action::PostgresRestarts
                | Action::TakesOver(_)
                | Action::RescuesOverdue { .. }
                | Action::PersonCancels { .. }
                | Action::IsToldToShutDown(_)
        )
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Action::SendsClaim(_) => "sends claim",
            Action::TakesInHand { .. } => "takes in hand",
            Action::SendsStart { .. } => "sends start",
            Action::SendsFinish { .. } => "sends finish",
            Action::Learns { answer: Answer::Aborted, .. } => "learns that it was aborted",
            Action::Learns { .. } => "learns that it was committed",
            Action::Resends { .. } => "resends",
            Action::Beats(_) => "beats",
            Action::HandsBack { .. } => "hands back",
            Action::Exits(_) => "exits",
            Action::ClaimCommits { .. } => "claim commits",
            Action::ClaimFindsNothing(_) => "claim finds nothing",
            Action::FenceIsRead { .. } => "fence is read",
            Action::WriteCommits { write: Write::Start, answer: Answer::Accepted, .. } => "start accepted",
            Action::WriteCommits { write: Write::Start, .. } => "start refused",
            Action::WriteCommits { answer: Answer::Accepted, .. } => "finish accepted",
            Action::WriteCommits { .. } => "finish refused",
            Action::ReleaseCommits { released: true, .. } => "release accepted",
            Action::ReleaseCommits { .. } => "release refused",
            Action::RequestDies(Message { what: Request::Claim, .. }) => "claim dies",
            Action::RequestDies(_) => "write dies",
            Action::BeginsRescue { .. } => "begins rescue",
            Action::RescueCommits { speed: Speed::Fast, .. } => "fast rescue",
            Action::RescueCommits { .. } => "slow rescue",
            Action::RescueDies { .. } => "rescue dies",
            Action::IsRefusedByTerm(_) => "stale leader refused",
            Action::ForcesCancel { .. } => "forced cancel",
            Action::TimePassesFor(_) => "time passes",
            Action::Reconnects(_) => "reconnects",
            Action::Continues(_) => "continues",
            Action::StartsAnew(_) => "starts anew",
            Action::GraceEnds => "grace ends",
            Action::Crashes(_) => "crash",
            Action::IsStopped(_) => "stop",
            Action::LosesConnection(_) => "connection lost",
            Action::BeatsLate(_) => "late beat",
            Action::AnswerIsLost(_) => "answer lost",
            Action::GivesUpAsking { .. } => "gives up asking",
            Action::PostgresRestarts => "restart of Postgres",
            Action::TakesOver(_) => "new leader",
            Action::RescuesOverdue { .. } => "overdue rescue",
            Action::PersonCancels { .. } => "cancel",
            Action::IsToldToShutDown(_) => "shutdown",
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn first(&self) -> State {
        State::first(self.jobs, self.workers, self.faults)
    }

    fn next(&self, state: &State) -> Vec<(Action, State)> {
        let mut next = Vec::new();
        self.requests(state, &mut next);
        if !state.all_ended() {
            self.work(state, &mut next);
            self.lead(state, &mut next);
            self.mend(state, &mut next);
            if state.faults_left > 0 {
                let mut faults = Vec::new();
                self.fail(state, &mut faults);
                next.extend(faults.into_iter().filter(|(action, _)| (self.may_fail)(action)));
            }
        }
        next
    }

    fn canonical(&self, state: State) -> State {
        if self.names_matter { state } else { state.with_workers_in_order() }
    }

    fn broken(&self, before: &State, action: &Action, after: &State) -> Option<&'static str> {
        Step { protocol: self, before, action: *action, after }.breaks()
    }

    fn ended(&self, state: &State) -> bool {
        state.all_ended()
    }

    /// A stopped or dead worker is not counted on to come back while another one is up.
    fn happens(&self, state: &State, action: &Action) -> bool {
        match action {
            Action::Continues(_) | Action::StartsAnew(_) => !state.anyone_is_up(),
            action => !action.is_fault(),
        }
    }

    fn name(&self, action: &Action) -> &'static str {
        action.name()
    }
}
