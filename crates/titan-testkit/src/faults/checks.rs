//! What must be true afterwards, whatever happened. Each check says what it found wrong, and an empty answer is the good one.
//!
//! **L** nothing lost: what was acknowledged has ended, once. **S** no outside effect twice. **M** states move along allowed
//! edges, events have no gap. **F** nobody wrote under an old attempt. **K** limits, slots and counters equal the rows.
//! **W** who watched saw each event once and in order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;
use uuid::Uuid;

use super::history::Expect;
use super::sampler::Sampled;
use super::story::{self, Event, Run};
use super::trial::{LIMIT, MAX_RUNNING, Trial, until};

/// How much was looked at.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Checked {
    pub(crate) events: usize,
}

/// Of many, so many are told.
const TOLD: usize = 6;

/// What is counted must be 0.
const WRONG: [(&str, &str, &str); 11] = [
    ("L", "jobs are left", "SELECT count(*) FROM jobs"),
    ("L", "runs have not ended", "SELECT count(*) FROM runs WHERE status NOT IN ('completed', 'failed', 'canceled')"),
    (
        "L",
        "tasks do not stand where their latest run does",
        "SELECT count(*) FROM tasks t JOIN runs r ON r.id = t.latest_run_id WHERE t.execution_status <> r.status",
    ),
    (
        "L",
        "steps that were done have not exactly one row of history that says so",
        "SELECT count(*) FROM steps s WHERE s.status IN ('completed', 'failed') AND (SELECT array_agg(h.outcome) \
         FROM job_history h WHERE h.run_id = s.run_id AND h.step = s.seq) IS DISTINCT FROM ARRAY[s.status]",
    ),
    (
        "L",
        "jobs have more than one row of history",
        "SELECT count(*) FROM (SELECT FROM job_history GROUP BY id HAVING count(*) > 1) AS h",
    ),
    (
        "L",
        "messages were made into more than one task",
        "SELECT count(*) FROM (SELECT FROM tasks GROUP BY payload->>'content' HAVING count(*) > 1) AS t",
    ),
    (
        "S",
        "completed runs have not exactly one answer, one output and one memory",
        "SELECT count(*) FROM runs r WHERE r.status = 'completed' AND (1, 1, 1) IS DISTINCT FROM ( \
         (SELECT count(*) FROM messages m WHERE m.run_id = r.id AND m.role = 'assistant'), \
         (SELECT count(*) FROM outputs o WHERE o.run_id = r.id), \
         (SELECT count(*) FROM memories m WHERE m.source_run_id = r.id))",
    ),
    (
        "S",
        "runs that were not completed have an answer",
        "SELECT count(*) FROM runs r JOIN messages m ON m.run_id = r.id AND m.role = 'assistant' \
         JOIN steps s ON s.run_id = r.id AND s.seq = 1 WHERE s.status <> 'completed'",
    ),
    (
        "K",
        "counters of projects differ from the rows",
        "SELECT count(*) FROM (SELECT project_id, subject, state, sum(n) AS n FROM ( \
           SELECT project_id, subject, state, value AS n FROM counters \
           UNION ALL SELECT project_id, subject, state, delta FROM counter_deltas) AS c GROUP BY 1, 2, 3) AS counted \
         FULL JOIN (SELECT project_id, 'tasks' AS subject, execution_status AS state, count(*) AS n FROM tasks GROUP BY 1, 3 \
           UNION ALL SELECT project_id, 'runs', status, count(*) FROM runs GROUP BY 1, 3 \
           UNION ALL SELECT project_id, 'outputs', review, count(*) FROM outputs GROUP BY 1, 3 \
           UNION ALL SELECT project_id, 'memories', scope, count(*) FROM memories GROUP BY 1, 3) AS there \
         USING (project_id, subject, state) WHERE coalesce(counted.n, 0) <> coalesce(there.n, 0)",
    ),
    (
        "K",
        "outcomes were tallied otherwise than the history has them",
        "SELECT count(*) FROM (SELECT queue, outcome, sum(n) AS n FROM job_tallies GROUP BY 1, 2) AS tallied \
         FULL JOIN (SELECT queue, outcome, count(*) AS n FROM job_history GROUP BY 1, 2) AS there USING (queue, outcome) \
         WHERE coalesce(tallied.n, 0) <> coalesce(there.n, 0)",
    ),
    (
        "K",
        "jobs that ended failed have no dead letter",
        "SELECT count(*) FROM job_history h WHERE h.outcome = 'failed' AND NOT EXISTS (SELECT FROM dead_letters d \
         WHERE d.job_id = h.id)",
    ),
];

