//! Short words for what most tests do: a project, a task, a claim, a finish.

use diesel::PgConnection;
use serde_json::json;
use titan_core::blobs::Blobs;
use titan_core::budgets::{Need, Price};
use titan_core::engine::{
    Applied, CallOf, CallState, Done, EndedCall, Fence, Finish, Finished, NewTask, Outcome, Purpose, Reserve, Reserved,
    Start, Started, Submission, Submitted, Transition, Write, apply_one,
};
use titan_core::ids::{self, Uuid};
use titan_core::memories::{Form, Remembered};
use titan_core::projects::{self, NewProject};
use titan_core::queue::{Claim, ClaimedJob, claim};
use titan_core::workers::{self, Registration};
use titan_core::{Result, runs, tasks};
use titan_testkit::db::TestDb;

/// A database with a project and a worker in it.
pub(crate) struct Bench {
    pub(crate) test: TestDb,
    pub(crate) connection: PgConnection,
    pub(crate) project: Uuid,
    pub(crate) worker: Uuid,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let test = TestDb::new();
        let mut connection = test.connect();
        let new = NewProject { name: "Test".to_owned(), project_type: None, template_ref: None, spec: None };
        let project = projects::create(&mut connection, &new, None).unwrap().0.id;
        let worker = add_worker(&mut connection);
        Bench { test, connection, project, worker }
    }

    /// The store of blobs, all of it in Postgres.
    pub(crate) fn blobs(&self) -> Blobs {
        Blobs::in_postgres(self.test.db.clone())
    }

    pub(crate) fn submission(&self, content: &str) -> Submission {
        submission(self.project, content)
    }

    pub(crate) fn submit(&mut self, content: &str) -> Submitted {
        let submission = self.submission(content);
        match self.apply(submission.into()).unwrap() {
            Applied::Submitted(submitted) => submitted,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn apply(&mut self, transition: Transition) -> Result<Applied> {
        apply_one(&mut self.connection, transition).map(|(applied, _)| applied)
    }

    pub(crate) fn claim_as(&mut self, worker: Uuid, limit: usize) -> Vec<ClaimedJob> {
        let kinds = vec!["chat".to_owned(), "remember".to_owned()];
        claim(&mut self.connection, &Claim::simple(worker, kinds, limit)).unwrap()
    }

    /// Claims exactly one job.
    pub(crate) fn claim(&mut self) -> Fence {
        let jobs = self.claim_as(self.worker, 10);
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        fence(&jobs[0])
    }

    pub(crate) fn start(&mut self, fence: Fence) -> Result<Started> {
        match self.apply(Start { fence }.into())? {
            Applied::Started(started) => Ok(*started),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn finish(&mut self, fence: Fence, outcome: Outcome) -> Result<Finished> {
        self.finish_with(fence, Vec::new(), outcome)
    }

    /// Asks for a call of ten tokens in and at most a hundred out, at a dollar for a million tokens.
    pub(crate) fn try_reserve(&mut self, fence: Fence) -> Result<(CallOf, Reserved)> {
        let call = call_of("fake");
        let price = Some(Price { input: 1_000_000, output: 1_000_000, cached_input: 1_000_000 });
        let need = Need { input_tokens: 10, output_tokens: 100, least_output_tokens: 20, price };
        match self.apply(Reserve { fence, call: call.clone(), need, events: Vec::new() }.into())? {
            Applied::Reserved(reserved) => Ok((call, reserved)),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn reserve(&mut self, fence: Fence) -> (CallOf, Reserved) {
        self.try_reserve(fence).unwrap()
    }

    pub(crate) fn finish_with(&mut self, fence: Fence, calls: Vec<EndedCall>, outcome: Outcome) -> Result<Finished> {
        match self.apply(Finish { fence, events: Vec::new(), calls, outcome, go_on: None }.into())? {
            Applied::Finished(finished) => Ok(finished),
            other => panic!("{other:?}"),
        }
    }

    /// Claims, starts and finishes the next job.
    pub(crate) fn work(&mut self, outcome: Outcome) -> Finished {
        let fence = self.claim();
        self.start(fence).unwrap();
        self.finish(fence, outcome).unwrap()
    }

    /// Makes whatever is scheduled due and ready.
    pub(crate) fn skip_waiting(&mut self) {
        self.test.execute("UPDATE jobs SET run_at = now() WHERE state = 'scheduled'");
        titan_core::queue::promote(&mut self.connection).unwrap();
    }

    pub(crate) fn run(&mut self, id: Uuid) -> runs::Run {
        runs::get(&mut self.connection, id).unwrap()
    }

    pub(crate) fn task(&mut self, id: Uuid) -> tasks::Task {
        tasks::get(&mut self.connection, id).unwrap()
    }
}

pub(crate) fn add_worker(connection: &mut PgConnection) -> Uuid {
    let id = ids::new();
    let registration = Registration {
        id,
        name: "w".to_owned(),
        host: "h".to_owned(),
        pid: 1,
        version: "0".to_owned(),
        kinds: vec!["chat".to_owned(), "remember".to_owned()],
        slots: 4,
        lease_ms: 15_000,
        sandbox: None,
    };
    workers::register(connection, &registration).unwrap();
    id
}

pub(crate) fn submission(project_id: Uuid, content: &str) -> Submission {
    let task = NewTask {
        project_id,
        task_type: "chat".to_owned(),
        title: None,
        payload: json!({"content": content}),
        execution_type: None,
        priority: 0,
        max_retries: None,
        queue: None,
        limit_key: None,
        run_at: None,
    };
    Submission { task, key: None, trace_id: None }
}

pub(crate) fn fence(job: &ClaimedJob) -> Fence {
    Fence { job_id: job.id, epoch: job.epoch, run_id: job.run_id.unwrap(), step: job.step.unwrap() }
}

pub(crate) fn call_of(provider: &str) -> CallOf {
    CallOf {
        id: ids::new(),
        purpose: Purpose::Answer,
        provider: provider.to_owned(),
        model: "m".to_owned(),
        fallback: 0,
    }
}

/// A call that was answered, at a dollar for a million tokens.
pub(crate) fn ended(call: CallOf, reserved: bool, input_tokens: i64, output_tokens: i64) -> EndedCall {
    EndedCall {
        call,
        reserved,
        state: CallState::Answered,
        error: None,
        input_tokens,
        cached_tokens: 0,
        output_tokens,
        estimated: false,
        cost_micros: Some(input_tokens + output_tokens),
        finish_reason: Some("stop".to_owned()),
        first_token_ms: Some(5),
        duration_ms: 9,
    }
}

/// The outcome of a good answer.
pub(crate) fn answered(text: &str) -> Outcome {
    let output = Write::Output {
        name: "Answer".to_owned(),
        kind: "text",
        media_type: "text/markdown".to_owned(),
        content: text.as_bytes().to_vec().into(),
    };
    let writes = vec![Write::Answer { content: text.to_owned() }, output];
    Outcome::Done(Done { output: json!({"answer": text}), writes })
}

pub(crate) fn remembered(text: &str) -> Outcome {
    let writes = Remembered::new(text, Form::Record, 0.8).map(Write::Memory).into_iter().collect();
    Outcome::Done(Done { writes, ..Done::default() })
}

/// Waits until somebody waits for a lock in this database.
pub(crate) fn somebody_waits(test: &TestDb) {
    titan_testkit::wait::until_blocking("a session that waits for a lock", || {
        let waiting = test.count(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        );
        (waiting > 0).then_some(())
    });
}
