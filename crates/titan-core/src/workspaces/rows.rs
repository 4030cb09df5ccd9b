//! What Postgres knows of a workspace: its branches and its bundles, and the one way in which a branch moves.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Binary, Text, Uuid as SqlUuid};
use diesel::{Connection as _, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::branch::Branch;
use crate::blobs::{self, Blob};
use crate::{Result, projects};

/// So many bundles are one later: a new machine reads them all.
const MANY: i64 = 50;

#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub(super) struct Bundle {
    #[diesel(sql_type = BigInt)]
    pub(super) number: i64,
    #[diesel(sql_type = Text)]
    pub(super) sha256: String,
}

/// Where each branch stands. Read before [`bundles`], so that those hold all that the branches need.
pub(super) fn branches(connection: &mut PgConnection, project_id: Uuid) -> Result<BTreeMap<Branch, String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        head: String,
    }
    projects::exists(connection, project_id)?;
    let rows: Vec<Row> = sql_query("SELECT name, head FROM workspace_branches WHERE project_id = $1")
        .bind::<SqlUuid, _>(project_id)
        .load(connection)?;
    rows.into_iter().map(|row| Ok((Branch::named(&row.name)?, row.head))).collect()
}

/// Those that stand for all that was published, the oldest first.
pub(super) fn bundles(connection: &mut PgConnection, project_id: Uuid) -> Result<Vec<Bundle>> {
    let rows = sql_query(
        "SELECT number, encode(sha256, 'hex') AS sha256 FROM workspace_bundles WHERE project_id = $1 ORDER BY number",
    );
    Ok(rows.bind::<SqlUuid, _>(project_id).load(connection)?)
}

/// What is asked and written in the transaction that moves a branch; when it refuses, nothing moves.
pub type Also<'a> = &'a mut dyn FnMut(&mut PgConnection) -> Result<()>;

/// A branch that moves.
pub(super) struct Move<'a> {
    pub(super) branch: Branch,
    /// Where it stands; none when it is new.
    pub(super) from: Option<&'a str>,
    pub(super) to: &'a str,
    /// What nobody else has yet.
    pub(super) bundle: Option<&'a Blob>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    Yes {
        /// Whether there are so many bundles now that one should take their place. When that fails it is not said again at once.
        many: bool,
    },
    /// It stands elsewhere by now.
    Elsewhere,
}

/// Moves a branch if it stands where it is said to stand, and if what is done with it succeeds. That comes last, so that whatever it
/// locks is locked after the workspace.
pub(super) fn publish(
    connection: &mut PgConnection,
    project_id: Uuid,
    step: &Move<'_>,
    also: Also<'_>,
) -> Result<Moved> {
    connection.transaction(|connection| {
        projects::exists(connection, project_id)?;
        let number = lock(connection, project_id)?;
        if head(connection, project_id, step.branch)?.as_deref() != step.from {
            return Ok(Moved::Elsewhere);
        }
        if let Some(bundle) = step.bundle {
            add_bundle(connection, project_id, number + 1, bundle)?;
        }
        sql_query(
            "INSERT INTO workspace_branches (project_id, name, head) VALUES ($1, $2, $3) \
             ON CONFLICT (project_id, name) DO UPDATE SET head = excluded.head, updated_at = now()",
        )
        .bind::<SqlUuid, _>(project_id)
        .bind::<Text, _>(step.branch.name())
        .bind::<Text, _>(step.to)
        .execute(connection)?;
        also(connection)?;
        Ok(Moved::Yes { many: step.bundle.is_some() && count(connection, project_id)? % MANY == 0 })
    })
}

/// Puts one bundle that holds everything in the place of those up to `newest`. Nothing happens when there is a newer one.
pub(super) fn replace(connection: &mut PgConnection, project_id: Uuid, newest: i64, bundle: &Blob) -> Result<()> {
    connection.transaction(|connection| {
        if lock(connection, project_id)? != newest {
            return Ok(());
        }
        sql_query("DELETE FROM workspace_bundles WHERE project_id = $1")
            .bind::<SqlUuid, _>(project_id)
            .execute(connection)?;
        add_bundle(connection, project_id, newest + 1, bundle)
    })
}

