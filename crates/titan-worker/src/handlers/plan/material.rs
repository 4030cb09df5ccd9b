//! What is known of a project when its plan is made, read in one go.

use std::path::Path;

use serde_json::{Value, json};
use titan_agent::plan::{self, Before};
use titan_core::db::PgConnection;
use titan_core::memories::Memory;
use titan_core::plans::{self, Known, Plan};
use titan_core::tasks::{self, Recent};
use titan_core::templates::{self, Catalogue, Manifest};
use titan_core::{contacts, projects};
use uuid::Uuid;

use super::super::background::Background;
use super::super::context::line;
use super::super::recall;

/// People that the model is told of, the newest first.
const MOST_CONTACTS: i64 = 30;
/// Templates, by name.
const MOST_TEMPLATES: usize = 50;

pub(super) struct Material {
    pub(super) name: String,
    pub(super) spec: Value,
    contacts: Vec<String>,
    background: Background,
    memories: Vec<Memory>,
    recent: Vec<Recent>,
    pub(super) templates: Catalogue,
    charter: Option<String>,
    /// The version before.
    pub(super) before: Option<Before>,
}

impl Material {
    /// With what is recalled for the question, when there is one.
    pub(super) fn read(
        connection: &mut PgConnection,
        project_id: Uuid,
        task_id: Uuid,
        folder: Option<&Path>,
        asked: Option<&recall::Question>,
    ) -> titan_core::Result<Self> {
        let (name, spec) = projects::name_and_spec(connection, project_id)?;
        let before = plans::latest(connection, project_id)?;
        let templates = templates::catalogue(connection, folder)?;
        let mut material = Material {
            name,
            spec,
            contacts: Vec::new(),
            background: Background::default(),
            memories: Vec::new(),
            recent: Vec::new(),
            templates,
            charter: None,
            before: before.map(|Plan { summary, content, answers, .. }| Before {
                version: summary.number,
                plan: content,
                answers,
            }),
        };
        if let Some(asked) = asked {
            let filter = contacts::Filter::default();
            let people = contacts::list(connection, project_id, &filter, Some(MOST_CONTACTS), None)?;
            material.contacts = people.items.iter().map(contacts::Contact::line).collect();
            material.background = Background::read(connection, project_id, asked.text());
            material.memories = asked.recall(connection);
            material.recent = tasks::recent(connection, project_id, task_id)?;
            material.charter = plans::charter_text(connection, project_id)?;
        }
        Ok(material)
    }

    /// What a plan may name.
    pub(super) fn known(&self) -> Known<'_> {
        Known { templates: &self.templates, project: &self.name, spec: &self.spec }
    }

    pub(super) fn template_names(&self) -> Vec<&str> {
        self.templates.manifests().map(|manifest| manifest.name.as_str()).collect()
    }

    pub(super) fn told(&self, wish: &str) -> plan::Material {
        plan::Material {
            wish: wish.trim().to_owned(),
            project: json!({"name": self.name, "spec": self.spec}),
            contacts: self.contacts.clone(),
            documents: self.background.documents.clone(),
            memories: self.memories.iter().map(recall::line).collect(),
            done: self.recent.iter().map(line).collect(),
            templates: self.templates.manifests().take(MOST_TEMPLATES).map(template).collect(),
            charter: self.charter.clone(),
            before: self.before.clone(),
        }
    }
}

fn template(manifest: &Manifest) -> Value {
    json!({"ref": manifest.name, "title": manifest.title, "description": manifest.description, "inputs": manifest.inputs})
}