/// Checks everything.
pub(super) fn all(trial: &Trial<'_>, sampled: Option<Sampled>) -> anyhow::Result<Checked> {
    let mut wrong = Vec::new();
    for (rule, what, query) in WRONG {
        let count = trial.database.count(query)?;
        if count != 0 {
            wrong.push(format!("{rule}: {count} {what}"));
        }
    }
    let runs: Vec<Run> = trial.database.rows(
        "SELECT r.id, r.task_id, r.status, r.last_seq, r.error, t.payload->>'content' AS content, \
         (SELECT content FROM messages m WHERE m.run_id = r.id AND m.role = 'assistant') AS answer \
         FROM runs r JOIN tasks t ON t.id = r.task_id",
    )?;
    let events: Vec<Event> =
        trial.database.rows("SELECT run_id, seq, at, kind, step, data FROM run_events ORDER BY run_id, seq")?;
    let checked = Checked { events: events.len() };
    let mut by_run: BTreeMap<Uuid, Vec<Event>> = BTreeMap::new();
    for event in events {
        by_run.entry(event.run_id).or_default().push(event);
    }
    acknowledged(trial, &runs, &mut wrong);
    lone_jobs(trial, &mut wrong)?;
    let asked = asked(trial);
    for run in &runs {
        let events = by_run.get(&run.id).map(Vec::as_slice).unwrap_or_default();
        let told = story::read(run, events);
        wrong.extend(told.wrong.iter().map(|what| format!("{what} (run {})", run.id)));
        let calls = asked.get(key(&run.content)).map(Vec::as_slice).unwrap_or_default();
        story::model_calls(run, &told, calls, trial.late_comers, &mut wrong);
    }
    watched(trial, &runs, &mut wrong);
    slots(trial, sampled, &mut wrong)?;
    if wrong.is_empty() {
        return Ok(checked);
    }
    let more = wrong.len().saturating_sub(TOLD);
    let told: Vec<_> = wrong.into_iter().take(TOLD).collect();
    bail!("{}{}", told.join("; "), if more > 0 { format!("; and {more} more") } else { String::new() })
}

/// The idempotency key with which a message begins.
fn key(content: &str) -> &str {
    content.split(' ').next().unwrap_or_default()
}

/// L from the client's side: each acknowledged task is there, with the run that was told, and has ended as it should;
/// nothing is there that nobody asked for.
fn acknowledged(trial: &Trial<'_>, runs: &[Run], wrong: &mut Vec<String>) {
    let by_id: BTreeMap<Uuid, &Run> = runs.iter().map(|run| (run.id, run)).collect();
    let mut asked_for = BTreeSet::new();
    for operation in trial.history.operations() {
        asked_for.insert(operation.content.clone());
        let Some(made) = operation.acknowledged else { continue };
        let Some(run) = by_id.get(&made.run) else {
            wrong.push(format!("L: run {} was acknowledged and is not there", made.run));
            continue;
        };
        if run.task_id != made.task || run.content != operation.content {
            wrong.push(format!("L: run {} belongs to another task than was acknowledged", made.run));
        }
        let canceled_too_late = operation.expect == Expect::Canceled && run.status == "completed";
        if run.status != operation.expect.status() && !canceled_too_late {
            let why = run.error.as_deref().unwrap_or("without a reason");
            wrong.push(format!(
                "L: run {} is {} ({why}) instead of {}",
                made.run,
                run.status,
                operation.expect.status()
            ));
        }
        if run.status == "failed" && run.error.as_deref().unwrap_or_default().is_empty() {
            wrong.push(format!("L: run {} failed without a reason", made.run));
        }
    }
    for run in runs.iter().filter(|run| !asked_for.contains(&run.content)) {
        wrong.push(format!("L: nobody asked for run {}", run.id));
    }
}

