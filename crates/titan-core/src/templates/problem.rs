//! What is wrong with a template: all of it at once, each with its place and with what would be right.

use serde::Serialize;
use utoipa::ToSchema;

/// More are not told; whoever mends these finds out about the rest.
const MOST: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TemplateProblem)]
pub struct Problem {
    /// A JSON pointer into the manifest, such as `/steps/build/0/run`, or a file, with its line where that is known:
    /// `template.yaml:7`, `files/README.md:3`.
    pub path: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// Those found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        if self.0.len() < MOST {
            self.0.push(Problem { path: path.into(), message: message.into() });
        }
    }

    pub(crate) fn extend(&mut self, more: Vec<Problem>) {
        more.into_iter().for_each(|problem| self.add(problem.path, problem.message));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value, when nothing was found.
    pub(crate) fn or<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }

    pub(crate) fn into_inner(self) -> Vec<Problem> {
        self.0
    }
}

/// One problem, where there can be no other.
pub(crate) fn one(path: impl Into<String>, message: impl Into<String>) -> Vec<Problem> {
    vec![Problem { path: path.into(), message: message.into() }]
}

/// Several as one line, for a log or the reason of a failure.
#[must_use]
pub fn in_words(problems: &[Problem]) -> String {
    let words: Vec<String> = problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
    words.join("; ")
}
