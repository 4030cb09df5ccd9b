//! The history of a project's files: where they stand, the commits, and what differs.

use actix_web::web;
use serde::{Deserialize, Serialize};
use titan_core::page::{self, Page};
use titan_core::workspaces::{Branch, Commit, Difference, FileDifference, Workspace};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::files::branch_of;
use super::{Answer, State};
use crate::access::{Access, FilesRead};
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};

#[derive(Debug, Serialize, ToSchema)]
pub struct GitStatus {
    /// What the project's files are.
    branch: String,
    /// The last commit; null when there are no files yet.
    head: Option<Commit>,
    /// Runs whose files are not merged yet.
    unmerged_runs: Vec<Uuid>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// `main`, which is also what it is without this, or `run/<id>`.
    branch: Option<String>,
    /// Only commits that changed this file or something in this folder.
    path: Option<String>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// A commit; the one before `to` when it is not given.
    from: Option<String>,
    /// A commit, or a branch; `main` when it is not given.
    to: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct GitDiff {
    /// Null for nothing: everything in `to` is new.
    from: Option<String>,
    to: String,
    files: Vec<FileDifference>,
    /// A unified diff.
    patch: String,
    /// Whether the diff goes on.
    truncated: bool,
}

/// Where a project's files stand
#[utoipa::path(get, path = "/api/projects/{id}/git/status", tag = "files", params(("id" = Uuid, Path)),
    responses((status = 200, body = GitStatus)))]
pub async fn get_status(_: Access<FilesRead>, state: State, project_id: web::Path<Uuid>) -> Answer<GitStatus> {
    let read = |workspace: &Workspace| {
        let head = workspace.head(Branch::Main);
        let head = head.map(|head| workspace.log(head, None, 0, 1)).transpose()?.and_then(|mut log| log.pop());
        Ok(GitStatus { branch: Branch::Main.name(), head, unmerged_runs: workspace.unmerged_runs() })
    };
    Ok(web::Json(state.workspaces.with(*project_id, read).await?))
}

/// List the commits of a project's files, the newest first
#[utoipa::path(get, path = "/api/projects/{id}/git/log", tag = "files", params(("id" = Uuid, Path), LogQuery),
    responses((status = 200, body = Page<Commit>)))]
pub async fn list_commits(
    _: Access<FilesRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<LogQuery>,
) -> Answer<Page<Commit>> {
    let LogQuery { branch, path, limit, cursor } = query.0;
    let (branch, limit) = (branch_of(branch.as_deref())?, page::limit(limit)?);
    let read = move |workspace: &Workspace| {
        let head = workspace.head(branch);
        // From a commit on, so that a page does not move when there are new ones; that one itself was on the page before.
        let (from, skip) = match &cursor {
            Some(cursor) => (Some(workspace.known(cursor)?), 1),
            None => (head.map(str::to_owned), 0),
        };
        let most = usize::try_from(limit).unwrap_or(0) + 1;
        let log = |from: String| workspace.log(&from, path.as_deref(), skip, most);
        Ok(Page::of(from.map(log).transpose()?.unwrap_or_default(), limit, |commit| commit.id.clone()))
    };
    Ok(web::Json(state.workspaces.with(*project_id, read).await?))
}

/// What differs between two commits
#[utoipa::path(get, path = "/api/projects/{id}/git/diff", tag = "files", params(("id" = Uuid, Path), DiffQuery),
    responses((status = 200, body = GitDiff)))]
pub async fn get_diff(
    _: Access<FilesRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<DiffQuery>,
) -> Answer<GitDiff> {
    let DiffQuery { from, to } = query.0;
    let read = move |workspace: &Workspace| {
        let to = match to.as_deref().map(|to| (Branch::named(to), to)) {
            None => workspace.head(Branch::Main).map(str::to_owned),
            Some((Ok(branch), _)) => workspace.head(branch).map(str::to_owned),
            Some((Err(_), commit)) => Some(workspace.known(commit)?),
        };
        let Some(to) = to else { return Ok(None) };
        let from = match from {
            Some(from) => Some(workspace.known(&from)?),
            None => workspace.parent(&to)?,
        };
        let Difference { files, patch, truncated } = workspace.difference(from.as_deref(), &to)?;
        Ok(Some(GitDiff { from, to, files, patch, truncated }))
    };
    let diff = state.workspaces.with(*project_id, read).await?;
    let none = || ApiError::new(Code::FileNotFound, "The project has no files yet, so that nothing differs.");
    Ok(web::Json(diff.ok_or_else(none)?))
}
