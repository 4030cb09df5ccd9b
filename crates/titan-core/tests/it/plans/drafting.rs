//! Of a project one draft is made at a time, whoever orders it and however.

use diesel::Connection as _;
use titan_core::Error;
use titan_core::engine::{Applied, CancelRun, Execute, Outcome, Submission, Transition, apply_one};
use titan_core::plans;
use titan_core::queue::{Claim, claim};

use crate::support::{Bench, fence, somebody_waits};

fn order(bench: &Bench) -> Transition {
    Submission { task: plans::draft_of(bench.project, "A page", None), key: None, trace_id: None }.into()
}

fn fail(bench: &mut Bench) {
    let job = claim(&mut bench.connection, &Claim::simple(bench.worker, vec!["plan".to_owned()], 1)).unwrap().remove(0);
    bench.finish(fence(&job), Outcome::Fail { error: "no".to_owned() }).unwrap();
}

#[test]
fn a_second_draft_is_refused_however_it_is_ordered() {
    let mut bench = Bench::new();
    let ordered = order(&bench);
    let Applied::Submitted(first) = bench.apply(ordered.clone()).unwrap() else { panic!() };
    let refused = bench.apply(ordered.clone()).unwrap_err();
    assert!(matches!(&refused, Error::Conflict(why) if why.contains(&first.run_id.unwrap().to_string())), "{refused}");
    fail(&mut bench);
    let Applied::Submitted(second) = bench.apply(ordered.clone()).unwrap() else { panic!() };
    let older = || Execute { task_id: first.task_id, trace_id: None }.into();
    assert!(matches!(bench.apply(older()), Err(Error::Conflict(_))));
    bench.apply(CancelRun { run_id: second.run_id.unwrap(), reason: "asked".to_owned() }.into()).unwrap();
    assert!(bench.apply(older()).is_ok());
    // Asked for again while it is under way, it is the same.
    assert!(matches!(bench.apply(older()), Ok(Applied::Executed(executed)) if !executed.created));
    assert!(matches!(bench.apply(ordered), Err(Error::Conflict(_))));
}

#[test]
fn of_two_that_order_at_once_the_second_is_refused() {
    let mut bench = Bench::new();
    let (one, other) = (order(&bench), order(&bench));
    let mut session = bench.test.connect();
    let second = bench.connection.transaction(|connection| {
        apply_one(connection, one)?;
        let second = std::thread::spawn(move || apply_one(&mut session, other));
        somebody_waits(&bench.test);
        Ok::<_, Error>(second)
    });
    assert!(matches!(second.unwrap().join().unwrap(), Err(Error::Conflict(_))));
    assert_eq!(bench.test.count("SELECT count(*) FROM tasks WHERE type = 'plan'"), 1);
}
