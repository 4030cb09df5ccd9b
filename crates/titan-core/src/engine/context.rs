//! What the handlers of claimed jobs need to know. It is read with the claim, without a lock, and nothing is written down: a step
//! begins with its worker's first word.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use super::transition::Started;
use crate::Result;
use crate::db::Prepare as _;
use crate::queue::ClaimedJob;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    job_id: i64,
    #[diesel(sql_type = SqlUuid)]
    task_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    project_id: Uuid,
    #[diesel(sql_type = Text)]
    trace_id: String,
    #[diesel(sql_type = Text)]
    task_type: String,
    #[diesel(sql_type = Jsonb)]
    payload: Value,
    #[diesel(sql_type = Text)]
    step_name: String,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Nullable<Jsonb>)]
    inputs: Option<Value>,
    #[diesel(sql_type = Bool)]
    leads_on: bool,
    #[diesel(sql_type = Bool)]
    may_begin: bool,
}

/// By job. One is missing whose run has ended or is to stop: who starts it then hears so.
pub(super) fn of(connection: &mut PgConnection, claimed: &[ClaimedJob]) -> Result<HashMap<i64, Started>> {
    let steps: Vec<(i64, Uuid, i16)> =
        claimed.iter().filter_map(|job| Some((job.id, job.run_id?, job.step?))).collect();
    if steps.is_empty() {
        return Ok(HashMap::new());
    }
    // No condition that a partial index has too, and a count instead of EXISTS: either would have the planner read a whole table.
    let rows: Vec<Row> = sql_query(
        "SELECT c.job_id, r.task_id, r.project_id, r.trace_id, t.type AS task_type, t.payload, s.name AS step_name, \
           s.attempt + 1 AS attempt, \
           CASE WHEN s.needs <> '{}' THEN (SELECT jsonb_object_agg(n.name, n.output) FROM steps n \
             WHERE n.run_id = s.run_id AND n.seq = ANY(s.needs) AND n.output IS NOT NULL) END AS inputs, \
           (SELECT count(*) > 0 FROM steps n WHERE n.run_id = s.run_id AND s.seq = ANY(n.needs)) AS leads_on, \
           r.finished_at IS NULL AND r.cancel_requested_at IS NULL AND s.finished_at IS NULL AS may_begin \
         FROM unnest($1, $2, $3) AS c (job_id, run_id, step) \
         JOIN steps s ON s.run_id = c.run_id AND s.seq = c.step \
         JOIN runs r ON r.id = s.run_id JOIN tasks t ON t.id = r.task_id",
    )
    .bind::<Array<BigInt>, _>(steps.iter().map(|(job, ..)| *job).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(steps.iter().map(|(_, run, _)| *run).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(steps.iter().map(|(.., step)| *step).collect::<Vec<_>>())
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().filter(|row| row.may_begin).map(|row| (row.job_id, row.into())).collect())
}

impl From<Row> for Started {
    fn from(row: Row) -> Self {
        let inputs = match row.inputs {
            Some(Value::Object(inputs)) => inputs,
            _ => serde_json::Map::new(),
        };
        Started {
            task_id: row.task_id,
            project_id: row.project_id,
            trace_id: row.trace_id,
            task_type: row.task_type,
            payload: row.payload,
            step_name: row.step_name,
            attempt: row.attempt,
            inputs,
            leads_on: row.leads_on,
        }
    }
}
