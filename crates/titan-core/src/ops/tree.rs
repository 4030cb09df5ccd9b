//! What a change came to in the repository's tree, held against the same rules once more: a diff of two trees does not lie about
//! what was changed, as a proposal may, and it sees what a proposal cannot: links, submodules, names that are there already.

use std::collections::BTreeSet;

use super::fault::{Faults, quoted};
use super::{Fault, Policy, RepoPath, Verdict};
use crate::filename::Tree;

const PLAIN: u32 = 0o100_644;
const PROGRAM: u32 = 0o100_755;

/// One line of `git diff-tree --raw`. Without looking for renames both paths are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeChange {
    /// What is no UTF-8 may be read with replacement characters: such a path is refused.
    pub old_path: String,
    pub path: String,
    /// As git has it, such as `0o100644`; 0 where there is no file.
    pub old_mode: u32,
    pub mode: u32,
}

/// Everything that is wrong with what was changed. `all_paths` are those of the tree, before the change or after it; what stands there
/// already is not this change's fault. A fault's field is the path that it is about.
#[must_use]
pub fn check(changes: &[TreeChange], all_paths: &BTreeSet<String>, policy: &Policy) -> Vec<Fault> {
    let mut faults = Faults::default();
    for change in changes {
        let sides = [(&change.old_path, change.old_mode), (&change.path, change.mode)];
        let is_rename = change.old_path != change.path;
        if let Some(why) = mode_fault(change.mode).or_else(|| mode_fault(change.old_mode)) {
            faults.add(&change.path, why);
        }
        for (path, mode) in sides.into_iter().skip(usize::from(!is_rename)) {
            // Of a new file's old path nothing was changed.
            if mode == 0 && is_rename {
                continue;
            }
            if let Some(why) = path_fault(path, policy) {
                faults.add(path, why);
            }
        }
    }
    collisions(changes, all_paths, &mut faults);
    faults.into_inner()
}

fn path_fault(path: &str, policy: &Policy) -> Option<String> {
    let parsed = match RepoPath::parse(path) {
        Ok(parsed) => parsed,
        Err(fault) => return Some(fault.to_string()),
    };
    if parsed.as_str() != path {
        return Some(format!("is not how the path is written, which is {}", quoted(parsed.as_str())));
    }
    match policy.verdict(&parsed) {
        Verdict::Allowed { .. } => None,
        verdict => Some(policy.sentence(&verdict)),
    }
}

fn mode_fault(mode: u32) -> Option<String> {
    const RIGHT: &str = "only files are changed here, of mode 100644, or 100755 for a program";
    match mode {
        0 | PLAIN | PROGRAM => None,
        0o120_000 => Some(format!("is a symbolic link; {RIGHT}")),
        0o160_000 => Some(format!("is a submodule; {RIGHT}")),
        0o040_000 => Some(format!("is a folder; {RIGHT}")),
        _ => Some(format!("has mode {mode:06o}; {RIGHT}")),
    }
}

