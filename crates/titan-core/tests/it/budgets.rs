//! Budgets: no call without a reservation, none beyond a limit, and every call counted once, whatever happens to its worker.

use titan_core::budgets::{self, Period, Rule, Scope, Spending};
use titan_core::engine::{Applied, Transition};
use titan_core::engine::{CancelRun, Canceled, Outcome, Reserved, Wake};
use titan_core::ids::Uuid;
use titan_core::state::{RunStatus, WaitingOn};
use titan_core::{Error, calls};

use crate::support::{Bench, answered, ended, fence};

fn rule(calls: Option<i64>, tokens: Option<i64>, cost: Option<f64>) -> Rule {
    Rule { calls, tokens, cost, period: Period::Total }
}

fn limit(bench: &mut Bench, rule: &Rule) -> Spending {
    budgets::set(&mut bench.connection, Scope::Project, bench.project, rule).unwrap();
    spending(bench)
}

fn spending(bench: &mut Bench) -> Spending {
    budgets::get(&mut bench.connection, Scope::Project, bench.project).unwrap()
}

fn granted(reserved: &Reserved) -> Option<i64> {
    match reserved {
        Reserved::Granted { output_tokens } => *output_tokens,
        other => panic!("{other:?}"),
    }
}

fn refused(reserved: &Reserved) -> (bool, &str) {
    match reserved {
        Reserved::Refused(refusal) => (refusal.soon, &refusal.reason),
        other => panic!("{other:?}"),
    }
}

