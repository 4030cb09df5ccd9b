//! Templates: what a project can be made from. `docs/TEMPLATES.md` is the author's guide.
//!
//! In reading order: what a template says of itself (`manifest`), how that is read and checked (`parse` and what it uses), the
//! template with its files (`template`), what becomes of it with a project's inputs (`render`), where templates come from (the
//! program, a folder, the database), and the catalogue of all of them. `git` is about those that a worker fetches.
//!
//! Nothing here runs a command: what a template wants to have run is only told.

mod manifest;
mod names;
mod problem;

mod inputs;
mod parse;
pub mod paths;
mod patterns;
pub(crate) mod place;
mod schema_size;
mod steps;

mod archive;
mod template;

mod filters;
mod grammar;
mod language;
mod render;
mod work;

mod builtin;
mod catalogue;
mod folder;
mod installed;
mod summaries;

pub mod git;

pub use archive::unpack;
pub use builtin::built_in;
pub use catalogue::{Broken, Catalogue, Entry, Filter, Offer, TemplateSource, catalogue, resolve};
pub use folder::one_in as in_folder;
pub use inputs::inputs_for;
pub use installed::{Installed, install, keep, kept, uninstall};
pub use manifest::{
    Cache, Check, Deploy, Directory, FileCheck, FileRule, HttpCheck, Manifest, Network, Preview, Run, Step, Steps, What,
};
pub use names::Reference;
pub use parse::{MANIFEST, parse};
pub(crate) use problem::Problems;
pub use problem::{Problem, in_words};
pub use render::{File, Rendered, render};
pub use template::{FILES, Template, TemplateFile};

/// Bytes of a manifest.
pub const MAX_MANIFEST: usize = 64 << 10;
/// Files of a template, bytes of one of them, and of all.
pub const MAX_FILES: usize = 500;
pub const MAX_FILE: usize = 1 << 20;
pub const MAX_TOTAL: usize = 8 << 20;
/// Bytes of a project's inputs.
pub const MAX_INPUTS: usize = 64 << 10;
/// Bytes of a file that was made of them, and of all files of a project when it begins.
pub const MAX_RENDERED_FILE: usize = 2 << 20;
pub const MAX_RENDERED: usize = 16 << 20;
