//! The catalogue of templates: found, shown and checked, and in `install` how they come and go. What a project makes of one is a
//! worker's business.

pub mod install;

use std::collections::BTreeMap;

use actix_web::web;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::page::Page;
use titan_core::templates::{self, Broken, Entry, Filter, Manifest, Offer, Problem, Template, TemplateFile};
use utoipa::{IntoParams, ToSchema};

use super::{Answer, State};
use crate::access::{Access, TemplatesRead};
use crate::http::body::{Body, required};
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};

/// A template in base64, and some room for the rest.
const MOST: usize = templates::MAX_TOTAL / 3 * 4 + (2 << 20);

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TemplateFilter {
    /// Words that must all be in name, title, description or tags, in any case.
    q: Option<String>,
    tag: Option<String>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Templates {
    items: Vec<Entry>,
    next_cursor: Option<String>,
    /// Folders below `TEMPLATES_DIR` that should hold a template and do not.
    broken: Vec<Broken>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateDetails {
    /// `name@version`, as a run would be made from it.
    reference: String,
    /// The version that the reference means, and where it comes from.
    offer: Offer,
    manifest: Manifest,
    files: Vec<TemplateFile>,
    /// All versions there are, the one that counts first.
    versions: Vec<Offer>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct ValidateTemplateBody {
    /// The text of `template.yaml`.
    #[schema(required, nullable = false)]
    manifest: Option<String>,
    /// The files under `files/`. Without them only the manifest is looked at.
    files: Option<Vec<TemplateFileBody>>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct TemplateFileBody {
    #[schema(required, nullable = false, example = "README.md")]
    path: Option<String>,
    /// What it holds, when that is text.
    text: Option<String>,
    /// What it holds, in base64.
    #[schema(format = Byte)]
    data: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateValidity {
    valid: bool,
    /// All that was found, at most 100.
    problems: Vec<Problem>,
}

/// List the templates that a project can be made from, by name
#[utoipa::path(get, path = "/api/templates", tag = "templates", params(TemplateFilter),
    responses((status = 200, body = Templates)))]
pub async fn list_templates(_: Access<TemplatesRead>, state: State, query: Query<TemplateFilter>) -> Answer<Templates> {
    let TemplateFilter { q, tag, limit, cursor } = query.0;
    let folder = state.config.templates_dir.clone();
    let list = move |connection: &mut PgConnection| {
        let catalogue = templates::catalogue(connection, folder.as_deref())?;
        let Page { items, next_cursor } = catalogue.list(&Filter { q, tag }, limit, cursor.as_deref())?;
        Ok(Templates { items, next_cursor, broken: catalogue.broken })
    };
    Ok(web::Json(state.db.run(list).await?))
}

/// Read a template: its manifest with the schema of its inputs, its files, and its versions
#[utoipa::path(get, path = "/api/templates/{reference}", tag = "templates",
    params(("reference" = String, Path, description = "`name` for the newest version, or `name@version`; the slashes of a name may \
        stand as they are", example = "persona/basic")),
    responses((status = 200, body = TemplateDetails)))]
pub async fn get_template(
    _: Access<TemplatesRead>,
    state: State,
    reference: web::Path<String>,
) -> Answer<TemplateDetails> {
    let folder = state.config.templates_dir.clone();
    let read = move |connection: &mut PgConnection| {
        let catalogue = templates::catalogue(connection, folder.as_deref())?;
        let (entry, offer) = catalogue.find(&reference)?;
        let template = catalogue.load(connection, &reference)?;
        let files = template.listing();
        let reference = template.reference();
        Ok(TemplateDetails { reference, offer, manifest: template.manifest, files, versions: entry.versions })
    };
    Ok(web::Json(state.db.run(read).await?))
}

/// Find out what is wrong with a template, all of it at once; nothing is kept
#[utoipa::path(post, path = "/api/templates/validate", tag = "templates", request_body = ValidateTemplateBody,
    responses((status = 200, body = TemplateValidity)))]
pub async fn validate_template(
    _: Access<TemplatesRead>,
    body: Body<ValidateTemplateBody, MOST>,
) -> Answer<TemplateValidity> {
    let manifest = required("manifest", body.value.manifest)?;
    let files = body.value.files.map(read_files).transpose()?;
    let look = move || match files {
        None => templates::parse(&manifest).err(),
        Some(files) => Template::new(manifest, files).err(),
    };
    let problems = web::block(look).await.map_err(|error| ApiError::internal(error.to_string()))?.unwrap_or_default();
    Ok(web::Json(TemplateValidity { valid: problems.is_empty(), problems }))
}

fn read_files(files: Vec<TemplateFileBody>) -> Result<BTreeMap<String, Vec<u8>>, ApiError> {
    let mut read = BTreeMap::new();
    for (index, file) in files.into_iter().enumerate() {
        let wrong = |field: &str, message: &str| {
            ApiError::field(Code::ValidationFailed, format!("files[{index}].{field}"), message)
        };
        let path = file.path.ok_or_else(|| wrong("path", "is required"))?;
        let bytes = match (file.text, file.data) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(data)) => decoded(&format!("files[{index}].data"), &data)?,
            _ => return Err(wrong("text", "is required, or data in its place")),
        };
        if read.insert(path, bytes).is_some() {
            return Err(wrong("path", "is there already"));
        }
    }
    Ok(read)
}

fn decoded(field: &str, data: &str) -> Result<Vec<u8>, ApiError> {
    let wrong = |error| ApiError::field(Code::ValidationFailed, field, format!("must be base64: {error}"));
    STANDARD.decode(data.trim()).map_err(wrong)
}
