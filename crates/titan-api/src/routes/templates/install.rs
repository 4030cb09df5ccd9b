//! How templates come to an installation and go again. An archive or a folder is at hand and is installed at once; a git repository
//! is fetched by a worker, because the API reaches no other address than the database's.

use std::path::PathBuf;

use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::page::Page;
use titan_core::queue::Hint;
use titan_core::templates::git::{self, GitSource, TemplateInstall};
use titan_core::templates::{self, Problem, Template};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{MOST, decoded};
use crate::access::{Access, TemplatesRead, TemplatesWrite};
use crate::http::body::Body;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};
use crate::routes::{Answer, Paging, State};

/// One of `archive`, `git` and, alone, `directory`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct InstallTemplateBody {
    /// A `.tar` or `.tar.gz` in base64, with `template.yaml` at its top or in the one folder that it holds.
    #[schema(format = Byte)]
    archive: Option<String>,
    /// The https address of a git repository that everybody may read.
    #[schema(max_length = 2000, example = "https://example.com/team/templates.git")]
    git: Option<String>,
    /// With `git`: a tag, a branch or a whole commit id. Without it, what the repository offers (its main branch).
    #[serde(rename = "ref")]
    #[schema(max_length = 200, example = "v1.2")]
    git_ref: Option<String>,
    /// With `git`: the folder of the repository that holds `template.yaml`; without it, its top. Alone: a folder below
    /// `TEMPLATES_DIR` of the API's machine.
    #[schema(max_length = 240, example = "web/shop")]
    directory: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct InstalledTemplate {
    reference: String,
    /// Of its manifest and files, in lowercase hex.
    sha256: String,
    /// Whether this very template was installed before; nothing was changed then.
    unchanged: bool,
}

/// Install a template for all workers and for whoever asks this installation
///
/// From an archive or a folder at once: 200. From git a worker fetches it: 202, and `GET /api/templates/installs/{id}` says how far
/// it is; the kind of its change hints is `template`.
#[utoipa::path(post, path = "/api/templates/install", tag = "templates", request_body = InstallTemplateBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "With git: the same key and body make one install")),
    responses((status = 200, body = InstalledTemplate, description = "It is installed"),
        (status = 202, body = TemplateInstall, description = "A worker is to fetch it")))]
pub async fn install_template(
    _: Access<TemplatesWrite>,
    state: State,
    key: Key,
    body: Body<InstallTemplateBody, MOST>,
) -> Result<Installing, ApiError> {
    let key = key.scoped("POST /api/templates/install".to_owned(), &body.raw);
    let from = match From::read(body.value, state.config.templates_dir.clone())? {
        From::Git(source) => {
            let create = move |connection: &mut PgConnection| git::create(connection, &source, key.as_ref());
            let (install, replayed) = state.db.run(create).await?;
            state.notifier.send(vec![Hint::Jobs, Hint::template_change(install.id)]);
            return Ok(Installing::Begun { install, replayed });
        }
        From::Hand(from) => from,
    };
    let fetched = web::block(|| from.read()).await.map_err(|error| ApiError::internal(error.to_string()))?;
    let (template, origin) = fetched.map_err(titan_core::Error::WrongTemplate)?;
    let install = move |connection: &mut PgConnection| {
        let unchanged = templates::install(connection, &template, &origin)?;
        let sha256 = titan_core::text::hex(&template.sha256());
        Ok(InstalledTemplate { reference: template.reference(), sha256, unchanged })
    };
    let installed = state.db.run(install).await?;
    state.notifier.send(vec![Hint::template_change(Uuid::nil())]);
    Ok(Installing::Done(installed))
}

/// Read how far the installing of a template from git is
#[utoipa::path(get, path = "/api/templates/installs/{id}", tag = "templates", params(("id" = Uuid, Path)),
    responses((status = 200, body = TemplateInstall)))]
