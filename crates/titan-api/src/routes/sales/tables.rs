//! Leads as tables: taken in from one, first without writing anything, and given out as one.

use actix_web::http::header::DispositionType;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use titan_core::db::PgConnection;
use titan_core::sales::{self, LeadField, LeadImport, MAX_IMPORT, Mapping};
use utoipa::IntoParams;
use uuid::Uuid;

use super::super::{Answer, State};
use super::tell;
use crate::access::{Access, SalesRead, SalesWrite};
use crate::http::body::Upload;
use crate::http::file::file;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::ApiError;

/// Which column is what, by its header, or `-` for none; guessed from the header where it is not said.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    /// Only tell what would happen.
    dry_run: Option<bool>,
    name: Option<String>,
    company: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    source: Option<String>,
    stage: Option<String>,
    value: Option<String>,
    currency: Option<String>,
    note: Option<String>,
}

impl ImportParams {
    fn mapping(self) -> Mapping {
        let said = [
            (LeadField::Name, self.name),
            (LeadField::Company, self.company),
            (LeadField::Email, self.email),
            (LeadField::Phone, self.phone),
            (LeadField::Source, self.source),
            (LeadField::Stage, self.stage),
            (LeadField::Value, self.value),
            (LeadField::Currency, self.currency),
            (LeadField::Note, self.note),
        ];
        said.into_iter().filter_map(|(field, header)| Some((field, header?))).collect()
    }
}

/// Take leads in from a table
///
/// The body is CSV in UTF-8 with a header, of at most 5 MiB and 5,000 rows, with commas, semicolons or tabs; its Content-Type
/// text/csv. A row whose e-mail is known is merged: what the lead lacks is filled in. Rows that are refused keep no other
/// from coming in, and all that come in do so at once.
#[utoipa::path(post, path = "/api/projects/{id}/leads/import", tag = "sales",
    request_body(content = String, content_type = "text/csv"),
    params(("id" = Uuid, Path), ImportParams,
        ("Idempotency-Key" = Option<String>, Header, description = "A table that was imported with this key is refused")),
    responses((status = 200, body = LeadImport)))]
pub async fn import_leads(
    _: Access<SalesWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<ImportParams>,
    key: Key,
    upload: Upload<MAX_IMPORT>,
) -> Answer<LeadImport> {
    let project_id = project_id.into_inner();
    let key = key.scoped(format!("POST /api/projects/{project_id}/leads/import"), &upload.bytes);
    let dry_run = query.0.dry_run.unwrap_or(false);
    let mapping = query.0.mapping();
    let import = move |connection: &mut PgConnection| {
        sales::import(connection, project_id, &upload.bytes, &mapping, dry_run, key.as_ref())
    };
    let import = state.db.run(import).await?;
    if !dry_run {
        tell(&state, "lead", Uuid::nil(), project_id);
    }
    Ok(web::Json(import))
}

/// Download the leads of a project as CSV, the oldest first
///
/// A cell that a spreadsheet would run as a formula begins with an apostrophe, which the import takes away again.
#[utoipa::path(get, path = "/api/projects/{id}/leads/export", tag = "sales", params(("id" = Uuid, Path)),
    responses((status = 200, description = "A lead in each line", body = String, content_type = "text/csv")))]
pub async fn export_leads(
    _: Access<SalesRead>,
    state: State,
    project_id: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let id = project_id.into_inner();
    let table = state.db.run(move |connection| sales::export(connection, id)).await?;
    Ok(file(&format!("titan-leads-{id}.csv"), "text/csv", table, DispositionType::Attachment))
}
