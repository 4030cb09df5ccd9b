//! Log lines of a run or a project: a page, or all of them as a file.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use chrono::SecondsFormat;
use futures_util::Stream;
use serde::Deserialize;
use titan_core::db::{Db, PgConnection};
use titan_core::logs::{self, Lines, LogLine, Order, Search};
use titan_core::state::Level;
use titan_core::{projects, runs};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::State;
use crate::access::{Access, RunsRead};
use crate::http::params::Query;
use crate::http::problem::ApiError;

/// Lines that are read at once for a download.
const CHUNK: i64 = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Jsonl,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogFilter {
    /// This level and all louder ones.
    level: Option<Level>,
    run_id: Option<Uuid>,
    task_id: Option<Uuid>,
    /// Part of the message, in any case.
    q: Option<String>,
    /// `asc`, the oldest first, when it is not given.
    order: Option<Order>,
    /// 1 to 1000; 50 when it is not given.
    limit: Option<i64>,
    cursor: Option<String>,
    /// All lines that match as a file instead of a page.
    download: Option<LogFormat>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DownloadFilter {
    level: Option<Level>,
    run_id: Option<Uuid>,
    task_id: Option<Uuid>,
    q: Option<String>,
    order: Option<Order>,
    /// `text` when it is not given.
    format: Option<LogFormat>,
}

/// What the lines belong to.
#[derive(Clone, Copy)]
enum Of {
    Run(Uuid),
    Project(Uuid),
}

/// Read the log of a run
#[utoipa::path(get, path = "/api/runs/{id}/logs", tag = "logs", params(("id" = Uuid, Path), LogFilter),
    responses((status = 200, content((Lines = "application/json"), (String = "text/plain"), (String = "application/jsonl")))))]
pub async fn list_run_logs(
    _: Access<RunsRead>,
    state: State,
    id: web::Path<Uuid>,
    query: Query<LogFilter>,
) -> Result<HttpResponse, ApiError> {
    page_or_file(&state, Of::Run(*id), query.0).await
}

/// Read the log of a project
#[utoipa::path(get, path = "/api/projects/{id}/logs", tag = "logs", params(("id" = Uuid, Path), LogFilter),
    responses((status = 200, content((Lines = "application/json"), (String = "text/plain"), (String = "application/jsonl")))))]
pub async fn list_project_logs(
    _: Access<RunsRead>,
    state: State,
    id: web::Path<Uuid>,
    query: Query<LogFilter>,
) -> Result<HttpResponse, ApiError> {
    page_or_file(&state, Of::Project(*id), query.0).await
}

/// Download the log of a run
#[utoipa::path(get, path = "/api/runs/{id}/logs/download", tag = "logs", params(("id" = Uuid, Path), DownloadFilter),
    responses((status = 200, content((String = "text/plain"), (String = "application/jsonl")))))]
pub async fn download_run_logs(
    _: Access<RunsRead>,
    state: State,
    id: web::Path<Uuid>,
    query: Query<DownloadFilter>,
) -> Result<HttpResponse, ApiError> {
    page_or_file(&state, Of::Run(*id), query.0.into()).await
}

/// Download the log of a project
#[utoipa::path(get, path = "/api/projects/{id}/logs/download", tag = "logs",
    params(("id" = Uuid, Path), DownloadFilter),
    responses((status = 200, content((String = "text/plain"), (String = "application/jsonl")))))]
pub async fn download_project_logs(
    _: Access<RunsRead>,
    state: State,
    id: web::Path<Uuid>,
    query: Query<DownloadFilter>,
) -> Result<HttpResponse, ApiError> {
    page_or_file(&state, Of::Project(*id), query.0.into()).await
}

impl From<DownloadFilter> for LogFilter {
    fn from(filter: DownloadFilter) -> Self {
        LogFilter {
            level: filter.level,
            run_id: filter.run_id,
            task_id: filter.task_id,
            q: filter.q,
            order: filter.order,
            limit: None,
            cursor: None,
            download: Some(filter.format.unwrap_or(LogFormat::Text)),
        }
    }
}

async fn page_or_file(state: &State, of: Of, filter: LogFilter) -> Result<HttpResponse, ApiError> {
    let search = Search {
        project_id: if let Of::Project(id) = of { Some(id) } else { None },
        run_id: if let Of::Run(id) = of { Some(id) } else { filter.run_id },
        task_id: filter.task_id,
        level: filter.level,
        text: filter.q,
        order: filter.order.unwrap_or_default(),
    };
    let exists = move |connection: &mut PgConnection| match of {
        Of::Run(id) => runs::position(connection, id).map(|_| ()),
        Of::Project(id) => projects::exists(connection, id),
    };
    if let Some(format) = filter.download {
        state.db.run(exists).await?;
        return Ok(file(state.db.clone(), of, search, format));
    }
    let (limit, cursor) = (filter.limit, filter.cursor);
    let read = move |connection: &mut PgConnection| {
        exists(connection)?;
        logs::search(connection, &search, limit, cursor.as_deref())
    };
    let lines: Lines = state.db.run(read).await?;
    Ok(HttpResponse::Ok().json(lines))
}

fn file(db: Db, of: Of, search: Search, format: LogFormat) -> HttpResponse {
    let (Of::Run(id) | Of::Project(id)) = of;
    let (media_type, extension) = match format {
        LogFormat::Text => ("text/plain; charset=utf-8", "txt"),
        LogFormat::Jsonl => ("application/jsonl", "jsonl"),
    };
    HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"titan-{id}.{extension}\"")))
        .streaming(chunks(db, search, format))
}

/// A chunk is read when the one before was taken. An error in the middle cuts the answer off, so that nobody takes a part
/// for the whole.
fn chunks(db: Db, search: Search, format: LogFormat) -> impl Stream<Item = titan_core::Result<Bytes>> {
    futures_util::stream::try_unfold(Some(None), move |position: Option<Option<LogLine>>| {
        let (db, search) = (db.clone(), search.clone());
        async move {
            let Some(after) = position else { return Ok(None) };
            let lines = db.run(move |connection| logs::chunk(connection, &search, CHUNK, after.as_ref())).await?;
            let more = i64::try_from(lines.len()) == Ok(CHUNK);
            let mut out = Vec::new();
            for line in &lines {
                write(&mut out, line, format);
            }
            let next = if more { lines.into_iter().next_back().map(Some) } else { None };
            Ok(Some((out.into(), next)))
        }
    })
}

fn write(out: &mut Vec<u8>, line: &LogLine, format: LogFormat) {
    match format {
        LogFormat::Text => {
            let at = line.timestamp.to_rfc3339_opts(SecondsFormat::Millis, true);
            let level = line.level.as_str().to_uppercase();
            // One line each, also where a message has several.
            let message = line.message.replace(['\r', '\n'], " ");
            out.extend_from_slice(
                format!("{at} {level:<5} {message} run={} seq={}\n", line.run_id, line.seq).as_bytes(),
            );
        }
        LogFormat::Jsonl => {
            out.extend_from_slice(&serde_json::to_vec(line).unwrap_or_default());
            out.push(b'\n');
        }
    }
}
