//! `/metrics` as Prometheus reads it: parsed line by line, on a real database and without one.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::JoinHandle;

use serde_json::json;
use titan_core::ids;
use titan_core::queue::{NewJob, enqueue};
use titan_testkit::app::TestApp;
use titan_testkit::db::TestDb;
use titan_testkit::wait;

/// Series (name and labels as written) with their values.
type Series = BTreeMap<String, f64>;

/// Reads the text format 0.0.4, and refuses what Prometheus would: a sample without a family, a family that is told twice or
/// in two places, a series that comes twice.
fn parse(text: &str) -> Series {
    assert!(text.ends_with('\n'), "the last line must end");
    let (mut series, mut types, mut helped) = (Series::new(), BTreeMap::new(), BTreeSet::new());
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect(line);
            assert!(!help.is_empty() && helped.insert(name.to_owned()), "{line}");
            current = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect(line);
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(name, current, "HELP and TYPE stand together");
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        } else {
            let (id, value) = line.rsplit_once(' ').expect(line);
            let name = id.split('{').next().unwrap();
            let family = match types.get(current.as_str()).map(String::as_str) {
                Some("histogram") => {
                    ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).expect(line)
                }
                _ => name,
            };
            assert_eq!(family, current, "a sample stands with its family");
            if let Some(labels) = id.strip_prefix(name).filter(|labels| !labels.is_empty()) {
                let inner = labels.strip_prefix('{').and_then(|rest| rest.strip_suffix("\"}")).expect(line);
                for label in inner.replace("\\\"", "").split("\",") {
                    let (label, _) = label.split_once("=\"").expect(line);
                    assert!(label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
                }
            }
            let value: f64 = value.parse().expect(line);
            assert!(value.is_finite() && value >= 0.0, "{line}");
            assert!(series.insert(id.to_owned(), value).is_none(), "{line} comes twice");
        }
    }
    series
}

