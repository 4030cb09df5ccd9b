//! What holds for all paths, patterns and texts, and what git and the crate diffy make of the same diffs.

use std::fs;
use std::path::{Component, Path};
use std::process::{Command, Stdio};

use globset::GlobBuilder;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use similar::TextDiff;
use titan_core::ops::policy::ALWAYS_PROTECTED;
use titan_core::ops::unified::ApplyFault;
use titan_core::ops::{Policy, RepoPath, Unified, Verdict};

/// Parts that paths are made of, good and bad.
fn paths() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        8 => "[a-cA-C]{1,3}",
        2 => prop::sample::select(vec![
            "docs", "crates", "src", "ops", "Ops", ".git", ".GIT", "..", ".", "", " ", ".env", "secrets", "é", "e\u{301}", "ß", "SS",
            "\u{200c}", "git~1", "con", "a.", ".ci", "migrations", "README.md",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ];
    prop::collection::vec(name, 0..6).prop_map(|names| names.join("/"))
}

fn patterns() -> impl Strategy<Value = Vec<String>> {
    let name = prop::sample::select(vec![
        "*", "**", "a", "b", "B", "c*", "{a,b}", "[a-c]", "docs", "crates", "src", "*.md", "secrets", ".env*", "ß",
        "é", "a?", "ops",
    ]);
    let pattern = prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"));
    prop::collection::vec(pattern, 0..4)
}

/// Texts of few different lines, so that many places look the same.
fn texts() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "a",
        "b",
        "",
        "c",
        "-- a",
        "++ b",
        "\\ No newline at end of file",
        "@@ -1 +1 @@",
        "é",
        " ",
        "diff --git a/f b/f",
        "d",
        "e",
        "g",
    ]);
    (prop::collection::vec(line, 0..25), any::<bool>(), any::<bool>()).prop_map(|(lines, ends, windows)| {
        let newline = if windows { "\r\n" } else { "\n" };
        let mut text = lines.join(newline);
        // A carriage return alone at the end is no end of a line to git, and one to the crate that writes the diffs.
        if (ends || windows) && !lines.is_empty() {
            text.push_str(newline);
        }
        text
    })
}

/// Two versions of a text: one made of the other by a few changes, or of nothing.
fn versions() -> impl Strategy<Value = (String, String)> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, texts()), 0..4);
    let edited = (texts(), edits).prop_map(|(old, edits)| {
        let mut lines: Vec<String> = old.split_inclusive('\n').map(str::to_owned).collect();
        for (at, kind, text) in edits {
            let at = if lines.is_empty() { 0 } else { at.index(lines.len()) };
            match kind {
                0 if !lines.is_empty() => drop(lines.remove(at)),
                _ => lines.insert(
                    at,
                    text.split_inclusive('\n').next().filter(|line| line.ends_with('\n')).unwrap_or("z\n").to_owned(),
                ),
            }
        }
        (old, lines.concat())
    });
    prop_oneof![3 => edited, 1 => (texts(), texts())]
}

/// Nothing when the texts are the same.
fn diff(old: &str, new: &str, context: usize) -> String {
    if old == new {
        return String::new();
    }
    let mut options = diffy::DiffOptions::new();
    options.set_context_len(context).set_original_filename("a/f").set_modified_filename("b/f");
    options.create_patch(old, new).to_string()
}

fn unified(diff: &str) -> Unified {
    let path = RepoPath::parse("f").unwrap();
    Unified::parse(diff, &path).unwrap_or_else(|fault| panic!("{fault}\n{diff}"))
}

