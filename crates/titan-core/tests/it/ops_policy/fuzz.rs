//! A million inputs that nobody would write, always the same ones: none may end in a panic, and what is accepted must keep the rules.

use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use titan_core::ops::{Policy, RepoPath, Unified, Verdict};

const PATHS: usize = 649_500;
const DIFFS: usize = 350_000;
const PATTERNS: usize = 500;

const GOOD_PATHS: [&str; 6] = [
    "README.md",
    "docs/OPS.md",
    "crates/titan-core/src/page.rs",
    "crates/größe/日本.md",
    "migrations/1/up.sql",
    "docs/a/b/c/d/e",
];
const GOOD_PATTERNS: [&str; 6] = ["docs/**", "**/*.md", "{a,b}/[a-c]*", ".env*", "a?b/", "crates/*/src/**"];
const OLDS: [&str; 4] = ["a\nb\nc\n", "", "a\nb\na\nb\n", "x\na\nb\nc"];
const GOOD_DIFFS: [&str; 5] = [
    "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n",
    "diff --git a/f b/f\nindex 1234567..89abcde 100644\n--- a/f\n+++ b/f\n@@ -1,2 +1 @@\n a\n-b\n@@ -3 +2,2 @@\n c\n+d\n",
    "diff --git a/f b/f\nnew file mode 100755\n--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n",
    "--- a/f\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-a\n-b\n-c\n",
    "--- f\n+++ f\n@@ -2,3 +2,3 @@ fn\n a\n b\n-c\n\\ No newline at end of file\n+é\n",
];

/// What is put in at random.
const PIECES: [&str; 44] = [
    "/",
    "//",
    "./",
    "../",
    "..",
    ".",
    "\\",
    "\0",
    "\n",
    "\r",
    "\r\n",
    " ",
    "+",
    "-",
    "@@",
    "@@ -1 +1 @@\n",
    "--- ",
    "+++ ",
    "--- a/f\n",
    "+++ b/f\n",
    "/dev/null",
    "\\ No newline at end of file\n",
    ",0",
    "0",
    "1",
    "999999999",
    "18446744073709551616",
    "diff --git a/f b/f\n",
    "old mode 100644\n",
    "new mode 120000\n",
    "\"",
    "\\303",
    ".git",
    ".GIT",
    "git~1",
    "\u{200c}",
    "\u{202e}",
    "e\u{301}",
    "ß",
    "\u{130}",
    "*",
    "**",
    "[",
    "{",
];

/// Changes a text in a few places.
fn mutated(rng: &mut StdRng, seeds: &[&str]) -> String {
    let mut text = seeds[rng.random_range(0..seeds.len())].to_owned();
    for _ in 0..rng.random_range(0..5) {
        let place = |rng: &mut StdRng, text: &str| text.floor_char_boundary(rng.random_range(0..=text.len()));
        let at = place(rng, &text);
        match rng.random_range(0..6) {
            0 | 1 => text.insert_str(at, PIECES[rng.random_range(0..PIECES.len())]),
            2 => {
                let end = text.floor_char_boundary((at + rng.random_range(0..8)).min(text.len()));
                text.replace_range(at..end.max(at), "");
            }
            3 => {
                let end = text.floor_char_boundary((at + rng.random_range(0..40)).min(text.len())).max(at);
                let piece = text[at..end].to_owned();
                let at = place(rng, &text);
                text.insert_str(at, &piece);
            }
            4 => {
                let other = seeds[rng.random_range(0..seeds.len())];
                let from = place(rng, other);
                text.replace_range(at.., &other[from..]);
            }
            _ => {
                let c = char::from_u32(rng.random_range(0..0x3100)).unwrap_or('\u{fffd}');
                text.insert(at, c);
            }
        }
    }
    text
}

#[test]
fn a_million_inputs_and_no_panic() {
    let began = Instant::now();
    let mut rng = StdRng::seed_from_u64(6);
    let policy = super::policy();
    let (mut looked_at, mut good_paths, mut allowed, mut good_diffs, mut applied, mut good_patterns) =
        (0, 0, 0, 0, 0, 0);
    for _ in 0..PATHS {
        let given = mutated(&mut rng, &GOOD_PATHS);
        looked_at += 1;
        if let Ok(path) = RepoPath::parse(&given) {
            good_paths += 1;
            assert_eq!(RepoPath::parse(path.as_str()).as_ref(), Ok(&path));
            let text = path.as_str();
            assert!(!text.contains(['\\', '\0', ':', '\n']) && !text.starts_with('/'), "{given:?}");
            assert!(
                !text.split('/').any(|name| ["", ".", ".."].contains(&name) || name.eq_ignore_ascii_case(".git")),
                "{given:?}"
            );
            if let Verdict::Allowed { .. } = policy.verdict(&path) {
                allowed += 1;
                assert!(text == "README.md" || text.starts_with("docs/") || text.starts_with("crates/"), "{given:?}");
            }
        }
    }
    let path = RepoPath::parse("f").unwrap();
    for at in 0..DIFFS {
        let given = mutated(&mut rng, &GOOD_DIFFS);
        looked_at += 1;
        if let Ok(diff) = Unified::parse(&given, &path) {
            good_diffs += 1;
            let (added, removed) = diff.size();
            assert!(added + removed > 0, "{given:?}");
            let old = Some(OLDS[at % OLDS.len()]).filter(|_| !diff.makes());
            if let Ok(made) = diff.apply(old.map(str::as_bytes)) {
                applied += 1;
                assert_eq!(made.content.is_none(), diff.deletes());
                let lines = |text: &[u8]| text.split_inclusive(|byte| *byte == b'\n').count();
                let made = made.content.unwrap_or_default();
                assert_eq!(lines(&made) + removed, lines(old.unwrap_or_default().as_bytes()) + added, "{given:?}");
            }
        }
    }
    for _ in 0..PATTERNS {
        let given = [mutated(&mut rng, &GOOD_PATTERNS)];
        looked_at += 1;
        if let Ok(policy) = Policy::of(Some(&given), Some(&given)) {
            good_patterns += 1;
            // Whatever it allows, it protects.
            for path in GOOD_PATHS {
                let verdict = policy.verdict(&RepoPath::parse(path).unwrap());
                assert!(!matches!(verdict, Verdict::Allowed { .. }), "{given:?} {path}");
            }
        }
    }
    println!(
        "{looked_at} inputs in {:.1} s: {good_paths} paths of which {allowed} allowed, {good_diffs} diffs of which {applied} fitted, \
         {good_patterns} patterns",
        began.elapsed().as_secs_f64()
    );
    assert_eq!(looked_at, 1_000_000);
    // Otherwise it would show nothing.
    assert!(good_paths > 100_000 && allowed > 50_000 && good_diffs > 20_000 && applied > 5_000 && good_patterns > 50);
}
