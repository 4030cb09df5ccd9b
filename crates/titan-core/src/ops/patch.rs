//! A change to one file as a proposal tells it, and all of a proposal's changes read together: what is wrong with any of them is told
//! at once.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fault::Faults;
use super::{Fault, Policy, RepoPath, Unified, Verdict};
use crate::filename::Tree;

/// Patches of a proposal.
pub const MOST_PATCHES: usize = 200;
/// Bytes of one content or diff, and of all of them.
pub const MAX_CONTENT: usize = 1 << 20;
pub const MAX_TOTAL: usize = 8 << 20;
/// Bytes of a content that is no text, which nobody can review.
pub const MAX_BINARY: usize = 256 << 10;

/// A change to one file: exactly one of `content`, `diff` and `"delete": true`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchInput {
    /// From the repository's root.
    #[schema(max_length = 240)]
    pub path: String,
    /// The file as it is to be, whether it is there already or not. At most 1 MiB, and 256 KiB when it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// A unified diff of this one file, as `git diff` writes it. At most 1 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Delete the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<bool>,
    /// How `content` is written; `utf-8` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// Whether the file is to be a program (mode 100755); that of a file that is there stays as it is when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "base64")]
    Base64,
}

/// A change that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    pub path: RepoPath,
    pub change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The file is to be this. Its mode stays, or is a plain file's when it is new, unless `executable` says otherwise.
    Content {
        bytes: Vec<u8>,
        executable: Option<bool>,
    },
    Diff(Unified),
    Delete,
}

/// Reads all changes of a proposal.
///
/// # Errors
/// Everything that is wrong with them, at most [`super::MOST_FAULTS`].
pub fn read(inputs: &[PatchInput], policy: &Policy) -> Result<Vec<Patch>, Vec<Fault>> {
    let mut faults = Faults::default();
    if !(1..=MOST_PATCHES).contains(&inputs.len()) {
        faults.add("patches", format!("must be 1 to {MOST_PATCHES} patches, and are {}", inputs.len()));
        return faults.or(Vec::new());
    }
    let bytes: usize = inputs.iter().map(|input| length(&input.content) + length(&input.diff)).sum();
    // Base64 is longer than what it stands for; what that is in all is known when each has been read.
    if bytes > MAX_TOTAL / 3 * 4 {
        faults.add("patches", format!("may have at most {MAX_TOTAL} bytes in all, and have {bytes}"));
        return faults.or(Vec::new());
    }
    let mut together = Together::default();
    let mut patches = Vec::new();
    let mut total = 0;
    for (at, input) in inputs.iter().enumerate() {
        let place = Place { at, faults: &mut faults };
        if let Some(patch) = one(input, policy, &mut together, place) {
            total += size(input, &patch);
            patches.push(patch);
        }
    }
    if total > MAX_TOTAL {
        faults.add("patches", format!("may have at most {MAX_TOTAL} bytes in all, and have {total}"));
    }
    faults.or(patches)
}

/// Bytes, of what base64 stands for.
fn size(input: &PatchInput, patch: &Patch) -> usize {
    match &patch.change {
        Change::Content { bytes, .. } => bytes.len(),
        Change::Diff(_) => length(&input.diff),
        Change::Delete => 0,
    }
}

fn length(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

/// One of the patches, and where its faults go.
struct Place<'f> {
    at: usize,
    faults: &'f mut Faults,
}

impl Place<'_> {
    fn wrong<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        let dot = if field.is_empty() { "" } else { "." };
        self.faults.add(format!("patches[{}]{dot}{field}", self.at), message);
        None
    }
}