fn apply(diff: &str, old: &str) -> Result<String, ApplyFault> {
    let applied = unified(diff).apply(Some(old.as_bytes()))?;
    Ok(String::from_utf8(applied.content.unwrap()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_parsed_stays_as_it_is_and_within(path in paths()) {
        if let Ok(parsed) = RepoPath::parse(&path) {
            prop_assert_eq!(RepoPath::parse(parsed.as_str()), Ok(parsed.clone()));
            let stays_within = Path::new(parsed.as_str()).components().all(|part| matches!(part, Component::Normal(_)));
            prop_assert!(stays_within);
            prop_assert_eq!(Path::new(parsed.as_str()).components().count(), parsed.as_str().split('/').count());
            prop_assert!(!parsed.folded().split('/').any(|name| name.starts_with(".git") && name.len() == 4));
            prop_assert!(parsed.as_str().len() <= path.len());
        }
    }

    #[test]
    fn a_diff_makes_the_new_text_of_the_old((old, new) in versions(), context in 1..5_usize) {
        let diff = diff(&old, &new, context);
        prop_assume!(!diff.is_empty());
        prop_assert_eq!(apply(&diff, &old), Ok(new.clone()), "{}", diff);
        let patch = diffy::Patch::from_str(&diff).unwrap();
        prop_assert_eq!(diffy::apply(&old, &patch).unwrap(), new);
    }

    /// The crate similar counts wrong where lines are repeated (`@@ -1,6 +2,6 @@` with five old lines), and diffy believes some of that:
    /// it may be refused, but what is taken makes the new text.
    #[test]
    fn a_diff_of_another_crate((old, new) in versions(), context in 1..5_usize) {
        let diff =
            TextDiff::from_lines(&old, &new).unified_diff().context_radius(context).header("a/f", "b/f").to_string();
        prop_assume!(!diff.is_empty());
        let path = RepoPath::parse("f").unwrap();
        if Unified::parse(&diff, &path).is_ok() {
            prop_assert_eq!(apply(&diff, &old).ok(), Some(new), "{}", diff);
        }
    }

    #[test]
    fn a_diff_that_makes_or_deletes_a_file(text in texts()) {
        prop_assume!(!text.is_empty());
        let made = diff("", &text, 3).replace("--- a/f", "--- /dev/null");
        prop_assert_eq!(unified(&made).apply(None).unwrap().content, Some(text.clone().into_bytes()));
        let deleted = diff(&text, "", 3).replace("+++ b/f", "+++ /dev/null");
        prop_assert_eq!(unified(&deleted).apply(Some(text.as_bytes())).unwrap().content, None);
    }

    /// On any other text it says why not, or it has found each hunk's lines.
    #[test]
    fn a_diff_on_another_text((old, new) in versions(), other in texts()) {
        let diff = diff(&old, &new, 3);
        prop_assume!(!diff.is_empty());
        match unified(&diff).apply(Some(other.as_bytes())) {
            Ok(applied) => {
                let (added, removed) = unified(&diff).size();
                let made = String::from_utf8(applied.content.unwrap()).unwrap();
                let lines = |text: &str| text.split_inclusive('\n').count();
                prop_assert_eq!(lines(&made) + removed, lines(&other) + added);
            }
            Err(fault) => prop_assert!(fault.to_string().starts_with("hunk "), "{}", fault),
        }
    }
}

proptest! {
    // Each case compiles its patterns.
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn protected_beats_allowed(
        allowed in patterns(),
        protected in patterns(),
        candidates in prop::collection::vec(paths(), 20),
    ) {
        let everything = ["**".to_owned()];
        let allowed = if allowed.is_empty() { everything.to_vec() } else { allowed };
        let policy = Policy::of(Some(&allowed), Some(&protected)).unwrap();
        let free = Policy::of(Some(&everything), Some(&protected)).unwrap();
        for path in candidates.iter().filter_map(|path| RepoPath::parse(path).ok()) {
            let verdict = policy.verdict(&path);
            // What is allowed changes nothing in what is protected.
            let is_protected = matches!(verdict, Verdict::Protected { .. });
            let is_so_anyway = matches!(free.verdict(&path), Verdict::Protected { .. });
            prop_assert_eq!(is_protected, is_so_anyway);
            let named = |patterns: &[String], path: &str, any_case: bool| {
                patterns.iter().any(|pattern| matches(pattern, path, any_case))
            };
            let always: Vec<String> = ALWAYS_PROTECTED.iter().map(|pattern| (*pattern).to_owned()).collect();
            if named(&protected, path.as_str(), true) || named(&always, path.as_str(), true) {
                prop_assert!(is_protected, "{:?} {:?} {:?}", path, protected, verdict);
            }
            let is_allowed = matches!(verdict, Verdict::Allowed { .. });
            prop_assert!(is_protected || named(&allowed, path.as_str(), false) == is_allowed);
            // Nor do letters, nor what lies beneath.
            if is_protected {
                for other in [path.as_str().to_uppercase(), path.as_str().to_lowercase(), format!("{path}/x")] {
                    if let Ok(other) = RepoPath::parse(&other) {
                        let is_too = matches!(policy.verdict(&other), Verdict::Protected { .. });
                        prop_assert!(is_too, "{:?} {:?}", other, protected);
                    }
                }
            }
        }
    }
}

fn matches(pattern: &str, path: &str, any_case: bool) -> bool {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .case_insensitive(any_case)
        .build()
        .unwrap()
        .compile_matcher()
        .is_match(path)
}

/// Git is asked about the same diffs, on the text that they were made from and on others. What both accept must be the same; what
/// git alone accepts must be a place that is not the only one.
#[test]
fn git_makes_the_same_of_them() {
    const CASES: usize = 400;
    let folder = tempfile::tempdir().unwrap();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut same, mut both_refuse, mut git_alone, mut we_alone) = (0, 0, 0, 0);
    for case in 0..CASES {
        let (old, new) = versions().new_tree(&mut runner).unwrap().current();
        let diff = diff(&old, &new, 3);
        if diff.is_empty() {
            continue;
        }
        // Every other one on a text that has changed meanwhile.
        let base = match case % 4 {
            0 | 2 => old.clone(),
            1 => format!("x\ny\n{old}"),
            _ => format!("{old}{}", if old.ends_with('\n') || old.is_empty() { "z\n" } else { "\nz\n" }),
        };
        let ours = apply(&diff, &base);
        let gits = git_apply(folder.path(), &base, &diff);
        match (ours, gits) {
            (Ok(ours), Some(gits)) => {
                assert_eq!(ours, gits, "{base:?}\n{diff}");
                same += 1;
            }
            (Err(_), None) => both_refuse += 1,
            (Ok(_), None) => {
                // Git wants a hunk without context on one side at that end of the file; a single place is enough here.
                assert_ne!(case % 2, 0, "on its own text: {base:?}\n{diff}");
                we_alone += 1;
            }
            (Err(fault), Some(_)) => {
                // It also takes a last line without a newline for one that has one.
                let why = fault.to_string();
                assert!(why.contains("several places") || why.contains("without a newline"), "{why}\n{base:?}\n{diff}");
                git_alone += 1;
            }
        }
    }
    println!("same {same}, both refuse {both_refuse}, only git {git_alone}, only here {we_alone}");
    assert!(same >= 200, "{same}");
}

/// What git makes of a file, in a folder of its own that is no repository.
fn git_apply(folder: &Path, old: &str, diff: &str) -> Option<String> {
    fs::write(folder.join("f"), old).unwrap();
    fs::write(folder.join("diff"), diff).unwrap();
    let status = Command::new("git")
        .args(["apply", "--whitespace=nowarn", "diff"])
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    status.success().then(|| fs::read_to_string(folder.join("f")).unwrap())
}
