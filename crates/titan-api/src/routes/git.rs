//! The history of a project's files: where they stand, the commits, and what differs.

use actix_web::web;
use serde::{Deserialize, Serialize};
use titan_core::page::{self, Page};
use titan_core::workspaces::{Branch, Commit, Difference, FileDifference, Workspace};
use titan_core::{Error, Result};
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
    /// A commit, or a branch; the commit before `to` when it is not given.
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
        // From the commit of the first page on, so that a page does not move when there are new ones. Not from the last one of the page
        // before: where two lines of history were merged, only one of them leads back from there.
        let begun = match &cursor {
            Some(cursor) => Some(begun(workspace, cursor)?),
            None => workspace.head(branch).map(|head| (head.to_owned(), 0)),
        };
        let Some((from, skip)) = begun else { return Ok(Page::of(Vec::new(), limit, |_: &Commit| String::new())) };
        let count = usize::try_from(limit).unwrap_or(0);
        let commits = workspace.log(&from, path.as_deref(), skip, count + 1)?;
        Ok(Page::of(commits, limit, |_| format!("{from}:{}", skip.saturating_add(count))))
    };
    Ok(web::Json(state.workspaces.with(*project_id, read).await?))
}

/// Where a list of commits began, and how many of them were given.
fn begun(workspace: &Workspace, cursor: &str) -> Result<(String, usize)> {
    let parts = cursor.split_once(':').and_then(|(from, skip)| Some((from, skip.parse().ok()?)));
    let known = parts.and_then(|(from, skip)| Some((workspace.known(from).ok()?, skip)));
    known.ok_or_else(|| Error::invalid("cursor", "is not a cursor that this list gave out"))
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
        let Some(to) = place(workspace, "to", to.as_deref().unwrap_or("main"))? else { return Ok(None) };
        let from = match from {
            Some(from) => place(workspace, "from", &from)?,
            None => workspace.parent(&to)?,
        };
        let Difference { files, patch, truncated } = workspace.difference(from.as_deref(), &to)?;
        Ok(Some(GitDiff { from, to, files, patch, truncated }))
    };
    let diff = state.workspaces.with(*project_id, read).await?;
    let none = || ApiError::new(Code::FileNotFound, "The project has no files yet, so that nothing differs.");
    Ok(web::Json(diff.ok_or_else(none)?))
}

/// The commit that is meant by its id or by a branch; nothing for a project without files.
fn place(workspace: &Workspace, field: &'static str, named: &str) -> Result<Option<String>> {
    match Branch::named(named) {
        Ok(branch @ Branch::OfRun(_)) if workspace.head(branch).is_none() => {
            let message = "names a run that has no files of its own: it changed none, or they were merged or rejected";
            Err(Error::invalid(field, message))
        }
        Ok(branch) => Ok(workspace.head(branch).map(str::to_owned)),
        Err(_) => workspace.known(named).map(Some).map_err(|_| {
            let message = format!(
                "must be main, run/<id of a run>, or the id of a commit of this project (7 to 40 hexadecimal digits), and is {named:?}"
            );
            Error::invalid(field, message)
        }),
    }
}
