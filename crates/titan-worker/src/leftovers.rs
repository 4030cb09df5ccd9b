//! What lies on this machine's disk for runs and projects that are no more: folders of commands whose worker was killed, and the
//! builds, caches and copies of files of deleted projects. And the branches of runs that nobody will merge. Each worker looks after
//! its own machine, when it starts and from time to time.
//!
//! Nothing here is the only copy of anything. What this database has never heard of may be another one's, and stays.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use titan_core::db::Db;
use titan_core::{Result, projects, runs, workspaces};
use titan_sandbox::remove_all;
use uuid::Uuid;

use crate::handlers::exec;

const EVERY: Duration = Duration::from_secs(3600);

pub(crate) async fn keep_clear(db: Db, data_dir: PathBuf) {
    loop {
        match clear(&db, &data_dir).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed what ended runs and deleted projects had left on the disk"),
            Err(error) => tracing::warn!(%error, "what is left on the disk could not be looked through"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Gives how many things were removed.
async fn clear(db: &Db, data_dir: &Path) -> Result<usize> {
    db.run(workspaces::drop_abandoned).await?;
    let of_runs = named(&exec::folders(&data_dir.join("work")));
    let of_projects: Vec<Left> =
        ["work", "caches", "workspaces"].iter().flat_map(|folder| named(&data_dir.join(folder))).collect();
    if of_runs.is_empty() && of_projects.is_empty() {
        return Ok(0);
    }
    let (asked_runs, asked_projects) = (ids(&of_runs), ids(&of_projects));
    let (runs, projects) = db
        .run(move |connection| {
            Ok((runs::ended_among(connection, &asked_runs)?, projects::deleted_among(connection, &asked_projects)?))
        })
        .await?;
    let gone = of_runs.into_iter().filter(|left| runs.contains(&left.id));
    let gone: Vec<PathBuf> =
        gone.chain(of_projects.into_iter().filter(|left| projects.contains(&left.id))).map(|left| left.path).collect();
    let removed = tokio::task::spawn_blocking(move || gone.iter().filter(|path| remove(path)).count()).await;
    Ok(removed.unwrap_or(0))
}

struct Left {
    path: PathBuf,
    id: Uuid,
}

/// What is in a folder under a name that begins with an id.
fn named(folder: &Path) -> Vec<Left> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let left = entries.flatten().filter_map(|entry| {
        let id = entry.file_name().to_str()?.get(..36)?.parse().ok()?;
        Some(Left { path: entry.path(), id })
    });
    left.collect()
}

fn ids(left: &[Left]) -> Vec<Uuid> {
    left.iter().map(|left| left.id).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Somebody else may be faster.
fn remove(path: &Path) -> bool {
    let removed = match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => remove_all(path),
        _ => fs::remove_file(path),
    };
    if let Err(error) = &removed
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "what nobody needs any more could not be removed");
    }
    removed.is_ok()
}
