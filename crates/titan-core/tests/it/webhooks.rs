//! News of a forge: who is woken by them, how soon and how often; and who is not, whatever is said.

use std::time::Duration;

use chrono::Utc;
use serde_json::json;
use titan_core::engine::{Fence, Outcome, Wake};
use titan_core::ids::Uuid;
use titan_core::ops::webhooks::{self, NewDelivery, News, Received, Source, Topic};
use titan_core::queue::maintenance::{Kept, forget};
use titan_core::state::WaitingOn;

use crate::ops_rollouts::{COMMIT, TREE, at_the_canary, done, next, proposal, propose};
use crate::support::Bench;

const HOUR: Duration = Duration::from_secs(3600);

/// Brings a proposal to its tests, which wait for the forge's checks.
fn at_the_tests(bench: &mut Bench) -> Fence {
    for output in [json!({"tree": TREE}), json!({"commit": COMMIT})] {
        let fence = next(bench);
        bench.finish(fence, done(output)).unwrap();
    }
    next(bench)
}

fn sleeps(bench: &mut Bench, fence: Fence, on: WaitingOn) {
    let since = Utc::now() - Duration::from_secs(60);
    bench.finish(fence, Outcome::Wait { on, reason: "it has to".to_owned(), since, look_again: Some(HOUR) }).unwrap();
}

fn of_branch(topic: Topic, id: Uuid) -> News {
    News { topic, proposals: vec![id], commits: Vec::new() }
}

fn delivery(number: u16) -> NewDelivery {
    let mut digest = [0; 32];
    digest[..2].copy_from_slice(&number.to_be_bytes());
    NewDelivery { source: Source::GitHub, id: format!("delivery-{number}"), event: "check_run".to_owned(), digest }
}

fn receive(bench: &mut Bench, number: u16, news: &News) -> Received {
    webhooks::receive(&mut bench.connection, &delivery(number), news).unwrap().0
}

/// Seconds until the job looks.
fn looks_in(bench: &Bench, fence: Fence) -> i64 {
    let sql = "SELECT ceil(extract(epoch FROM run_at - now()))::bigint FROM jobs WHERE state = 'scheduled' AND id = ";
    bench.test.count(&format!("{sql}{}", fence.job_id))
}

fn looks_again(bench: &Bench) -> i64 {
    bench.test.count("SELECT count(*) FROM run_events WHERE kind = 'step.woken'")
}

#[test]
fn who_waits_for_the_forge_looks_soon_and_once() {
    let mut bench = Bench::new();
    let id = propose(&mut bench, "First").id;
    let stage = at_the_tests(&mut bench);
    sleeps(&mut bench, stage, WaitingOn::Event);
    assert!(looks_in(&bench, stage) > 3500);
    let checks = of_branch(Topic::Checks, id);
    assert_eq!(receive(&mut bench, 1, &checks), Received::Told(vec![id]));
    assert!(looks_in(&bench, stage) <= 1);
    // It goes on waiting until then.
    let run = bench.run(stage.run_id);
    assert_eq!(run.waiting_on, Some(WaitingOn::Event));
    assert!(run.waiting_until.unwrap() <= Utc::now() + Duration::from_secs(2), "{:?}", run.waiting_until);

    // The same once more, under another number too; and others at the same time.
    assert_eq!(receive(&mut bench, 1, &checks), Received::Before);
    let renumbered = NewDelivery { id: "another".to_owned(), ..delivery(1) };
    assert_eq!(webhooks::receive(&mut bench.connection, &renumbered, &checks).unwrap().0, Received::Before);
    let other_body = NewDelivery { digest: [7; 32], ..delivery(1) };
    assert_eq!(webhooks::receive(&mut bench.connection, &other_body, &checks).unwrap().0, Received::Before);
    for number in 2..6 {
        assert_eq!(receive(&mut bench, number, &of_branch(Topic::Branch, id)), Received::Told(vec![id]));
    }
    assert_eq!(looks_again(&bench), 1);

    // While it looks nobody is asleep, and it sleeps again as it says.
    bench.skip_waiting();
    let stage = next(&mut bench);
    receive(&mut bench, 6, &checks);
    sleeps(&mut bench, stage, WaitingOn::Event);
    assert!(looks_in(&bench, stage) > 3500);
    assert!(webhooks::overslept(&mut bench.connection).unwrap().is_empty(), "it looks again by itself");
    receive(&mut bench, 7, &News { topic: Topic::Checks, proposals: Vec::new(), commits: vec![COMMIT.to_owned()] });
    assert!(looks_in(&bench, stage) <= 1, "by its commit");
    assert_eq!(looks_again(&bench), 2);
}

#[test]
fn many_are_gathered_for_longer() {
    let mut bench = Bench::new();
    let id = propose(&mut bench, "First").id;
    let stage = at_the_tests(&mut bench);
    sleeps(&mut bench, stage, WaitingOn::Event);
    for number in 0..120 {
        receive(&mut bench, number, &of_branch(Topic::Checks, id));
    }
    assert!(looks_in(&bench, stage) <= 1, "nobody puts off what was promised");
    assert_eq!(looks_again(&bench), 1);
    bench.skip_waiting();
    let stage = next(&mut bench);
    sleeps(&mut bench, stage, WaitingOn::Event);
    receive(&mut bench, 120, &of_branch(Topic::Checks, id));
    assert!((11..=12).contains(&looks_in(&bench, stage)), "{}", looks_in(&bench, stage));
}

