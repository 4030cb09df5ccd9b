//! Installed templates, in the database: every API and every worker sees the same, whatever lies on its disk.

use std::path::Path;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Jsonb, Text, Timestamptz};
use diesel::{Connection, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;

use super::archive;
use super::catalogue::{TemplateSource, catalogue};
use super::manifest::Manifest;
use super::names::Reference;
use super::problem::in_words;
use super::template::Template;
use crate::{Error, Result};

/// Versions of templates that can be installed.
const MOST: i64 = 1000;

/// An installed version, without its files.
#[derive(Debug, Clone)]
pub struct Installed {
    pub manifest: Manifest,
    pub sha256: Vec<u8>,
    pub origin: String,
    pub installed_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Jsonb)]
    manifest: Value,
    #[diesel(sql_type = Binary)]
    sha256: Vec<u8>,
    #[diesel(sql_type = Text)]
    origin: String,
    #[diesel(sql_type = Timestamptz)]
    installed_at: DateTime<Utc>,
}

/// Installs a version. The same once more changes nothing. The flag says whether it was there already.
///
/// # Errors
/// [`Error::Conflict`] when this version is installed with other content, or there are too many.
pub fn install(connection: &mut PgConnection, template: &Template, origin: &str) -> Result<bool> {
    let manifest = &template.manifest;
    let json = serde_json::to_value(manifest).map_err(|error| Error::Internal(error.to_string()))?;
    connection.transaction(|connection| {
        // One after the other, so that the limit holds.
        sql_query("LOCK TABLE templates IN SHARE ROW EXCLUSIVE MODE").execute(connection)?;
        if let Some(there) = version(connection, &manifest.name, &manifest.version)? {
            if there.sha256 == template.sha256() {
                return Ok(true);
            }
            let message = format!(
                "{} is installed already, with other content; give what has changed a higher version",
                template.reference()
            );
            return Err(Error::Conflict(message));
        }
        check_room(connection)?;
        keep(connection, template)?;
        sql_query("INSERT INTO templates (name, version, sha256, manifest, origin) VALUES ($1, $2, $3, $4, $5)")
            .bind::<Text, _>(&manifest.name)
            .bind::<Text, _>(&manifest.version)
            .bind::<Binary, _>(template.sha256().as_slice())
            .bind::<Jsonb, _>(json)
            .bind::<Text, _>(crate::text::head(origin, 500))
            .execute(connection)?;
        Ok(false)
    })
}

fn check_room(connection: &mut PgConnection) -> Result<()> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        there: i64,
    }
    let count: Count = sql_query("SELECT count(*) AS there FROM templates").get_result(connection)?;
    if count.there >= MOST {
        return Err(Error::Conflict(format!("{MOST} versions of templates are installed, which is all there can be")));
    }
    Ok(())
}

fn version(connection: &mut PgConnection, name: &str, version: &str) -> Result<Option<Row>> {
    let row =
        sql_query("SELECT manifest, sha256, origin, installed_at FROM templates WHERE name = $1 AND version = $2")
            .bind::<Text, _>(name)
            .bind::<Text, _>(version)
            .get_result(connection)
            .optional()?;
    Ok(row)
}

/// All of them.
pub(super) fn all(connection: &mut PgConnection) -> Result<Vec<Installed>> {
    let rows: Vec<Row> =
        sql_query("SELECT manifest, sha256, origin, installed_at FROM templates ORDER BY name, version LIMIT $1")
            .bind::<BigInt, _>(MOST)
            .load(connection)?;
    rows.into_iter().map(installed).collect()
}

fn installed(row: Row) -> Result<Installed> {
    let manifest = serde_json::from_value(row.manifest)
        .map_err(|error| Error::Internal(format!("the manifest of an installed template cannot be read: {error}")))?;
    Ok(Installed { manifest, sha256: row.sha256, origin: row.origin, installed_at: row.installed_at })
}

/// Keeps the bytes of a template, wherever it came from, so that a run which begins with it finds the same on any machine and
/// after any update.
///
/// # Errors
/// When the database does not answer.
pub fn keep(connection: &mut PgConnection, template: &Template) -> Result<()> {
    sql_query("INSERT INTO template_archives (sha256, archive) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind::<Binary, _>(template.sha256().as_slice())
        .bind::<Binary, _>(template.archive())
        .execute(connection)?;
    Ok(())
}

/// A template by its checksum, as it was kept.
///
/// # Errors
/// [`Error::Internal`] when it was not kept, or is not what it was.
pub fn kept(connection: &mut PgConnection, sha256: &[u8]) -> Result<Template> {
    #[derive(QueryableByName)]
    struct Archive {
        #[diesel(sql_type = Binary)]
        archive: Vec<u8>,
    }
    let row: Option<Archive> = sql_query("SELECT archive FROM template_archives WHERE sha256 = $1")
        .bind::<Binary, _>(sha256)
        .get_result(connection)
        .optional()?;
    let missing = || Error::Internal(format!("the template {} was not kept", crate::text::hex(sha256)));
    let template = archive::unpack(&row.ok_or_else(missing)?.archive)
        .map_err(|problems| Error::Internal(format!("a kept template cannot be read: {}", in_words(&problems))))?;
    if template.sha256() != sha256 {
        return Err(Error::Internal(format!("the template {} is not what it was", crate::text::hex(sha256))));
    }
    Ok(template)
}

/// Takes an installed version away. What was begun with it keeps its bytes.
///
/// # Errors
/// [`Error::Invalid`] for a reference without a version, [`Error::UnknownTemplate`], and [`Error::Conflict`] with where the template
/// comes from, when it is not installed.
pub fn uninstall(connection: &mut PgConnection, templates_dir: Option<&Path>, reference: &str) -> Result<()> {
    let unknown = |message: String| Error::UnknownTemplate { given: reference.to_owned(), message };
    let wanted: Reference = reference.parse().map_err(unknown)?;
    let Some(version) = &wanted.version else {
        let message = format!("must be one version, such as {}@1.0.0", wanted.name);
        return Err(Error::invalid("reference", message));
    };
    let gone = sql_query("DELETE FROM templates WHERE name = $1 AND version = $2")
        .bind::<Text, _>(&wanted.name)
        .bind::<Text, _>(version.to_string())
        .execute(connection)?;
    if gone > 0 {
        return Ok(());
    }
    let (_, offer) = catalogue(connection, templates_dir)?.find(reference)?;
    let from = match (offer.source, offer.origin) {
        (TemplateSource::Folder, origin) => {
            let folder = origin.unwrap_or_default();
            format!("lies in the folder {folder:?} of TEMPLATES_DIR: take it away there")
        }
        _ => "is part of Titan, and stays".to_owned(),
    };
    Err(Error::Conflict(format!("{wanted} was not installed, and cannot be uninstalled: it {from}")))
}