/// L of jobs without a run.
fn lone_jobs(trial: &Trial<'_>, wrong: &mut Vec<String>) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Row {
        id: i64,
        outcome: String,
    }
    let rows: Vec<Row> = trial.database.rows("SELECT id, outcome FROM job_history WHERE run_id IS NULL")?;
    let ended: BTreeMap<i64, String> = rows.into_iter().map(|row| (row.id, row.outcome)).collect();
    for (id, expect) in trial.history.jobs() {
        let outcome = ended.get(&id).map_or("lost", String::as_str);
        if outcome != expect.status() {
            wrong.push(format!("L: job {id} is {outcome} instead of {}", expect.status()));
        }
    }
    Ok(())
}

/// When the model was asked what, by the key of the message.
fn asked(trial: &Trial<'_>) -> BTreeMap<String, Vec<std::time::SystemTime>> {
    let mut asked: BTreeMap<String, Vec<std::time::SystemTime>> = BTreeMap::new();
    for request in trial.model.requests() {
        asked.entry(key(request.content()).to_owned()).or_default().push(request.at);
    }
    asked
}

/// W: 0 lost, 0 doubled.
fn watched(trial: &Trial<'_>, runs: &[Run], wrong: &mut Vec<String>) {
    let last: BTreeMap<Uuid, i64> = runs.iter().map(|run| (run.id, run.last_seq)).collect();
    for seen in trial.watchers.seen() {
        let all: Vec<i64> = (1..=last.get(&seen.run).copied().unwrap_or(0)).collect();
        if !seen.ended {
            wrong.push(format!("W: a stream of run {} has not come to its end", seen.run));
        } else if seen.seqs != all {
            wrong.push(format!("W: of {} events of run {} a watcher saw {:?}", all.len(), seen.run, seen.seqs));
        }
    }
}

/// K: the limit held all the time, and now nobody holds anything.
fn slots(trial: &Trial<'_>, sampled: Option<Sampled>, wrong: &mut Vec<String>) -> anyhow::Result<()> {
    if let Some(sampled) = sampled {
        if sampled.looks == 0 {
            wrong.push("K: the limit could not be looked at".to_owned());
        }
        if sampled.most > MAX_RUNNING {
            wrong.push(format!("K: {} jobs were let in by a limit of {MAX_RUNNING}", sampled.most));
        }
    }
    let limits = trial.block_on(async |trial| {
        let answer = trial.http.get(format!("{}/api/limits", trial.apis[0].url)).send().await?.error_for_status()?;
        answer.json::<serde_json::Value>().await
    })?;
    let held = |limit: &serde_json::Value| limit["admitted"] != 0 || limit["waiting"] != 0;
    if limits["items"].as_array().is_none_or(|items| items.is_empty() || items.iter().any(held)) {
        wrong.push(format!("K: the limit {LIMIT} is not free: {limits}"));
    }
    // Workers say once a second how many jobs they hold.
    let all_free = until("workers that hold nothing", Duration::from_secs(5), || {
        let held =
            "SELECT coalesce(sum(running), 0) FROM workers WHERE heartbeat_at > clock_timestamp() - interval '2 s'";
        Ok((trial.database.count(held)? == 0).then_some(()))
    });
    if all_free.is_err() {
        wrong.push("K: a worker says that it holds jobs, and there are none".to_owned());
    }
    Ok(())
}
