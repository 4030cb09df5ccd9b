//! Projects take turns: a flood of one delays the first job of another by a job, not by the flood.

use titan_core::ids::{self, Uuid};
use titan_core::queue::{Claim, NewJob, claim, enqueue};

use crate::support::Bench;

fn jobs(project: Uuid, count: usize) -> Vec<NewJob> {
    (0..count).map(|_| NewJob { project_id: Some(project), ..NewJob::new("test.lone") }).collect()
}

fn order(bench: &mut Bench, count: usize) -> Vec<Uuid> {
    let what = Claim::simple(bench.worker, vec!["test.lone".to_owned()], 1);
    (0..count).map(|_| claim(&mut bench.connection, &what).unwrap()[0].project_id.unwrap()).collect()
}

#[test]
fn the_first_jobs_of_a_quiet_project_are_next_in_spite_of_a_flood() {
    let mut bench = Bench::new();
    let (flood, quiet) = (ids::new(), ids::new());
    enqueue(&mut bench.connection, &jobs(flood, 1000)).unwrap();
    order(&mut bench, 10);
    enqueue(&mut bench.connection, &jobs(quiet, 2)).unwrap();
    let next = order(&mut bench, 6);
    let places: Vec<usize> = (0..6).filter(|place| next[*place] == quiet).collect();
    assert_eq!(places.len(), 2, "{places:?}");
    assert!(places[0] <= 1, "one of the flood may be before it: {places:?}");
}

#[test]
fn two_floods_take_turns() {
    let mut bench = Bench::new();
    let (one, other) = (ids::new(), ids::new());
    enqueue(&mut bench.connection, &jobs(one, 200)).unwrap();
    enqueue(&mut bench.connection, &jobs(other, 200)).unwrap();
    let first = order(&mut bench, 100);
    let of_one = first.iter().filter(|project| **project == one).count();
    assert!((48..=52).contains(&of_one), "{of_one} of 100");
}

#[test]
fn priority_comes_before_fairness() {
    let mut bench = Bench::new();
    let (flood, urgent) = (ids::new(), ids::new());
    enqueue(&mut bench.connection, &jobs(flood, 10)).unwrap();
    let mut high = jobs(urgent, 5);
    high.iter_mut().for_each(|job| job.priority = 5);
    enqueue(&mut bench.connection, &high).unwrap();
    assert_eq!(order(&mut bench, 5), [urgent; 5]);
}
