//! All templates there are, wherever they come from, and which of them a name means.
//!
//! A name alone means its newest finished version. Where one version comes from several places, what is installed counts before
//! what lies in the folder, and that before what is shipped: what everybody sees alike comes first. The others are shadowed, and
//! the catalogue says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use semver::Version;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::manifest::Manifest;
use super::names::{Reference, checked_version, newer};
use super::problem::Problem;
use super::template::Template;
use super::{builtin, folder, inputs, installed};
use crate::page::{self, Page};
use crate::state::text_enum;
use crate::text::hex;
use crate::{Error, Result};

/// Names that somebody may have meant: how many, and how much alike they are, from 0 to 1.
const MOST_NEAR: usize = 3;
const NEAR: f32 = 0.6;
/// Names in an error.
const MOST_KNOWN: usize = 50;

text_enum! {
    /// Where a template comes from, in the order in which they count: the database, the folder `TEMPLATES_DIR` of the machine that
    /// answers, or the program itself.
    TemplateSource { Installed = "installed", Folder = "folder", BuiltIn = "built_in" }
}

/// A template of the catalogue, as its name alone means it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TemplateEntry)]
pub struct Entry {
    pub name: String,
    /// The one that the name alone means.
    pub version: String,
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    /// All there are, the one that counts first.
    pub versions: Vec<Offer>,
}

/// A version of a template from one place.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = TemplateOffer)]
pub struct Offer {
    pub version: String,
    pub source: TemplateSource,
    /// Of its manifest and files, in lowercase hex.
    pub sha256: String,
    /// What it was installed from, or the folder that it lies in.
    pub origin: Option<String>,
    pub installed_at: Option<DateTime<Utc>>,
    /// The place whose template of this version counts instead of it.
    pub shadowed_by: Option<TemplateSource>,
}

/// A folder that should hold a template.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = BrokenTemplate)]
pub struct Broken {
    /// Below `TEMPLATES_DIR`; empty for that one itself.
    pub folder: String,
    pub problems: Vec<Problem>,
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words that must all be in name, title, description or tags, in any case.
    pub q: Option<String>,
    pub tag: Option<String>,
}

/// A template in the catalogue, with where its files are.
#[derive(Debug, Clone)]
struct Found {
    manifest: Manifest,
    version: Version,
    offer: Offer,
    files: Files,
}

/// Where the files of a template are.
#[derive(Debug, Clone)]
enum Files {
    Here(Box<Template>),
    /// In this folder, under this name.
    InFolder(PathBuf, String),
    /// In the database, under this checksum.
    Kept(Vec<u8>),
}

#[derive(Debug, Clone)]
pub struct Catalogue {
    by_name: BTreeMap<String, Vec<Found>>,
    /// Folders that should hold a template and do not.
    pub broken: Vec<Broken>,
}

/// Reads all of it. The folder is the one of the machine that asks.
///
/// # Errors
/// When the database does not answer.
pub fn catalogue(connection: &mut PgConnection, templates_dir: Option<&Path>) -> Result<Catalogue> {
    let in_folder = templates_dir.map(folder::all);
    let mut all: Vec<Found> = installed::all(connection)?.into_iter().filter_map(of_installed).collect();
    let mut broken = Vec::new();
    if let Some(found) = in_folder {
        broken = found.broken;
        let in_folder = |summary| of_folder(templates_dir?, summary);
        all.extend(found.templates.into_iter().filter_map(in_folder));
    }
    all.extend(shipped());
    Ok(Catalogue::of(all, broken))
}

fn shipped() -> impl Iterator<Item = Found> {
    builtin::built_in().iter().filter_map(|template| of_template(TemplateSource::BuiltIn, None, template.clone()))
}

fn put_in_order(found: &mut [Found]) {
    // Stable: of the same version and place, as in two folders, the first stays the first.
    found.sort_by(|a, b| newer(&a.version, &b.version).then(a.offer.source.cmp(&b.offer.source)));
    let mut counts: Option<(Version, TemplateSource)> = None;
    for one in found {
        match &counts {
            Some((version, source)) if *version == one.version => one.offer.shadowed_by = Some(*source),
            _ => counts = Some((one.version.clone(), one.offer.source)),
        }
    }
}

fn of_installed(installed: installed::Installed) -> Option<Found> {
    let offer = Offer {
        version: installed.manifest.version.clone(),
        source: TemplateSource::Installed,
        sha256: hex(&installed.sha256),
        origin: Some(installed.origin),
        installed_at: Some(installed.installed_at),
        shadowed_by: None,
    };
    let version = checked_version(&offer.version).ok()?;
    Some(Found { manifest: installed.manifest, version, offer, files: Files::Kept(installed.sha256) })
}

fn of_folder(root: &Path, summary: folder::Summary) -> Option<Found> {
    let offer = Offer {
        version: summary.manifest.version.clone(),
        source: TemplateSource::Folder,
        sha256: hex(&summary.sha256),
        origin: Some(summary.folder.clone()),
        installed_at: None,
        shadowed_by: None,
    };
    let version = checked_version(&offer.version).ok()?;
    let files = Files::InFolder(root.to_path_buf(), summary.folder);
    Some(Found { manifest: summary.manifest, version, offer, files })
}

fn of_template(source: TemplateSource, origin: Option<String>, template: Template) -> Option<Found> {
    let offer = Offer {
        version: template.manifest.version.clone(),
        source,
        sha256: hex(&template.sha256()),
        origin,
        installed_at: None,
        shadowed_by: None,
    };
    let version = checked_version(&offer.version).ok()?;
    Some(Found { manifest: template.manifest.clone(), version, offer, files: Files::Here(Box::new(template)) })
}