/// Names that the change makes and that are, somewhere, one with a name that is there.
fn collisions(changes: &[TreeChange], all_paths: &BTreeSet<String>, faults: &mut Faults) {
    let touched: BTreeSet<&str> =
        changes.iter().flat_map(|change| [change.old_path.as_str(), change.path.as_str()]).collect();
    let mut tree = Tree::default();
    for path in all_paths.iter().filter(|path| !touched.contains(path.as_str())) {
        // What stands there is not this change's fault.
        let _ = tree.take(path);
    }
    for change in changes.iter().filter(|change| change.mode != 0) {
        if let Err(why) = tree.take(&change.path) {
            faults.add(&change.path, format!("cannot stand beside what is there: {why}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, old_mode: u32, mode: u32) -> TreeChange {
        TreeChange { old_path: path.to_owned(), path: path.to_owned(), old_mode, mode }
    }

    fn faults(changes: &[TreeChange], there: &[&str]) -> String {
        let there = there.iter().map(|path| (*path).to_owned()).collect();
        let faults = check(changes, &there, &Policy::of(None, None).unwrap());
        faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn ordinary_changes_pass() {
        let there = ["README.md", "docs/a.md", "Makefile", "makefile"];
        let changes = [
            change("docs/b.md", 0, PLAIN),
            change("README.md", PLAIN, PLAIN),
            change("docs/a.md", PLAIN, 0),
            change("crates/x/run", PLAIN, PROGRAM),
        ];
        assert_eq!(faults(&changes, &there), "");
        // A file that changes its letters: the old name goes, so that nothing is in its way.
        let renamed = [change("docs/a.md", PLAIN, 0), change("docs/A.md", 0, PLAIN)];
        assert_eq!(faults(&renamed, &there), "");
        assert_eq!(faults(&renamed, &["docs/A.md"]), "", "nor when the tree is told as it is afterwards");
    }

    #[test]
    fn links_submodules_and_other_modes() {
        for (old_mode, mode, says) in [
            (0, 0o120_000, "symbolic link"),
            (0o120_000, PLAIN, "symbolic link"),
            (0o120_000, 0, "symbolic link"),
            (0, 0o160_000, "submodule"),
            (0o160_000, 0, "submodule"),
            (PLAIN, 0o100_664, "mode 100664"),
            (0, 0o100_777, "mode 100777"),
            (0, 0o040_000, "folder"),
        ] {
            let said = faults(&[change("docs/x", old_mode, mode)], &[]);
            assert!(said.contains(says), "{old_mode:o} {mode:o}: {said}");
        }
    }

    #[test]
    fn both_paths_of_a_rename() {
        let renamed = |old: &str, new: &str| TreeChange {
            old_path: old.to_owned(),
            path: new.to_owned(),
            old_mode: PLAIN,
            mode: PLAIN,
        };
        assert!(
            faults(&[renamed("migrations/1/up.sql", "docs/up.sql")], &[])
                .starts_with("migrations/1/up.sql: is protected")
        );
        assert!(
            faults(&[renamed("docs/up.sql", "migrations/1/up.sql")], &[])
                .starts_with("migrations/1/up.sql: is protected")
        );
        assert_eq!(faults(&[renamed("docs/a", "docs/b")], &["docs/a"]), "");
    }

    #[test]
    fn paths_as_they_are_in_the_tree() {
        for (path, says) in [
            ("docs/../x", "must not hold \"..\""),
            ("docs//x", "is not how the path is written"),
            ("docs/.git/config", "git's own"),
            ("docs/\u{fffd}", "must be UTF-8"),
            ("LICENSE", "is not among ALLOWED_PATHS"),
            (".ci/run", "is protected"),
        ] {
            for (old_mode, mode) in [(0, PLAIN), (PLAIN, PLAIN), (PLAIN, 0)] {
                let said = faults(&[change(path, old_mode, mode)], &[]);
                assert!(said.contains(says), "{path}: {said}");
            }
        }
    }

    #[test]
    fn names_that_are_one_somewhere() {
        for (new, there, says) in [
            ("docs/A.md", "docs/a.md", "differs from \"docs/a.md\" only"),
            ("docs/x/b", "docs/X/a", "\"docs/x\" differs from \"docs/X\" only"),
            ("crates/straße.md", "crates/STRASSE.md", "only by capital letters"),
            ("docs/é.md", "docs/e\u{301}.md", "only by capital letters"),
            ("docs/a.md/b", "docs/a.md", "is a file"),
            ("docs/a", "docs/a/b", "is a folder"),
        ] {
            let said = faults(&[change(new, 0, PLAIN)], &[there]);
            assert!(said.contains(says), "{new}: {said}");
        }
        let both = [change("docs/a", 0, PLAIN), change("docs/A", 0, PLAIN)];
        assert!(faults(&both, &[]).contains("only by capital letters"));
    }
}