/// Forgets what an earlier attempt left on a branch, unless that is refused.
///
/// # Errors
/// What `also` says.
pub fn begin_afresh(connection: &mut PgConnection, project_id: Uuid, branch: Branch, also: Also<'_>) -> Result<()> {
    connection.transaction(|connection| {
        also(connection)?;
        drop_branch(connection, project_id, branch)
    })
}

/// Where the branch of a run stands; none when it has none.
///
/// # Errors
/// When the database does not answer.
pub(crate) fn head_of_run(connection: &mut PgConnection, project_id: Uuid, run_id: Uuid) -> Result<Option<String>> {
    head(connection, project_id, Branch::OfRun(run_id))
}

/// Takes a branch away; what it held alone stays in the bundles until they are made one.
///
/// # Errors
/// When the database does not answer.
pub(crate) fn drop_branch(connection: &mut PgConnection, project_id: Uuid, branch: Branch) -> Result<()> {
    sql_query("DELETE FROM workspace_branches WHERE project_id = $1 AND name = $2")
        .bind::<SqlUuid, _>(project_id)
        .bind::<Text, _>(branch.name())
        .execute(connection)?;
    Ok(())
}

/// Takes away the branches that nobody will merge: of runs that ended without a result, or of which something was rejected. Gives how
/// many there were.
///
/// # Errors
/// When the database does not answer.
pub fn drop_abandoned(connection: &mut PgConnection) -> Result<usize> {
    let dropped = sql_query(
        "DELETE FROM workspace_branches b USING runs r \
         WHERE r.id = CASE WHEN b.name LIKE 'run/%' THEN substr(b.name, 5)::uuid END \
         AND r.finished_at IS NOT NULL AND (r.status <> 'completed' \
           OR EXISTS (SELECT FROM outputs o WHERE o.run_id = r.id AND o.review = 'rejected'))",
    );
    Ok(dropped.execute(connection)?)
}

/// Until the end of the transaction nobody else publishes. Gives the number of the newest bundle.
fn lock(connection: &mut PgConnection, project_id: Uuid) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        bundle: i64,
    }
    sql_query("INSERT INTO workspaces (project_id) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind::<SqlUuid, _>(project_id)
        .execute(connection)?;
    let row: Row = sql_query("SELECT bundle FROM workspaces WHERE project_id = $1 FOR UPDATE")
        .bind::<SqlUuid, _>(project_id)
        .get_result(connection)?;
    Ok(row.bundle)
}

fn head(connection: &mut PgConnection, project_id: Uuid, branch: Branch) -> Result<Option<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        head: String,
    }
    let row: Option<Row> = sql_query("SELECT head FROM workspace_branches WHERE project_id = $1 AND name = $2")
        .bind::<SqlUuid, _>(project_id)
        .bind::<Text, _>(branch.name())
        .get_result(connection)
        .optional()?;
    Ok(row.map(|row| row.head))
}

fn count(connection: &mut PgConnection, project_id: Uuid) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let row: Row = sql_query("SELECT count(*) AS count FROM workspace_bundles WHERE project_id = $1")
        .bind::<SqlUuid, _>(project_id)
        .get_result(connection)?;
    Ok(row.count)
}

fn add_bundle(connection: &mut PgConnection, project_id: Uuid, number: i64, bundle: &Blob) -> Result<()> {
    blobs::store(connection, &[bundle])?;
    sql_query("INSERT INTO workspace_bundles (project_id, number, sha256, size) VALUES ($1, $2, $3, $4)")
        .bind::<SqlUuid, _>(project_id)
        .bind::<BigInt, _>(number)
        .bind::<Binary, _>(bundle.sha256())
        .bind::<BigInt, _>(bundle.size())
        .execute(connection)?;
    sql_query("UPDATE workspaces SET bundle = $2 WHERE project_id = $1")
        .bind::<SqlUuid, _>(project_id)
        .bind::<BigInt, _>(number)
        .execute(connection)?;
    Ok(())
}