#[test]
fn who_would_look_sooner_anyway_is_left_alone() {
    let mut bench = Bench::new();
    let id = propose(&mut bench, "First").id;
    let stage = at_the_tests(&mut bench);
    let (on, reason, since) = (WaitingOn::Event, "it has to".to_owned(), Utc::now());
    let look_again = Some(Duration::from_millis(900));
    bench.finish(stage, Outcome::Wait { on, reason, since, look_again }).unwrap();
    receive(&mut bench, 1, &of_branch(Topic::Checks, id));
    assert_eq!((looks_again(&bench), looks_in(&bench, stage)), (0, 1));
}

#[test]
fn what_failed_and_what_a_limit_forbids_is_slept_out() {
    for outcome in [
        Outcome::Retry { error: "the forge is in trouble".to_owned(), after: Some(HOUR) },
        Outcome::Snooze { after: HOUR, reason: "the forge asks to be left alone".to_owned() },
    ] {
        let mut bench = Bench::new();
        let id = propose(&mut bench, "First").id;
        let stage = at_the_tests(&mut bench);
        bench.finish(stage, outcome).unwrap();
        let before = looks_in(&bench, stage);
        for (number, topic) in [(1, Topic::Checks), (2, Topic::Branch)] {
            assert_eq!(receive(&mut bench, number, &of_branch(topic, id)), Received::Told(vec![id]));
        }
        assert!(before > 60 && looks_in(&bench, stage) >= before - 2);
        assert_eq!(looks_again(&bench), 0);
    }
}

#[test]
fn a_question_stands_while_its_branch_is_looked_at() {
    let mut bench = Bench::new();
    let id = propose(&mut bench, "First").id;
    let stage = at_the_canary(&mut bench);
    sleeps(&mut bench, stage, WaitingOn::Approval);
    receive(&mut bench, 1, &of_branch(Topic::Checks, id));
    assert!(looks_in(&bench, stage) > 3500, "no check decides for a person");
    receive(&mut bench, 2, &of_branch(Topic::Branch, id));
    assert!(looks_in(&bench, stage) <= 1);
    assert!(proposal(&mut bench, id).asks.is_some());
    // A person does not wait for that.
    bench.apply(Wake::for_person(stage.run_id, WaitingOn::Approval).into()).unwrap();
    assert!(proposal(&mut bench, id).asks.is_none());
    bench.skip_waiting();

    // It comes while somebody looks already: then the leader sees to it, once.
    let stage = next(&mut bench);
    receive(&mut bench, 3, &of_branch(Topic::Branch, id));
    sleeps(&mut bench, stage, WaitingOn::Approval);
    assert!(looks_in(&bench, stage) > 3500);
    for _ in 0..2 {
        let wakes = webhooks::overslept(&mut bench.connection).unwrap();
        assert_eq!(
            wakes.iter().map(|wake| (wake.run_id, wake.on)).collect::<Vec<_>>(),
            [(stage.run_id, WaitingOn::Approval)]
        );
        bench.apply(wakes[0].into()).unwrap();
    }
    assert!(looks_in(&bench, stage) <= 1);
    assert_eq!(looks_again(&bench), 3);
    bench.skip_waiting();
    let stage = next(&mut bench);
    let (on, reason, since) = (WaitingOn::Approval, "still".to_owned(), Utc::now());
    bench.finish(stage, Outcome::Wait { on, reason, since, look_again: None }).unwrap();
    assert!(webhooks::overslept(&mut bench.connection).unwrap().is_empty());
}

#[test]
fn one_delivery_may_be_about_several() {
    let mut bench = Bench::new();
    let first = propose(&mut bench, "First").id;
    let ours = at_the_tests(&mut bench);
    sleeps(&mut bench, ours, WaitingOn::Event);
    let second = propose(&mut bench, "Second").id;
    let theirs = at_the_tests(&mut bench);
    sleeps(&mut bench, theirs, WaitingOn::Event);
    let commit = News { topic: Topic::Checks, proposals: vec![second], commits: vec![COMMIT.to_owned()] };
    assert_eq!(receive(&mut bench, 1, &commit), Received::Told(vec![first, second]));
    assert!(looks_in(&bench, ours) <= 1 && looks_in(&bench, theirs) <= 1);
    assert_eq!(looks_again(&bench), 2);
}

#[test]
fn only_proposals_under_way_are_told_and_deliveries_are_forgotten() {
    let mut bench = Bench::new();
    let first = propose(&mut bench, "First").id;
    let stage = at_the_tests(&mut bench);
    let second = propose(&mut bench, "Second").id;
    let theirs = at_the_tests(&mut bench);
    sleeps(&mut bench, theirs, WaitingOn::Event);
    bench.finish(stage, Outcome::Fail { error: "a test failed".to_owned() }).unwrap();
    let unknown: Uuid = "01900000-0000-7000-8000-000000000000".parse().unwrap();
    for id in [first, unknown] {
        assert_eq!(receive(&mut bench, 1, &of_branch(Topic::Branch, id)), Received::Nobody);
    }
    assert_eq!(bench.test.count("SELECT count(*) FROM webhook_deliveries"), 0);
    assert!(looks_in(&bench, theirs) > 3500);
    // Of a commit that both have come to, whoever is left.
    let commit = News { topic: Topic::Checks, proposals: vec![first, unknown], commits: vec![COMMIT.to_owned()] };
    assert_eq!(receive(&mut bench, 1, &commit), Received::Told(vec![second]));

    assert_eq!(forget(&mut bench.connection, Kept::WebhookDeliveries).unwrap(), 0);
    bench.test.execute("UPDATE webhook_deliveries SET received_at = now() - interval '8 days'");
    assert_eq!(forget(&mut bench.connection, Kept::WebhookDeliveries).unwrap(), 1);
}