async fn scrape(app: &TestApp) -> Series {
    let reply = app.client.get("/metrics").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    parse(&reply.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_what_the_database_and_the_workers_say() {
    let app = TestApp::start().await;
    let mut jobs = vec![NewJob::new("a"); 3];
    jobs.push(NewJob { queue: "mail".to_owned(), ..NewJob::new("a") });
    enqueue(&mut app.db.connect(), &jobs).unwrap();
    app.client.post("/api/queues/mail/pause", &json!({})).await.expect(200);
    app.db.execute(
        "INSERT INTO dead_letters (job_id, kind, queue, priority, max_attempts, timeout_ms, attempt, rescues, error, created_at) \
         VALUES (900000, 'a', 'mail', 0, 1, 1, 1, 0, 'e', now())",
    );
    // Two that live under one name, one that was lost, and the one that leads.
    let leader = ids::new();
    for (id, name, beat) in
        [(ids::new(), "twin", 0), (ids::new(), "twin", 0), (leader, "the \\\"boss\\\"", 0), (ids::new(), "lost", 60)]
    {
        app.db.execute(&format!(
            "INSERT INTO workers (id, name, host, pid, version, kinds, slots, running, lease_ms, heartbeat_at, stats) VALUES \
             ('{id}', replace('{name}', '\\\"', '\"'), 'h', 1, '0', '{{chat}}', 8, 3, 15000, now() - interval '{beat} seconds', \
             '{{\"claims\": 5, \"claimed\": 17, \"fenced\": 2, \"flush_us\": 1500000, \"new_in_a_later_version\": 1}}')"
        ));
    }
    app.db.execute(&format!(
        "INSERT INTO leaders (role, holder, term, expires_at) VALUES ('maintenance', '{leader}', 1, now() + interval '1 minute')"
    ));
    let first = scrape(&app).await;
    let second = scrape(&app).await;

    for (series, value) in [
        ("titan_database_up", 1.0),
        ("titan_jobs{queue=\"default\",state=\"ready\"}", 3.0),
        ("titan_jobs{queue=\"default\",state=\"waiting\"}", 0.0),
        ("titan_jobs{queue=\"mail\",state=\"ready\"}", 1.0),
        ("titan_dead_letters{queue=\"mail\"}", 1.0),
        ("titan_dead_letters{queue=\"default\"}", 0.0),
        ("titan_queue_paused{queue=\"mail\"}", 1.0),
        ("titan_queue_paused{queue=\"default\"}", 0.0),
        ("titan_workers{status=\"running\"}", 3.0),
        ("titan_workers{status=\"lost\"}", 1.0),
        ("titan_workers{status=\"stopped\"}", 0.0),
        ("titan_worker_slots{worker=\"the \\\"boss\\\"\"}", 8.0),
        ("titan_worker_running{worker=\"the \\\"boss\\\"\"}", 3.0),
        ("titan_claims_total{worker=\"the \\\"boss\\\"\"}", 5.0),
        ("titan_claimed_total{worker=\"the \\\"boss\\\"\"}", 17.0),
        ("titan_fenced_total{worker=\"the \\\"boss\\\"\"}", 2.0),
        ("titan_flush_seconds_total{worker=\"the \\\"boss\\\"\"}", 1.5),
        ("titan_started_total{worker=\"the \\\"boss\\\"\"}", 0.0),
        ("titan_leader{worker=\"the \\\"boss\\\"\"}", 1.0),
    ] {
        assert_eq!(first.get(series), Some(&value), "{series} in {first:#?}");
    }
    let of = |name: &str| first.keys().filter(|id| id.split('{').next() == Some(name)).count();
    assert_eq!(of("titan_worker_slots"), 3, "those that live, each once");
    let names = [
        "titan_oldest_ready_seconds",
        "titan_flushes_total",
        "titan_flushed_total",
        "titan_finished_total",
        "titan_failed_total",
        "titan_retried_total",
        "titan_rescued_total",
        "titan_api_flushes_total",
        "titan_api_flushed_total",
        "titan_api_flush_seconds_total",
        "titan_api_pool_waits_total",
        "titan_api_pool_wait_seconds_total",
        "titan_http_request_seconds_sum",
        "titan_http_request_seconds_count",
        "titan_database_oldest_transaction_age",
        "titan_database_oldest_transaction_seconds",
    ];
    for name in names {
        assert!(of(name) > 0, "{name}");
    }
    for table in ["jobs", "job_history", "runs", "dead_letters"] {
        assert!(first.contains_key(&format!("titan_table_dead_tuples{{table=\"{table}\"}}")), "{table}");
        assert!(first.contains_key(&format!("titan_table_live_tuples{{table=\"{table}\"}}")), "{table}");
    }
    let posts = "titan_http_requests_total{method=\"POST\",status=\"200\"}";
    assert_eq!(first.get(posts), Some(&1.0));
    let gets = "titan_http_requests_total{method=\"GET\",status=\"200\"}";
    assert_eq!(second[gets] - first.get(gets).copied().unwrap_or(0.0), 1.0, "the scrape before it");
    assert_eq!(
        second["titan_http_request_seconds_bucket{le=\"+Inf\"}"], second["titan_http_request_seconds_count"],
        "every request is in a bucket"
    );
    app.abandon().await;
}

/// A transaction of somebody else that does this and then stays open until [`let_go`].
async fn hold(app: &TestApp, doing: &str) -> JoinHandle<()> {
    let holding = app.db.execute_beside(&format!(
        "SET statement_timeout = 0; DO $$ BEGIN {doing}; PERFORM pg_advisory_xact_lock(77); \
         WHILE NOT EXISTS (SELECT FROM queues WHERE name = 'enough') LOOP PERFORM pg_sleep(0.02); END LOOP; END $$"
    ));
    let begun = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND granted AND database = \
         (SELECT oid FROM pg_database WHERE datname = current_database())";
    wait::until("a transaction that stays open", async || (app.db.count(begun) > 0).then_some(())).await;
    holding
}

fn let_go(app: &TestApp, holding: JoinHandle<()>) {
    app.db.execute("INSERT INTO queues (name) VALUES ('enough')");
    holding.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_transaction_is_seen() {
    let app = TestApp::start().await;
    let holding = hold(&app, "PERFORM pg_current_xact_id()").await;
    app.db.execute("CREATE TABLE ids_are_used ()");
    for _ in 0..3 {
        app.db.execute("INSERT INTO ids_are_used DEFAULT VALUES");
    }
    let seen = scrape(&app).await;
    assert!(seen["titan_database_oldest_transaction_age"] >= 4.0, "{seen:#?}");
    assert!(seen["titan_database_oldest_transaction_seconds"] > 0.0);
    let_go(&app, holding);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_locked_does_not_hold_up_a_scrape() {
    let app = TestApp::start().await;
    let holding = hold(&app, "LOCK TABLE jobs").await;
    // It answers although the lock is held until after the answer.
    assert_eq!(scrape(&app).await["titan_database_up"], 0.0);
    let_go(&app, holding);
    wait::until("a scrape in time", async || (scrape(&app).await["titan_database_up"] == 1.0).then_some(())).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_there_while_the_database_is_not() {
    let app = TestApp::start().await;
    assert_eq!(scrape(&app).await["titan_database_up"], 1.0);
    let other = tokio::task::spawn_blocking(TestDb::new).await.unwrap();
    let name = app.db.name.clone();
    other.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    other.execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    let seen = scrape(&app).await;
    assert_eq!(seen["titan_database_up"], 0.0);
    assert!(seen.contains_key("titan_api_flushes_total") && seen.contains_key("titan_http_request_seconds_count"));
    assert!(!seen.keys().any(|id| id.starts_with("titan_jobs")), "what is not known is not told");
    other.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    wait::until("the database back", async || (scrape(&app).await["titan_database_up"] == 1.0).then_some(())).await;
    app.finish().await;
    tokio::task::spawn_blocking(move || drop(other)).await.unwrap();
}