pub async fn get_template_install(
    _: Access<TemplatesRead>,
    state: State,
    id: web::Path<Uuid>,
) -> Answer<TemplateInstall> {
    Ok(web::Json(state.db.run(move |connection| git::get(connection, *id)).await?))
}

/// List the installs from git, the newest first; the last 500 are kept
#[utoipa::path(get, path = "/api/templates/installs", tag = "templates", params(Paging),
    responses((status = 200, body = Page<TemplateInstall>)))]
pub async fn list_template_installs(
    _: Access<TemplatesRead>,
    state: State,
    query: Query<Paging>,
) -> Answer<Page<TemplateInstall>> {
    let Paging { limit, cursor } = query.0;
    Ok(web::Json(state.db.run(move |connection| git::list(connection, limit, cursor.as_deref())).await?))
}

/// Uninstall a version of a template; what was begun with it keeps its bytes
#[utoipa::path(delete, path = "/api/templates/{reference}", tag = "templates",
    params(("reference" = String, Path, description = "`name@version`; the slashes of a name may stand as they are",
        example = "web/shop@1.2.0")),
    responses((status = 204, description = "It is gone")))]
pub async fn uninstall_template(
    _: Access<TemplatesWrite>,
    state: State,
    reference: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let folder = state.config.templates_dir.clone();
    let uninstall =
        move |connection: &mut PgConnection| templates::uninstall(connection, folder.as_deref(), &reference);
    state.db.run(uninstall).await?;
    state.notifier.send(vec![Hint::template_change(Uuid::nil())]);
    Ok(HttpResponse::NoContent().finish())
}

/// The two ways in which an install may be answered.
pub enum Installing {
    Done(InstalledTemplate),
    Begun { install: TemplateInstall, replayed: bool },
}

impl Responder for Installing {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        match self {
            Installing::Done(installed) => HttpResponse::Ok().json(installed),
            Installing::Begun { install, replayed } => {
                let mut response = HttpResponse::Accepted();
                response.insert_header((header::LOCATION, format!("/api/templates/installs/{}", install.id)));
                if replayed {
                    response.insert_header(("idempotent-replayed", "true"));
                }
                response.json(install)
            }
        }
    }
}

/// Where a template is to be installed from.
enum From {
    Git(GitSource),
    Hand(Hand),
}

/// What is at hand.
enum Hand {
    Archive(Vec<u8>),
    Folder { root: PathBuf, name: String },
}

impl From {
    fn read(body: InstallTemplateBody, root: Option<PathBuf>) -> Result<Self, ApiError> {
        let wrong = |field: &str, message: &str| ApiError::field(Code::ValidationFailed, field, message);
        let InstallTemplateBody { archive, git, git_ref, directory } = body;
        if git.is_none() && git_ref.is_some() {
            return Err(wrong("ref", "is for a git repository: say its address in git"));
        }
        match (archive, git, directory) {
            (Some(archive), None, None) => Ok(From::Hand(Hand::Archive(decoded("archive", &archive)?))),
            (None, Some(url), directory) => {
                Ok(From::Git(GitSource::checked(&url, git_ref.as_deref(), directory.as_deref())?))
            }
            (None, None, Some(name)) => {
                let root =
                    root.ok_or_else(|| wrong("directory", "needs TEMPLATES_DIR, which is not set for the API"))?;
                Ok(From::Hand(Hand::Folder { root, name }))
            }
            (None, None, None) => Err(wrong("archive", "is required, or git or directory in its place")),
            (Some(_), ..) => Err(wrong("archive", "stands alone: leave out git and directory, or the archive")),
        }
    }
}

impl Hand {
    fn read(self) -> Result<(Template, String), Vec<Problem>> {
        match self {
            Hand::Archive(bytes) => Ok((templates::unpack(&bytes)?, "an archive".to_owned())),
            Hand::Folder { root, name } => Ok((templates::in_folder(&root, &name)?, format!("the folder {name}"))),
        }
    }
}
