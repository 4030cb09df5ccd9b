//! Tasks that wait for others, read. The engine begins with them when their time has come.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::Result;
use crate::db::Prepare as _;
use crate::workers::RunHint;

/// As a condition on a task `t`: it needs one that is not done. One that was canceled is not waited for by a person.
pub(crate) const WAITS: &str = "t.linked AND EXISTS (SELECT FROM task_needs n JOIN tasks u ON u.id = n.needs_id \
     WHERE n.task_id = t.id AND u.execution_status NOT IN ('completed', 'canceled'))";

/// Why these tasks, which nobody has begun with, are not begun with. One that needs nothing more is missing from the answer.
pub(crate) fn hints(connection: &mut PgConnection, tasks: &[Uuid]) -> Result<HashMap<Uuid, RunHint>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        task_id: Uuid,
        #[diesel(sql_type = BigInt)]
        left: i64,
        #[diesel(sql_type = Text)]
        first: String,
        #[diesel(sql_type = Text)]
        stands: String,
    }
    if tasks.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sql_query(
        "SELECT DISTINCT ON (n.task_id) n.task_id, count(*) OVER (PARTITION BY n.task_id) AS left, u.title AS first, \
           u.execution_status AS stands \
         FROM task_needs n JOIN tasks u ON u.id = n.needs_id \
         WHERE n.task_id = ANY($1) AND u.execution_status <> 'completed' \
         ORDER BY n.task_id, u.execution_status IN ('failed', 'canceled') DESC, u.id",
    )
    .bind::<Array<SqlUuid>, _>(tasks)
    .prepared()
    .load(connection)?;
    let hint = |row: Row| {
        let more = if row.left > 1 { format!(" and {} more", row.left - 1) } else { String::new() };
        let way_out = match row.stands.as_str() {
            "failed" => " It failed: execute it again, or cancel it and execute this one without it.",
            "canceled" => " It was canceled: execute this one without it, or cancel it too.",
            _ => "",
        };
        let message = format!("Waits for the task {:?}{more}.{way_out}", row.first);
        (row.task_id, RunHint { code: "needs".to_owned(), message, since: None })
    };
    Ok(rows.into_iter().map(hint).collect())
}
