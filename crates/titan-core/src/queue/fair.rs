//! Fairness between projects: start-time fair queueing (Goyal, Vin and Cheng, 1996) within each queue and priority.
//!
//! Each job gets a virtual start time, its *start tag*, when it is enqueued, and the claim takes the smallest first. The
//! virtual time is the tag of the job that is next in line; a project's jobs are spaced by one from that time on, so a
//! flood of one project lies ahead in virtual time, and the first job of another one is next. It costs the claim nothing:
//! the tag is a column of its index.
//!
//! The last tag of a project is known to the process that enqueued it and to nobody else. Two processes that enqueue for
//! one project make it count as two: never more, and nothing is lost with the knowledge.

use std::collections::{BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::Result;
use crate::db::Prepare as _;

/// Where a job takes its turn. Jobs of no project share one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Flow {
    pub(super) queue: String,
    pub(super) priority: i16,
    pub(super) project_id: Option<Uuid>,
}

/// More flows than this are not remembered: those that have fallen behind the virtual time are forgotten first.
const REMEMBERED: usize = 10_000;

static LAST: LazyLock<Mutex<HashMap<Flow, i64>>> = LazyLock::new(Mutex::default);

/// The latest virtual time of each line that this process has seen, and when. A job that comes back, after a rescue say, keeps its
/// old tag and is next; the virtual time must not fall back with it, or whoever enqueues then would pass by all who wait.
static FLOOR: LazyLock<Mutex<HashMap<(String, i16), Seen>>> = LazyLock::new(Mutex::default);

#[derive(Clone, Copy)]
struct Seen {
    time: i64,
    at: Instant,
}

/// So long the virtual time is taken to stand still. Who enqueues thousands of jobs in a second need not ask for each handful.
const STANDS_STILL: Duration = Duration::from_millis(20);

/// The start tags of new jobs, each at the place of its flow.
pub(super) fn tags(connection: &mut PgConnection, flows: &[Flow]) -> Result<Vec<i64>> {
    let lines: BTreeSet<(&str, i16)> = flows.iter().map(|flow| (flow.queue.as_str(), flow.priority)).collect();
    let now = virtual_times(connection, &lines)?;
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.len() > REMEMBERED {
        last.retain(|flow, tag| now.get(&(flow.queue.as_str(), flow.priority)).is_none_or(|now| *tag > *now));
    }
    Ok(flows
        .iter()
        .map(|flow| {
            let now = now.get(&(flow.queue.as_str(), flow.priority)).copied().unwrap_or_default();
            let tag = last.get(flow).map_or(now, |tag| now.max(tag + 1));
            last.insert(flow.clone(), tag);
            tag
        })
        .collect())
}

/// The virtual time of each line: the tag that is next in it. When nothing waits, the microseconds of the clock: more than
/// any tag that was given before, since nobody is served a million jobs in a second.
fn virtual_times<'a>(
    connection: &mut PgConnection,
    lines: &BTreeSet<(&'a str, i16)>,
) -> Result<HashMap<(&'a str, i16), i64>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<BigInt>)]
        tag: Option<i64>,
        #[diesel(sql_type = BigInt)]
        clock: i64,
    }
    let mut floors = FLOOR.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = |line: &(&'a str, i16)| {
        let seen = floors.get(&(line.0.to_owned(), line.1)).filter(|seen| seen.at.elapsed() < STANDS_STILL);
        Some((*line, seen?.time))
    };
    if let Some(known) = lines.iter().map(fresh).collect() {
        return Ok(known);
    }
    drop(floors);
    let rows: Vec<Row> = sql_query(
        "SELECT (SELECT j.start_tag FROM jobs j WHERE j.state = 'ready' AND NOT j.suspect AND j.queue = l.queue \
         AND j.priority = l.priority ORDER BY j.queue, j.priority DESC, j.start_tag, j.id LIMIT 1) AS tag, \
         (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS clock \
         FROM unnest($1, $2) WITH ORDINALITY AS l (queue, priority, place) ORDER BY place",
    )
    .bind::<Array<Text>, _>(lines.iter().map(|(queue, _)| *queue).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(lines.iter().map(|(_, priority)| *priority).collect::<Vec<_>>())
    .prepared()
    .load(connection)?;
    floors = FLOOR.lock().unwrap_or_else(PoisonError::into_inner);
    if floors.len() > REMEMBERED {
        floors.clear();
    }
    let never_back = |((queue, priority), row): ((&'a str, i16), Row)| {
        let now = row.tag.unwrap_or(row.clock);
        let before = floors.get(&(queue.to_owned(), priority)).map_or(i64::MIN, |seen| seen.time);
        let seen = Seen { time: before.max(now), at: Instant::now() };
        floors.insert((queue.to_owned(), priority), seen);
        ((queue, priority), seen.time)
    };
    Ok(lines.iter().copied().zip(rows).map(never_back).collect())
}