impl Catalogue {
    /// Of the templates alone that the program holds.
    #[must_use]
    pub fn built_in() -> Self {
        Self::of(shipped().collect(), Vec::new())
    }

    fn of(all: Vec<Found>, broken: Vec<Broken>) -> Self {
        let mut by_name: BTreeMap<String, Vec<Found>> = BTreeMap::new();
        for found in all {
            by_name.entry(found.manifest.name.clone()).or_default().push(found);
        }
        by_name.values_mut().for_each(|found| put_in_order(found));
        Catalogue { by_name, broken }
    }

    /// A page of those that are looked for, by name.
    ///
    /// # Errors
    /// A limit that is wrong.
    pub fn list(&self, filter: &Filter, limit: Option<i64>, cursor: Option<&str>) -> Result<Page<Entry>> {
        let limit = page::limit(limit)?;
        let wanted = self.by_name.iter().filter(|(name, _)| cursor.is_none_or(|cursor| name.as_str() > cursor));
        let entries = wanted.filter_map(|(_, found)| entry(found)).filter(|entry| filter.takes(entry));
        let rows = entries.take(usize::try_from(limit).unwrap_or(0) + 1).collect();
        Ok(Page::of(rows, limit, |entry: &Entry| entry.name.clone()))
    }

    /// What a reference means, and all there is of that name.
    ///
    /// # Errors
    /// [`Error::UnknownTemplate`], with what there is instead.
    pub fn find(&self, reference: &str) -> Result<(Entry, Offer)> {
        let found = self.one(reference)?;
        let entry = self.by_name.get(&found.manifest.name).and_then(|all| entry(all));
        let entry = entry.ok_or_else(|| Error::Internal("a template without an entry".to_owned()))?;
        Ok((entry, found.offer.clone()))
    }

    /// The manifests that names alone mean, by name.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.by_name.values().filter_map(|found| found.first()).map(|found| &found.manifest)
    }

    /// What is wrong with what a project would tell the template; nothing, when it takes that.
    ///
    /// # Errors
    /// [`Error::UnknownTemplate`], with what there is instead.
    pub fn check_inputs(
        &self,
        reference: &str,
        project: &str,
        spec: &Value,
        given: &Map<String, Value>,
    ) -> Result<Vec<Problem>> {
        let schema = &self.one(reference)?.manifest.inputs;
        let inputs = inputs::inputs_for(schema, project, spec, given);
        Ok(inputs::filled(schema, &inputs).err().unwrap_or_default())
    }

    fn one(&self, reference: &str) -> Result<&Found> {
        let unknown = |message: String| Error::UnknownTemplate { given: reference.to_owned(), message };
        let wanted: Reference = reference.parse().map_err(unknown)?;
        let Some(found) = self.by_name.get(&wanted.name) else {
            return Err(unknown(self.others(&wanted.name)));
        };
        let counts = |one: &&Found| one.offer.shadowed_by.is_none();
        let fits = |one: &&Found| wanted.version.as_ref().is_none_or(|version| *version == one.version);
        found.iter().filter(counts).find(fits).ok_or_else(|| {
            let versions: Vec<String> =
                found.iter().filter(counts).map(|one| one.version.to_string()).take(20).collect();
            unknown(format!("its versions are {}", versions.join(", ")))
        })
    }
}

impl Catalogue {
    /// What somebody may have meant, or else all there is.
    fn others(&self, name: &str) -> String {
        let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
        let near = similar::get_close_matches(name, &known, MOST_NEAR, NEAR);
        if near.is_empty() {
            let known: Vec<&str> = known.into_iter().take(MOST_KNOWN).collect();
            return format!("there are {}", known.join(", "));
        }
        format!("the nearest are {}", near.join(", "))
    }
}

/// The template that a reference means just now. A run says its checksum from then on (`keep` and `kept`), so that nothing that is
/// installed later changes what it is made from.
///
/// # Errors
/// [`Error::UnknownTemplate`], with what there is instead.
pub fn resolve(connection: &mut PgConnection, templates_dir: Option<&Path>, reference: &str) -> Result<Template> {
    let catalogue = catalogue(connection, templates_dir)?;
    catalogue.load(connection, reference)
}

impl Catalogue {
    /// The template itself.
    ///
    /// # Errors
    /// As [`Catalogue::find`].
    pub fn load(&self, connection: &mut PgConnection, reference: &str) -> Result<Template> {
        let found = self.one(reference)?;
        match &found.files {
            Files::Here(template) => Ok((**template).clone()),
            Files::InFolder(root, name) => {
                let template = folder::one_in(root, name).map_err(Error::WrongTemplate)?;
                // It is what was found, or nothing: who asks once more finds what there is now.
                let same = hex(&template.sha256()) == found.offer.sha256;
                same.then_some(template)
                    .ok_or_else(|| Error::Conflict(format!("the template in {name} has just been changed; ask again")))
            }
            Files::Kept(sha256) => installed::kept(connection, sha256),
        }
    }
}

fn entry(found: &[Found]) -> Option<Entry> {
    let first = found.first()?;
    Some(Entry {
        name: first.manifest.name.clone(),
        version: first.manifest.version.clone(),
        title: first.manifest.title.clone(),
        description: first.manifest.description.clone(),
        tags: first.manifest.tags.clone(),
        versions: found.iter().map(|one| one.offer.clone()).collect(),
    })
}

impl Filter {
    fn takes(&self, entry: &Entry) -> bool {
        let text =
            format!("{} {} {} {}", entry.name, entry.title, entry.description, entry.tags.join(" ")).to_lowercase();
        let words = self.q.as_deref().unwrap_or_default().to_lowercase();
        words.split_whitespace().all(|word| text.contains(word))
            && self.tag.as_ref().is_none_or(|tag| entry.tags.contains(tag))
    }
}
