//! What is read back: pages, log search, reviews, why a run does not move.

use titan_core::engine::{NewEvent, Report};
use titan_core::logs::{self, Order, Search};
use titan_core::state::Level;
use titan_core::{Error, messages, projects, runs, tasks};

use crate::support::Bench;

#[test]
fn pages_neither_miss_nor_repeat() {
    let mut bench = Bench::new();
    for n in 0..25 {
        bench.submit(&format!("message {n}"));
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = tasks::list(&mut bench.connection, bench.project, None, Some(10), cursor.as_deref()).unwrap();
        seen.extend(page.items.into_iter().map(|task| task.title));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..25).rev().map(|n| format!("message {n}")).collect();
    assert_eq!(seen, expected);
    let first = messages::list(&mut bench.connection, bench.project, Some(2), None).unwrap();
    assert_eq!(first.items.iter().map(|m| m.content.as_str()).collect::<Vec<_>>(), ["message 23", "message 24"]);
    let cursor = first.next_cursor;
    let second = messages::list(&mut bench.connection, bench.project, Some(2), cursor.as_deref()).unwrap();
    assert_eq!(second.items[1].content, "message 22");
    let filter = runs::Filter { project_id: Some(bench.project), ..runs::Filter::default() };
    assert_eq!(runs::list(&mut bench.connection, &filter, Some(200), None).unwrap().items.len(), 25);
    for limit in [0, 201] {
        let refused = projects::list(&mut bench.connection, Some(limit), None);
        assert!(matches!(refused, Err(Error::Invalid { field: "limit", .. })));
    }
    assert!(matches!(
        projects::list(&mut bench.connection, None, Some("x")),
        Err(Error::Invalid { field: "cursor", .. })
    ));
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn log_search_says_the_true_total_and_pages_through_one_moment() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let held = bench.claim();
    bench.start(held).unwrap();
    let mut events: Vec<NewEvent> = (0..30).map(|n| NewEvent::log(Level::Info, format!("Line {n} of 100%"))).collect();
    events.push(NewEvent::log(Level::Error, "it broke"));
    bench.apply(Report { fence: held, events, calls: Vec::new() }.into()).unwrap();
    let search = Search { project_id: Some(bench.project), text: Some("OF 100%".to_owned()), ..Search::default() };
    let (mut seen, mut cursor) = (0, None);
    loop {
        let lines = logs::search(&mut bench.connection, &search, Some(7), cursor.as_deref()).unwrap();
        assert_eq!(lines.total, 30);
        for line in lines.items {
            assert_eq!(line.message, format!("Line {seen} of 100%"));
            seen += 1;
        }
        cursor = lines.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, 30);
    let loud = Search { run_id: Some(run_id), level: Some(Level::Warn), order: Order::Desc, ..Search::default() };
    let lines = logs::search(&mut bench.connection, &loud, None, None).unwrap();
    assert_eq!((lines.total, lines.items[0].message.as_str()), (1, "it broke"));
    assert!(logs::search(&mut bench.connection, &loud, None, Some("nonsense")).is_err());
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn more_lines_than_anybody_counts_are_not_counted() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    bench.test.execute(&format!(
        "INSERT INTO run_events (run_id, seq, project_id, task_id, kind, level, message) \
         SELECT id, 100 + n, project_id, task_id, 'log', 'info', 'line' FROM runs, generate_series(1, 10500) AS n WHERE id = '{run_id}'"
    ));
    let all = Search { project_id: Some(bench.project), ..Search::default() };
    let lines = logs::search(&mut bench.connection, &all, Some(5), None).unwrap();
    assert_eq!((lines.items.len(), lines.total), (5, 10_001));
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_task_that_no_worker_serves_says_so_and_since_when() {
    let mut bench = Bench::new();
    let task_id = bench.submit("hello").task_id;
    assert_eq!(bench.task(task_id).hint, None);
    bench.test.execute("UPDATE workers SET heartbeat_at = now() - interval '6 seconds'");
    let hint = bench.task(task_id).hint.unwrap();
    assert!(hint.code == "no_worker" && hint.since.is_some() && hint.message.contains("serves chat"), "{hint:?}");
    bench.test.execute("DELETE FROM workers");
    assert!(bench.task(task_id).hint.unwrap().message.contains("reported yet"));
    bench.test.execute("DELETE FROM jobs");
}
