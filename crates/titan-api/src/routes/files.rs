//! The files of a project: list, read, write, delete. Each change is a commit; `ETag` and `If-Match` keep two people from writing over
//! each other.

use actix_web::http::header::{self, DispositionType};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use serde::{Deserialize, Serialize};
use titan_core::page::{self, Page};
use titan_core::queue::Hint;
use titan_core::workspaces::{Branch, Change, FileEntry, MAX_FILE, Precondition, Said, Workspace, Written};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Answer, State};
use crate::access::{Access, FilesRead, FilesWrite};
use crate::http::body::Body;
use crate::http::file::file;
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};

/// A file in base64, and some room for the rest.
const MOST: usize = MAX_FILE / 3 * 4 + (1 << 20);
const MOST_LISTED: i64 = 1000;
/// Until somebody can sign in.
const AUTHOR: &str = "A person";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FilesQuery {
    /// `main`, which is also what it is without this, or `run/<id>` for what a run works on.
    branch: Option<String>,
    /// Only what lies beneath this folder.
    path: Option<String>,
    /// 1 to 1000; 50 when it is not given.
    limit: Option<i64>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// As for the list.
    branch: Option<String>,
    /// A commit, for the file as it was then.
    at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Files {
    /// The commit that is listed; null when there are no files yet.
    commit: Option<String>,
    /// How many there are in all, and their bytes.
    total: usize,
    total_size: u64,
    items: Vec<FileEntry>,
    next_cursor: Option<String>,
}

/// One of `content` and `data`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct FileBody {
    /// Text.
    content: Option<String>,
    /// Bytes in base64, 25 MiB of them at most.
    #[schema(format = Byte)]
    data: Option<String>,
    /// Whether it may be run; as it was when this is not given.
    executable: Option<bool>,
    /// Why, for the history.
    #[schema(max_length = 2000)]
    message: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FileWritten {
    path: String,
    /// The commit where the project's files stand now.
    commit: String,
    /// False when the file was like this already.
    changed: bool,
}

/// List the files of a project by their paths
#[utoipa::path(get, path = "/api/projects/{id}/files", tag = "files", params(("id" = Uuid, Path), FilesQuery),
    responses((status = 200, body = Files)))]
pub async fn list_files(
    _: Access<FilesRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<FilesQuery>,
) -> Answer<Files> {
    let FilesQuery { branch, path, limit, cursor } = query.0;
    let (branch, limit) = (branch_of(branch.as_deref())?, page::limit_up_to(limit, MOST_LISTED)?);
    let list = move |workspace: &Workspace| {
        let commit = workspace.head(branch).map(str::to_owned);
        let mut entries = commit.as_deref().map(|commit| workspace.entries(commit)).transpose()?.unwrap_or_default();
        if let Some(folder) = path.as_deref().map(|path| path.trim_matches('/')).filter(|path| !path.is_empty()) {
            let folder = format!("{folder}/");
            entries.retain(|entry| entry.path.starts_with(&folder));
        }
        let (total, total_size) = (entries.len(), entries.iter().map(|entry| entry.size).sum());
        let after = |entry: &FileEntry| cursor.as_deref().is_none_or(|cursor| entry.path.as_str() > cursor);
        let most = usize::try_from(limit).unwrap_or(0) + 1;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let rows = entries.into_iter().filter(after).take(most).collect();
        let Page { items, next_cursor } = Page::of(rows, limit, |entry: &FileEntry| entry.path.clone());
        Ok(Files { commit, total, total_size, items, next_cursor })
    };
    Ok(web::Json(state.workspaces.with(*project_id, list).await?))
}

/// Read a file
#[utoipa::path(get, path = "/api/projects/{id}/files/{path}", tag = "files",
    params(("id" = Uuid, Path), ("path" = String, Path, description = "May hold slashes"), FileQuery),
    responses((status = 200, description = "In the media type that its name suggests; its ETag is for If-Match", body = Vec<u8>,
        content_type = "application/octet-stream")))]
pub async fn get_file(
    _: Access<FilesRead>,
    state: State,
    place: web::Path<(Uuid, String)>,
    query: Query<FileQuery>,
) -> Result<HttpResponse, ApiError> {
    let (project_id, path) = place.into_inner();
    let branch = branch_of(query.0.branch.as_deref())?;
    let (wanted, at) = (path.clone(), query.0.at);
    let read = move |workspace: &Workspace| {
        let commit = match at {
            Some(at) => Some(workspace.known(&at)?),
            None => workspace.head(branch).map(str::to_owned),
        };
        Ok(commit.map(|commit| workspace.file(&commit, &wanted)).transpose()?.flatten())
    };
    let found = state.workspaces.with(project_id, read).await?;
    let found = found.ok_or_else(|| missing(&path))?;
    let name = path.rsplit('/').next().unwrap_or(&path);
    let media_type = media_type(name, &found.bytes);
    let mut response = file(name, media_type, found.bytes, DispositionType::Inline);
    if let Ok(tag) = header::HeaderValue::from_str(&format!("\"{}\"", found.id)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Write a file; with If-Match only if it is still what was read, with `If-None-Match: *` only if it is not there
#[utoipa::path(put, path = "/api/projects/{id}/files/{path}", tag = "files", request_body = FileBody,
    params(("id" = Uuid, Path), ("path" = String, Path), ("If-Match" = Option<String>, Header), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = FileWritten)))]