/// None when something is wrong with it. Its path and its change are looked at both.
fn one(input: &PatchInput, policy: &Policy, together: &mut Together, mut place: Place<'_>) -> Option<Patch> {
    let path = match RepoPath::parse(&input.path) {
        Ok(path) => path,
        Err(fault) => {
            // Whatever stands in it is of no path, so that nothing can be said of a diff.
            change(input, None, &mut place);
            return place.wrong("path", fault.to_string());
        }
    };
    let verdict = policy.verdict(&path);
    let allowed = match &verdict {
        Verdict::Allowed { .. } => Some(()),
        _ => place.wrong("path", policy.sentence(&verdict)),
    };
    let alone = match together.take(&path, place.at) {
        Ok(()) => Some(()),
        Err(why) => place.wrong("path", why),
    };
    let change = change(input, Some(&path), &mut place);
    allowed.and(alone)?;
    Some(Patch { path, change: change? })
}

fn change(input: &PatchInput, path: Option<&RepoPath>, place: &mut Place<'_>) -> Option<Change> {
    let PatchInput { content, diff, encoding, executable, .. } = input;
    let delete = input.delete == Some(true);
    if encoding.is_some() && content.is_none() {
        place.wrong::<()>("encoding", "says how \"content\" is written, and there is none");
    }
    match (content, diff, delete) {
        (Some(content), None, false) => {
            let bytes = decoded(content, *encoding, place)?;
            Some(Change::Content { bytes, executable: *executable })
        }
        (None, Some(diff), false) => {
            if diff.len() > MAX_CONTENT {
                return place.wrong("diff", format!("may have at most {MAX_CONTENT} bytes, and has {}", diff.len()));
            }
            let unified = match Unified::parse(diff, path?) {
                Ok(unified) => unified,
                Err(fault) => return place.wrong("diff", fault.to_string()),
            };
            match (executable, unified.executable()) {
                (Some(_), _) if unified.deletes() => {
                    place.wrong("executable", "says what a file is to be, and the diff deletes it")
                }
                (Some(said), Some(mode)) if *said != mode => {
                    place.wrong("executable", "says otherwise than the mode in the diff; leave one of them out")
                }
                (said, mode) => Some(Change::Diff(unified.with_executable(said.or(mode)))),
            }
        }
        (None, None, true) if executable.is_some() => {
            place.wrong("executable", "says what a file is to be, and this one is deleted")
        }
        (None, None, true) => Some(Change::Delete),
        _ => place.wrong("", "must have exactly one of \"content\", \"diff\" and \"delete\": true"),
    }
}

fn decoded(content: &str, encoding: Option<Encoding>, place: &mut Place<'_>) -> Option<Vec<u8>> {
    let too_long = |bytes: usize| {
        format!("may have at most {MAX_CONTENT} bytes, and has {bytes}; a larger file is no matter of a review")
    };
    let bytes = match encoding.unwrap_or(Encoding::Utf8) {
        Encoding::Utf8 => content.as_bytes().to_vec(),
        // Four characters for three bytes.
        Encoding::Base64 if content.len() / 4 * 3 > MAX_CONTENT + 3 => {
            return place.wrong("content", too_long(content.len() / 4 * 3));
        }
        Encoding::Base64 => match STANDARD.decode(content) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("must be base64 with + and /, padded with =, on one line: {error}");
                return place.wrong("content", message);
            }
        },
    };
    if bytes.len() > MAX_CONTENT {
        return place.wrong("content", too_long(bytes.len()));
    }
    let is_text = !bytes.contains(&0) && std::str::from_utf8(&bytes).is_ok();
    if !is_text && bytes.len() > MAX_BINARY {
        let message = format!("is no text, and may have at most {MAX_BINARY} bytes then, and has {}", bytes.len());
        return place.wrong("content", message);
    }
    Some(bytes)
}

/// The paths of a proposal: each once, and such as can stand beside each other.
#[derive(Default)]
struct Together {
    first: BTreeMap<RepoPath, usize>,
    tree: Tree,
}

impl Together {
    fn take(&mut self, path: &RepoPath, at: usize) -> Result<(), String> {
        if let Some(first) = self.first.get(path) {
            return Err(format!("is that of patches[{first}] too; one patch says all that becomes of a file"));
        }
        self.first.insert(path.clone(), at);
        self.tree.take(path.as_str()).map_err(|why| format!("cannot stand beside another path of the proposal: {why}"))
    }
}
