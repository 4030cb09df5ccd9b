//! A template as a whole: its manifest and its files, which fit each other.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobMatcher;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::manifest::{FileRule, Manifest};
use super::parse::{MANIFEST, parse};
use super::problem::{Problem, Problems};
use super::{MAX_FILE, MAX_FILES, MAX_TOTAL, archive, inputs, paths, patterns, render};

/// The folder of a template in which its files lie.
pub const FILES: &str = "files/";

#[derive(Debug, Clone)]
pub struct Template {
    pub manifest: Manifest,
    /// The manifest as its author wrote it.
    pub(super) text: String,
    /// By their path under `files/`.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// A file of a template, as a catalogue shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TemplateFile {
    /// Under `files/`.
    pub path: String,
    /// Bytes.
    pub size: usize,
    /// Where it goes, when that is somewhere else; may hold inputs.
    pub to: Option<String>,
    pub rendered: bool,
    pub executable: bool,
}

impl Template {
    /// Puts a manifest and files together.
    ///
    /// # Errors
    /// Everything that is wrong with either, and where they do not fit.
    pub fn new(text: String, files: BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let manifest = parse(&text).map_err(|found| problems.extend(found)).ok();
        check_files(&files, &mut problems);
        let Some(manifest) = manifest else { return Err(problems.into_inner()) };
        let template = Template { manifest, text, files };
        template.check_rules(&mut problems);
        problems.or(template)
    }

    /// `name@version`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}@{}", self.manifest.name, self.manifest.version)
    }

    /// Manifest and files as one tar, always the same bytes for the same template.
    #[must_use]
    pub fn archive(&self) -> Vec<u8> {
        archive::pack(&self.text, &self.files)
    }

    /// By which a run says what it was made from.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.archive()).into()
    }

    /// Its files and what becomes of them.
    #[must_use]
    pub fn listing(&self) -> Vec<TemplateFile> {
        let listed = |(path, rule): (&String, &FileRule)| TemplateFile {
            path: path.clone(),
            size: self.files.get(path).map_or(0, Vec::len),
            to: rule.to.clone(),
            rendered: rule.render,
            executable: rule.executable,
        };
        self.placed().map(listed).collect()
    }

    /// Each file with the rule that names it first.
    pub(super) fn placed(&self) -> impl Iterator<Item = (&String, &FileRule)> {
        let matchers = self.matchers();
        let rules = &self.manifest.files;
        self.files.keys().filter_map(move |path| Some((path, rules.get(rule_of(&matchers, path)?)?)))
    }

    fn matchers(&self) -> Vec<Option<GlobMatcher>> {
        self.manifest.files.iter().map(|rule| patterns::matcher(&rule.from)).collect()
    }

    /// Every file has a rule, every rule a file, and what is to be rendered can be.
    fn check_rules(&self, problems: &mut Problems) {
        let matchers = self.matchers();
        let names = inputs::names(&self.manifest.inputs);
        let mut used: BTreeSet<usize> = BTreeSet::new();
        for (path, bytes) in &self.files {
            let Some(index) = rule_of(&matchers, path) else {
                problems.add(format!("{FILES}{path}"), format!("is named by no rule of /files in {MANIFEST}"));
                continue;
            };
            used.insert(index);
            if self.manifest.files.get(index).is_some_and(|rule| rule.render) {
                render::check_file(path, bytes, &names, problems);
            }
        }
        for (index, rule) in self.manifest.files.iter().enumerate().filter(|(index, _)| !used.contains(index)) {
            let named = matchers
                .get(index)
                .and_then(Option::as_ref)
                .is_some_and(|glob| self.files.keys().any(|path| glob.is_match(path)));
            let message = if named {
                format!("{:?} names only files that a rule above names already", rule.from)
            } else {
                format!("there is no file {FILES}{}", rule.from)
            };
            problems.add(format!("/files/{index}/from"), message);
        }
        self.check_targets(problems);
    }

    /// That no two files go to one path, as far as that can be said before there are inputs. What is wrong with the files where
    /// they lie is told already.
    fn check_targets(&self, problems: &mut Problems) {
        let targets = self.placed().map(|(from, rule)| rule.to.as_deref().unwrap_or(from));
        let (mut here, mut there) = (Problems::default(), Problems::default());
        paths::check_together(self.files.keys().map(String::as_str), &mut here);
        paths::check_together(targets.filter(|target| !target.contains("{{") && !target.contains("{%")), &mut there);
        let here = here.into_inner();
        for problem in there.into_inner().into_iter().filter(|problem| !here.contains(problem)) {
            problems.add(format!("{FILES}{}", problem.path), problem.message);
        }
    }
}

fn rule_of(matchers: &[Option<GlobMatcher>], path: &str) -> Option<usize> {
    matchers.iter().position(|matcher| matcher.as_ref().is_some_and(|glob| glob.is_match(path)))
}

/// What has nothing to do with the manifest: paths, number and size.
fn check_files(files: &BTreeMap<String, Vec<u8>>, problems: &mut Problems) {
    if files.is_empty() {
        problems.add(FILES, "must hold at least one file, such as files/README.md");
    }
    if files.len() > MAX_FILES {
        problems.add(FILES, format!("must hold at most {MAX_FILES} files, and holds {}", files.len()));
    }
    let total: usize = files.values().map(Vec::len).sum();
    if total > MAX_TOTAL {
        problems.add(FILES, format!("must have at most {MAX_TOTAL} bytes together, and has {total}"));
    }
    for (path, bytes) in files {
        if let Err(why) = paths::check(path) {
            problems.add(format!("{FILES}{path}"), why);
        }
        if bytes.len() > MAX_FILE {
            problems
                .add(format!("{FILES}{path}"), format!("must have at most {MAX_FILE} bytes, and has {}", bytes.len()));
        }
    }
    let mut together = Problems::default();
    paths::check_together(files.keys().map(String::as_str), &mut together);
    for problem in together.into_inner() {
        problems.add(format!("{FILES}{}", problem.path), problem.message);
    }
}
