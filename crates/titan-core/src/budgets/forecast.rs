//! What the open tasks of a project will cost, by what the last ones did. The sum of n tasks that each cost as one of the past has the
//! mean n times theirs and a standard deviation of theirs times the root of n; the range is the middle 80 % of a normal distribution
//! around it (1.28 standard deviations to each side), which the sum comes near to when n is not small.

use diesel::sql_types::{BigInt, Double, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::amounts::MICROS;
use crate::Result;

/// Fewer finished runs than these tell nothing.
const LEAST_RUNS: i64 = 5;
/// The newest that are looked at.
const LAST_RUNS: i64 = 200;
const EIGHTY_PERCENT: f64 = 1.28;

/// US dollars that the open tasks will cost, probably: in eight of ten cases between `low` and `high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Forecast {
    pub low: f64,
    pub high: f64,
    /// Tasks that Titan will do by itself and that have not ended.
    pub open_tasks: i64,
    /// Finished runs that it is reckoned from.
    pub based_on_runs: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    open_tasks: i64,
    #[diesel(sql_type = BigInt)]
    runs: i64,
    #[diesel(sql_type = Double)]
    mean: f64,
    #[diesel(sql_type = Double)]
    deviation: f64,
}

pub(super) fn of_project(connection: &mut PgConnection, project_id: Uuid) -> Result<Option<Forecast>> {
    let row: Row = sql_query(
        "WITH last AS (SELECT cost_micros FROM runs WHERE project_id = $1 AND status = 'completed' AND cost_micros > 0 \
           ORDER BY id DESC LIMIT $2) \
         SELECT (SELECT count(*) FROM tasks WHERE project_id = $1 AND execution_type <> 'manual' \
             AND execution_status IN ('queued', 'in_progress', 'paused', 'blocked')) AS open_tasks, \
           count(*) AS runs, coalesce(avg(cost_micros), 0)::double precision AS mean, \
           coalesce(stddev_samp(cost_micros), 0)::double precision AS deviation FROM last",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<BigInt, _>(LAST_RUNS)
    .get_result(connection)?;
    Ok(reckon(&row))
}

fn reckon(row: &Row) -> Option<Forecast> {
    if row.runs < LEAST_RUNS || row.open_tasks == 0 {
        return None;
    }
    #[allow(clippy::cast_precision_loss)]
    let open = row.open_tasks as f64;
    let (middle, spread) = (row.mean * open, EIGHTY_PERCENT * row.deviation * open.sqrt());
    Some(Forecast {
        low: (middle - spread).max(0.0) / MICROS,
        high: (middle + spread) / MICROS,
        open_tasks: row.open_tasks,
        based_on_runs: row.runs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_grows_with_the_root_of_the_number_of_tasks() {
        let forecast = |open_tasks, runs| reckon(&Row { open_tasks, runs, mean: 1e6, deviation: 5e5 });
        let (one, hundred) = (forecast(1, 5).unwrap(), forecast(100, 5).unwrap());
        assert!((one.high - one.low - 1.28).abs() < 1e-9);
        assert!((hundred.high - hundred.low - 12.8).abs() < 1e-9);
        assert!((hundred.high + hundred.low - 200.0).abs() < 1e-9);
        assert_eq!((forecast(1, 4), forecast(0, 100)), (None, None));
    }
}
