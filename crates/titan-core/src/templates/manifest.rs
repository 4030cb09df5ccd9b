//! What a template says of itself: `template.yaml`, once it has been read and checked. `docs/TEMPLATES.md` is the author's guide.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateManifest)]
pub struct Manifest {
    /// One to three words with slashes between them, such as `persona/basic`.
    pub name: String,
    /// By the rules of semantic versioning, such as `1.2.0`.
    pub version: String,
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    /// A JSON Schema (draft 2020-12) of what the template wants to know; an object at the top.
    #[schema(value_type = Object)]
    pub inputs: Value,
    pub files: Vec<FileRule>,
    pub steps: Steps,
    /// What must hold of the deployed project.
    pub checks: Vec<Check>,
    pub deploy: Deploy,
}

/// What is done with the files that a pattern names. The first rule that names a file counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateFileRule)]
pub struct FileRule {
    /// A pattern for paths under `files/`; `*` stays within a folder, `**` does not.
    pub from: String,
    /// Where the one file that `from` names goes; may hold inputs. Null: it keeps its path.
    pub to: Option<String>,
    /// Whether inputs are filled in; otherwise it is copied as it is.
    pub render: bool,
    pub executable: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateSteps)]
pub struct Steps {
    pub build: Vec<Step>,
    pub verify: Vec<Step>,
    pub publish: Vec<Step>,
}

/// A command in the sandbox, in the project's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateStep)]
pub struct Step {
    pub name: String,
    pub run: Run,
    pub timeout_seconds: u64,
    pub network: Network,
    pub cache: Vec<Cache>,
    /// May hold inputs.
    pub env: BTreeMap<String, String>,
    /// Patterns of files that are kept as artifacts.
    pub artifacts: Vec<String>,
}

/// A program with its arguments, or a line for `sh -c`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateCommand)]
#[serde(untagged)]
pub enum Run {
    Program(Vec<String>),
    Line(String),
}

impl Run {
    /// The program and its arguments.
    #[must_use]
    pub fn argv(&self) -> Vec<String> {
        match self {
            Run::Program(argv) => argv.clone(),
            Run::Line(line) => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateNetwork)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    #[default]
    None,
    /// The registries of the languages' packages, and nothing else.
    Registries,
}

/// A folder that is kept between builds, for the tool whose variable names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateCache)]
#[serde(rename_all = "snake_case")]
pub enum Cache {
    Cargo,
    Npm,
    Pip,
}

impl Cache {
    pub const ALL: [Cache; 3] = [Cache::Cargo, Cache::Npm, Cache::Pip];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Cache::Cargo => "cargo",
            Cache::Npm => "npm",
            Cache::Pip => "pip",
        }
    }

    /// The variable by which the tool is told where its cache is.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Cache::Cargo => "CARGO_HOME",
            Cache::Npm => "npm_config_cache",
            Cache::Pip => "PIP_CACHE_DIR",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateCheck)]
pub struct Check {
    pub name: String,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateCheckKind)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// GET of a path of the preview.
    Http(HttpCheck),
    /// A file of the project, after the build.
    File(FileCheck),
    /// Must end with exit code 0.
    Command(Step),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateHttpCheck)]
pub struct HttpCheck {
    pub path: String,
    pub status: u16,
    /// What the body must hold; may hold inputs.
    pub contains: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateFileCheck)]
pub struct FileCheck {
    pub path: String,
    /// What the file must hold; may hold inputs. Null: it must be there.
    pub contains: Option<String>,
}

/// Where the project can be deployed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateDeploy)]
pub struct Deploy {
    pub preview: Option<Preview>,
    pub directory: Option<Directory>,
    /// Whether a deploy hook may be called; its address is the installation's, not the template's.
    pub hook: bool,
}

/// A server that runs until it is stopped. The variable `PORT` tells it where to listen, on 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplatePreview)]
pub struct Preview {
    pub run: Run,
    /// For a program that listens on one port only. Null: one that is free is chosen.
    pub port: Option<u16>,
    /// The path that answers with 2xx as soon as it is up.
    pub health: String,
    /// How long it may take until it is up.
    pub timeout_seconds: u64,
    /// May hold inputs.
    pub env: BTreeMap<String, String>,
}

/// The built files, to be copied somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = TemplateDirectory)]
pub struct Directory {
    /// A folder of the project; `.` is all of it.
    pub from: String,
}
