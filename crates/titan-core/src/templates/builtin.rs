//! The templates that Titan ships: folders beside this crate's sources, inside of the program.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use include_dir::{Dir, include_dir};

use super::parse::MANIFEST;
use super::problem::in_words;
use super::template::{FILES, Template};

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// All of them, by name. That each can be read is a test.
pub fn built_in() -> &'static [Template] {
    static TEMPLATES: OnceLock<Vec<Template>> = OnceLock::new();
    TEMPLATES.get_or_init(|| {
        let mut found = Vec::new();
        gather(&SHIPPED, &mut found);
        found.sort_by(|a, b| a.manifest.name.cmp(&b.manifest.name));
        found
    })
}

fn gather(folder: &Dir<'static>, found: &mut Vec<Template>) {
    let Some(manifest) = folder.get_file(folder.path().join(MANIFEST)) else {
        folder.dirs().for_each(|inner| gather(inner, found));
        return;
    };
    let mut files = BTreeMap::new();
    if let Some(inner) = folder.get_dir(folder.path().join(FILES.trim_end_matches('/'))) {
        files_of(inner, inner, &mut files);
    }
    match Template::new(manifest.contents_utf8().unwrap_or_default().to_owned(), files) {
        Ok(template) => found.push(template),
        Err(problems) => {
            tracing::error!(template = %folder.path().display(), problems = in_words(&problems), "a shipped template is broken");
        }
    }
}

fn files_of(root: &Dir<'static>, folder: &Dir<'static>, files: &mut BTreeMap<String, Vec<u8>>) {
    for file in folder.files() {
        let path = file.path().strip_prefix(root.path()).unwrap_or(file.path());
        files.insert(path.to_string_lossy().into_owned(), file.contents().to_vec());
    }
    folder.dirs().for_each(|inner| files_of(root, inner, files));
}