pub async fn put_file(
    _: Access<FilesWrite>,
    state: State,
    place: web::Path<(Uuid, String)>,
    request: HttpRequest,
    body: Body<FileBody, MOST>,
) -> Answer<FileWritten> {
    let (project_id, path) = place.into_inner();
    let FileBody { content, data, executable, message } = body.value;
    let bytes = match (content, data) {
        (Some(content), None) => content.into_bytes(),
        (None, Some(data)) => STANDARD
            .decode(data.trim())
            .map_err(|error| ApiError::field(Code::ValidationFailed, "data", format!("must be base64: {error}")))?,
        _ => {
            let message = "is required, or else data: the one is text and the other bytes in base64";
            return Err(ApiError::field(Code::ValidationFailed, "content", message));
        }
    };
    let only_if = precondition(&request)?;
    let change = Change::Put { path: path.clone(), bytes, executable: executable.unwrap_or(false) };
    let message = message.unwrap_or_else(|| format!("Write {path}"));
    let Written { commit, changed } = write(&state, project_id, change, executable.is_none(), only_if, message).await?;
    Ok(web::Json(FileWritten { path, commit, changed }))
}

/// Delete a file; what it was stays in the history
#[utoipa::path(delete, path = "/api/projects/{id}/files/{path}", tag = "files",
    params(("id" = Uuid, Path), ("path" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = FileWritten)))]
pub async fn delete_file(
    _: Access<FilesWrite>,
    state: State,
    place: web::Path<(Uuid, String)>,
    request: HttpRequest,
) -> Answer<FileWritten> {
    let (project_id, path) = place.into_inner();
    let change = Change::Delete { path: path.clone() };
    let wanted = path.clone();
    let find = move |workspace: &Workspace| match workspace.head(Branch::Main) {
        Some(head) => workspace.file(head, &wanted),
        None => Ok(None),
    };
    if state.workspaces.with(project_id, find).await?.is_none() {
        return Err(missing(&path));
    }
    let message = format!("Delete {path}");
    let Written { commit, changed } =
        write(&state, project_id, change, false, precondition(&request)?, message).await?;
    Ok(web::Json(FileWritten { path, commit, changed }))
}

/// One change on `main`. A file that is there already may stay as executable as it was.
async fn write(
    state: &State,
    project_id: Uuid,
    mut change: Change,
    as_executable_as_before: bool,
    only_if: Precondition,
    message: String,
) -> Result<Written, ApiError> {
    let work = move |workspace: &Workspace| {
        if let (true, Change::Put { path, executable, .. }) = (as_executable_as_before, &mut change)
            && let Some(head) = workspace.head(Branch::Main)
        {
            *executable = workspace.entries(head)?.iter().any(|entry| entry.path == *path && entry.executable);
        }
        let said = Said { author: AUTHOR, message: &message, at: Utc::now() };
        workspace.write(Branch::Main, &[change], &only_if, &said)
    };
    let written = state.workspaces.with(project_id, work).await?;
    if written.changed {
        state.notifier.send(vec![Hint::change("files", project_id, project_id)]);
    }
    Ok(written)
}

pub(super) fn branch_of(name: Option<&str>) -> Result<Branch, ApiError> {
    Ok(name.map_or(Ok(Branch::Main), Branch::named)?)
}

fn missing(path: &str) -> ApiError {
    ApiError::new(Code::FileNotFound, format!("The project has no file {path:?}."))
}

/// `If-Match: "<id>"` and `If-None-Match: *`, as RFC 9110 has them; of the other forms there is no use here.
fn precondition(request: &HttpRequest) -> Result<Precondition, ApiError> {
    let header = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let wrong = |name: &str, right: &str| Err(ApiError::field(Code::InvalidRequest, name, format!("must be {right}")));
    match (header(header::IF_MATCH).map(str::trim), header(header::IF_NONE_MATCH).map(str::trim)) {
        (None, None) => Ok(Precondition::None),
        (None, Some("*")) => Ok(Precondition::Absent),
        (None, Some(_)) => wrong("If-None-Match", "*"),
        (Some(tag), _) => match tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) {
            Some(id) if !id.contains('"') => Ok(Precondition::Is(id.to_owned())),
            _ => wrong("If-Match", "the ETag of the file as it was read, in quotes"),
        },
    }
}

/// What a browser is told. Text that is a page or a script elsewhere is text here: nothing of a project runs on this site.
fn media_type(name: &str, bytes: &[u8]) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        _ if !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok() => "text/plain",
        _ => "application/octet-stream",
    }
}