/// What a step does that was refused.
fn waits(reserved: &Reserved) -> Outcome {
    match reserved {
        Reserved::Refused(refusal) => {
            Outcome::Wait { on: WaitingOn::Budget, reason: refusal.reason.clone(), since: refusal.at, look_again: None }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn fifty_runs_against_ten_calls_make_exactly_ten() {
    let mut bench = Bench::new();
    limit(&mut bench, &rule(Some(10), None, None));
    (0..50).for_each(|n| drop(bench.submit(&format!("Question {n}"))));
    let fences: Vec<_> = bench.claim_as(bench.worker, 50).iter().map(fence).collect();
    let asked: Vec<_> = fences.iter().map(|fence| (*fence, bench.reserve(*fence))).collect();
    let (made, not): (Vec<_>, Vec<_>) =
        asked.into_iter().partition(|(_, (_, reserved))| matches!(reserved, Reserved::Granted { .. }));
    assert_eq!((made.len(), not.len()), (10, 40));
    // While they are under way they might still leave something: it is worth asking again.
    assert!(not.iter().all(|(_, (_, reserved))| refused(reserved).0));
    for (fence, (call, _)) in made {
        bench.finish_with(fence, vec![ended(call, true, 10, 5)], answered("hi")).unwrap();
    }
    let (_, reserved) = bench.reserve(not[0].0);
    assert_eq!(refused(&reserved), (false, "the budget of the project is used up: 10 of 10 calls are made"));
    let spending = spending(&mut bench);
    let budget = spending.budget.unwrap();
    assert_eq!((budget.spent.calls, budget.reserved.calls, budget.left.calls), (10, 0, Some(0)));
    assert_eq!((spending.spent.calls, spending.spent.tokens), (10, 150));
}

#[test]
fn the_whole_tree_is_asked_and_the_answer_is_as_long_as_the_tightest_allows() {
    let mut bench = Bench::new();
    let run = bench.submit("Hello").run_id.unwrap();
    let held = bench.claim();
    limit(&mut bench, &rule(None, Some(1000), None));
    budgets::set(&mut bench.connection, Scope::Run, run, &rule(None, Some(60), None)).unwrap();
    let (call, reserved) = bench.reserve(held);
    assert_eq!(granted(&reserved), Some(50));
    let open = budgets::get(&mut bench.connection, Scope::Run, run).unwrap().budget.unwrap();
    assert_eq!((open.reserved.tokens, open.left.tokens), (60, Some(0)));
    bench.finish_with(held, vec![ended(call, true, 12, 8)], answered("hi")).unwrap();
    for (scope, id) in [(Scope::Run, run), (Scope::Project, bench.project)] {
        let budget = budgets::get(&mut bench.connection, scope, id).unwrap().budget.unwrap();
        assert_eq!((budget.spent.tokens, budget.reserved.tokens), (20, 0), "{scope}");
    }
    // The sums of the run are those of its calls.
    let usage = bench.run(run).usage;
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cost), (12, 8, Some(0.00002)));
    let page = calls::of_run(&mut bench.connection, run, None, None).unwrap();
    assert_eq!(
        page.items.iter().map(|call| (call.state.as_str(), call.cost)).collect::<Vec<_>>(),
        [("answered", Some(0.00002))]
    );
}

#[test]
fn a_call_whose_worker_was_lost_counts_with_all_that_was_reserved() {
    let mut bench = Bench::new();
    let run = bench.submit("Hello").run_id.unwrap();
    limit(&mut bench, &rule(Some(2), None, Some(1.0)));
    let lost = bench.claim();
    bench.reserve(lost);
    bench.test.execute("UPDATE jobs SET state = 'ready', worker_id = NULL, epoch = epoch + 1");
    let held = bench.claim();
    let (call, _) = bench.reserve(held);
    let budget = spending(&mut bench).budget.unwrap();
    assert_eq!((budget.spent.calls, budget.reserved.calls, budget.left.calls), (1, 1, Some(0)));
    assert!((budget.spent.cost - 0.00011).abs() < 1e-9, "{}", budget.spent.cost);
    bench.finish_with(held, vec![ended(call, true, 10, 1)], answered("hi")).unwrap();
    let page = calls::of_run(&mut bench.connection, run, None, None).unwrap();
    assert_eq!(page.items.iter().map(|call| call.state.as_str()).collect::<Vec<_>>(), ["lost", "answered"]);
    // Its own worker, should it come back, changes nothing any more.
    assert!(matches!(bench.finish_with(lost, Vec::new(), answered("late")), Err(Error::Fenced { .. })));
}

#[test]
fn a_run_that_is_canceled_leaves_no_call_open() {
    let mut bench = Bench::new();
    let run = bench.submit("Hello").run_id.unwrap();
    limit(&mut bench, &rule(Some(2), None, None));
    let held = bench.claim();
    bench.reserve(held);
    let cancel = Transition::CancelRun(CancelRun { run_id: run, reason: "enough".to_owned() });
    assert!(matches!(bench.apply(cancel).unwrap(), Applied::Canceled(Canceled::Requested)));
    // No further call for a run that is to stop.
    assert_eq!(bench.reserve(held).1, Reserved::Stop);
    bench.finish(held, Outcome::Cancel { reason: "told to stop".to_owned() }).unwrap();
    let budget = spending(&mut bench).budget.unwrap();
    assert_eq!((budget.spent.calls, budget.reserved.calls), (1, 0));
    assert_eq!(bench.test.count("SELECT count(*) FROM runs WHERE open_calls <> 0"), 0);
    assert_eq!(bench.test.count("SELECT count(*) FROM model_calls WHERE state = 'open'"), 0);
}

#[test]
fn a_budget_that_is_set_later_counts_what_was_spent_and_what_is_under_way() {
    let mut bench = Bench::new();
    bench.submit("One");
    let first = bench.claim();
    let (call, _) = bench.reserve(first);
    bench.finish_with(first, vec![ended(call, true, 10, 5)], answered("hi")).unwrap();
    bench.test.execute("DELETE FROM jobs");
    bench.submit("Two");
    let second = bench.claim();
    let (call, _) = bench.reserve(second);
    let budget = limit(&mut bench, &rule(Some(2), None, None)).budget.unwrap();
    assert_eq!((budget.spent.calls, budget.reserved.calls, budget.left.calls), (1, 1, Some(0)));
    bench.finish_with(second, vec![ended(call, true, 10, 5)], answered("hi")).unwrap();
    let budget = spending(&mut bench).budget.unwrap();
    assert_eq!((budget.spent.calls, budget.spent.tokens, budget.reserved.calls), (2, 30, 0));
}

#[test]
fn a_step_waits_for_its_budget_without_a_slot_and_looks_again_when_it_is_raised() {
    let mut bench = Bench::new();
    let run = bench.submit("Hello").run_id.unwrap();
    limit(&mut bench, &rule(Some(0), None, None));
    let held = bench.claim();
    let (_, reserved) = bench.reserve(held);
    let reason = refused(&reserved).1.to_owned();
    bench.finish(held, waits(&reserved)).unwrap();
    let waiting = bench.run(run);
    assert_eq!((waiting.status, waiting.waiting_on), (RunStatus::Running, Some(WaitingOn::Budget)));
    assert_eq!((waiting.waiting_reason, waiting.waiting_until), (Some(reason), None));
    assert_eq!(spending(&mut bench).waiting_runs, 1);
    assert!(bench.claim_as(bench.worker, 10).is_empty());
    assert_eq!(budgets::overslept(&mut bench.connection).unwrap(), Vec::<Uuid>::new());

    limit(&mut bench, &rule(Some(1), None, None));
    assert_eq!(budgets::overslept(&mut bench.connection).unwrap(), [run]);
    assert!(matches!(bench.apply(Wake::for_budget(run).into()).unwrap(), Applied::Woken(1)));
    assert!(matches!(bench.apply(Wake::for_budget(run).into()).unwrap(), Applied::Woken(0)));
    assert_eq!(bench.run(run).waiting_on, None);
    bench.skip_waiting();
    let held = bench.claim();
    let (call, reserved) = bench.reserve(held);
    assert_eq!(granted(&reserved), None);
    bench.finish_with(held, vec![ended(call, true, 1, 1)], answered("hi")).unwrap();
    // Waiting is no failed attempt.
    let task = bench.run(run).task_id;
    assert_eq!(bench.task(task).retry_count, 0);
}

#[test]
fn a_day_begins_anew_and_wakes_who_waited_since_the_day_before() {
    let mut bench = Bench::new();
    let run = bench.submit("Hello").run_id.unwrap();
    limit(&mut bench, &Rule { period: Period::Day, ..rule(Some(0), None, None) });
    let held = bench.claim();
    let (_, reserved) = bench.reserve(held);
    bench.finish(held, waits(&reserved)).unwrap();
    bench.test.execute(
        "UPDATE budgets SET period_start = period_start - interval '1 day', changed_at = changed_at - interval '2 days', \
         limit_calls = 1, spent_calls = 1",
    );
    assert_eq!(budgets::overslept(&mut bench.connection).unwrap(), Vec::<Uuid>::new());
    bench
        .test
        .execute("UPDATE steps SET waiting_since = waiting_since - interval '1 day' WHERE waiting_on IS NOT NULL");
    assert_eq!(budgets::overslept(&mut bench.connection).unwrap(), [run]);
    assert_eq!(spending(&mut bench).budget.unwrap().spent.calls, 0);
    bench.apply(Wake::for_budget(run).into()).unwrap();
    bench.skip_waiting();
    let held = bench.claim();
    assert_eq!(granted(&bench.reserve(held).1), None);
}

#[test]
fn a_stale_claim_reserves_nothing_and_a_wrong_rule_is_refused_with_what_would_be_right() {
    let mut bench = Bench::new();
    bench.submit("Hello");
    let mut held = bench.claim();
    held.epoch -= 1;
    assert!(matches!(bench.try_reserve(held), Err(Error::Fenced { .. })));
    assert_eq!(bench.test.count("SELECT count(*) FROM model_calls"), 0);
    for (wrong, says) in [
        (rule(None, None, None), "is required"),
        (rule(Some(-1), None, None), "between 0"),
        (rule(None, None, Some(f64::NAN)), "US dollars"),
        (rule(None, None, Some(-0.5)), "US dollars"),
    ] {
        let error = budgets::set(&mut bench.connection, Scope::Project, bench.project, &wrong).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    let nobody = budgets::set(&mut bench.connection, Scope::Run, Uuid::nil(), &rule(Some(1), None, None));
    assert!(matches!(nobody, Err(Error::NotFound("run", _))));
}

#[test]
fn a_budget_that_is_raised_between_the_refusal_and_the_wait_wakes_all_the_same() {
    let mut bench = Bench::new();
    let run = bench.submit("Hello").run_id.unwrap();
    limit(&mut bench, &rule(Some(0), None, None));
    let held = bench.claim();
    let (_, reserved) = bench.reserve(held);
    limit(&mut bench, &rule(Some(1), None, None));
    bench.finish(held, waits(&reserved)).unwrap();
    assert_eq!(budgets::overslept(&mut bench.connection).unwrap(), [run]);
}

#[test]
fn who_waits_for_a_budget_that_is_taken_away_looks_again_also_when_others_are_left() {
    let mut bench = Bench::new();
    let run = bench.submit("Hello").run_id.unwrap();
    budgets::set(&mut bench.connection, Scope::Installation, Uuid::nil(), &rule(Some(100), None, None)).unwrap();
    limit(&mut bench, &rule(Some(0), None, None));
    let held = bench.claim();
    let (_, reserved) = bench.reserve(held);
    bench.finish(held, waits(&reserved)).unwrap();
    assert!(budgets::remove(&mut bench.connection, Scope::Project, bench.project).unwrap());
    assert_eq!(budgets::overslept(&mut bench.connection).unwrap(), [run]);
}

#[test]
fn another_period_counts_what_was_spent_in_it_and_keeps_what_is_reserved() {
    let mut bench = Bench::new();
    bench.submit("One");
    let first = bench.claim();
    let (call, _) = bench.reserve(first);
    bench.finish_with(first, vec![ended(call, true, 10, 5)], answered("hi")).unwrap();
    bench.test.execute("UPDATE model_calls SET created_at = created_at - interval '40 days'");
    bench.test.execute("DELETE FROM jobs");
    limit(&mut bench, &rule(Some(5), None, None));
    bench.submit("Two");
    let second = bench.claim();
    let (call, _) = bench.reserve(second);
    let month = limit(&mut bench, &Rule { period: Period::Month, ..rule(Some(5), None, None) }).budget.unwrap();
    assert_eq!((month.spent.calls, month.reserved.calls), (0, 1));
    bench.finish_with(second, vec![ended(call, true, 10, 5)], answered("hi")).unwrap();
    let month = spending(&mut bench).budget.unwrap();
    assert_eq!((month.spent.calls, month.reserved.calls), (1, 0));
    let total = limit(&mut bench, &rule(Some(5), None, None)).budget.unwrap();
    assert_eq!(total.spent.calls, 2);
}

#[test]
fn usage_that_nobody_can_have_breaks_no_sum() {
    let mut bench = Bench::new();
    limit(&mut bench, &rule(Some(5), None, None));
    for n in 0..2 {
        bench.submit(&format!("Question {n}"));
        let held = bench.claim();
        let (call, _) = bench.reserve(held);
        bench.finish_with(held, vec![ended(call, true, 1 << 40, 1 << 40)], answered("hi")).unwrap();
        bench.test.execute("DELETE FROM jobs");
    }
    assert_eq!(spending(&mut bench).budget.unwrap().spent.tokens, 1 << 42);
}
