//! Patches that must not be, and what each is refused with. The snapshot is made to be read.

use serde_json::{Value, json};
use titan_core::ops::PatchInput;

const GIT: &str = "diff --git a/docs/a.md b/docs/a.md\n";
const NAMES: &str = "--- a/docs/a.md\n+++ b/docs/a.md\n";
const HUNK: &str = "@@ -1,2 +1,2 @@\n a\n-b\n+c\n";
const NO_NEWLINE: &str = "\\ No newline at end of file\n";

/// What it is, and a diff of `docs/a.md`.
fn diffs() -> Vec<(&'static str, String)> {
    let git = |between: &str| format!("{GIT}{between}{NAMES}{HUNK}");
    let hunks = |hunks: &str| format!("{NAMES}{hunks}");
    let names = |old: &str, new: &str| format!("--- {old}\n+++ {new}\n{HUNK}");
    let made = |hunk: &str| format!("--- /dev/null\n+++ b/docs/a.md\n{hunk}");
    let gone = |hunk: &str| format!("--- a/docs/a.md\n+++ /dev/null\n{hunk}");
    vec![
        // Another file, or several.
        ("names another file", names("a/Makefile", "b/Makefile")),
        ("names another file on one side", names("a/docs/a.md", "b/Makefile")),
        ("names another file on the other side", names("a/Makefile", "b/docs/a.md")),
        ("names it in other letters", names("a/docs/A.md", "b/docs/A.md")),
        ("names it by a detour", names("a/docs/../docs/a.md", "b/docs/../docs/a.md")),
        ("names it with two prefixes", names("a/a/docs/a.md", "b/b/docs/a.md")),
        ("names it with the prefixes changed about", names("b/docs/a.md", "a/docs/a.md")),
        ("names an absolute path", names("/docs/a.md", "/docs/a.md")),
        ("names nothing", names("", "")),
        ("names it in quotes that say something else", names("\"a/\\056git/x\"", "\"b/\\056git/x\"")),
        ("names it in quotes that do not close", names("\"a/docs/a.md", "b/docs/a.md")),
        ("names it in quotes with bytes that are no text", names("\"a/docs/\\377\"", "b/docs/a.md")),
        ("/dev/null on both sides", names("/dev/null", "/dev/null")),
        ("git's line names another file", format!("diff --git a/Makefile b/Makefile\n{NAMES}{HUNK}")),
        ("git's line names two files", format!("diff --git a/docs/a.md b/Makefile\n{NAMES}{HUNK}")),
        ("git's line names nothing", format!("diff --git \n{NAMES}{HUNK}")),
        ("a second file", format!("{NAMES}{HUNK}--- a/Makefile\n+++ b/Makefile\n{HUNK}")),
        ("a second file, as git tells it", format!("{GIT}{NAMES}{HUNK}diff --git a/Makefile b/Makefile\n{HUNK}")),
        ("the same file a second time", format!("{NAMES}{HUNK}{NAMES}{HUNK}")),
        ("a second file before it", format!("diff --git a/Makefile b/Makefile\n{GIT}{NAMES}{HUNK}")),
        ("the names twice", format!("{NAMES}{NAMES}{HUNK}")),
        ("the names the wrong way round", format!("+++ b/docs/a.md\n--- a/docs/a.md\n{HUNK}")),
        ("only the old name", format!("--- a/docs/a.md\n{HUNK}")),
        ("only the new name", format!("+++ b/docs/a.md\n{HUNK}")),
        ("no names", HUNK.to_owned()),
        ("words before it", format!("Please apply this.\n{NAMES}{HUNK}")),
        ("a mail before it", format!("From 1234 Mon Sep 17\nSubject: x\n\n{NAMES}{HUNK}")),
        ("in a fence of Markdown", format!("```diff\n{NAMES}{HUNK}```\n")),
        ("Subversion's", format!("Index: docs/a.md\n===\n{NAMES}{HUNK}")),
        (
            "of two parents",
            "diff --cc docs/a.md\nindex 1,2..3\n--- a/docs/a.md\n+++ b/docs/a.md\n@@@ -1 -1 +1 @@@\n--a\n++b\n"
                .to_owned(),
        ),
        ("a hunk of two parents", hunks("@@@ -1 -1 +1 @@@\n--a\n++b\n")),
        (
            "a context diff",
            "*** a/docs/a.md\n--- b/docs/a.md\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n".to_owned(),
        ),
        ("what ed reads", "1c\nb\n.\n".to_owned()),
        // What it would be.
        (
            "makes a symbolic link",
            format!(
                "{GIT}new file mode 120000\nindex 0000000..1234567\n--- /dev/null\n+++ b/docs/a.md\n@@ -0,0 +1 @@\n+/etc/passwd\n{NO_NEWLINE}"
            ),
        ),
        ("turns it into a symbolic link", git("old mode 100644\nnew mode 120000\n")),
        ("was a symbolic link", git("index 1234567..89abcde 120000\n")),
        (
            "makes a submodule",
            format!(
                "{GIT}new file mode 160000\nindex 0000000..1234567\n--- /dev/null\n+++ b/docs/a.md\n@@ -0,0 +1 @@\n+Subproject commit 1234\n"
            ),
        ),
        ("changes a submodule", git("index 1234567..89abcde 160000\n")),
        ("a folder's mode", git("new file mode 040000\n")),
        ("a mode with more rights", git("old mode 100644\nnew mode 100777\n")),
        ("a mode that sets the user", git("old mode 100644\nnew mode 104755\n")),
        ("no mode at all", git("old mode \nnew mode \n")),
        ("only the new mode", git("new mode 100755\n")),
        ("only the old mode", git("old mode 100644\n")),
        ("the mode twice", git("old mode 100644\nnew mode 100644\nnew mode 100755\n")),
        ("a new file that has an old name", git("new file mode 100644\n")),
        ("a deleted file that has a new name", git("deleted file mode 100644\n")),
        (
            "a new file with a mode that changes",
            format!("{GIT}old mode 100644\nnew mode 100755\n--- /dev/null\n+++ b/docs/a.md\n@@ -0,0 +1 @@\n+a\n"),
        ),
        ("only a mode", format!("{GIT}old mode 100644\nnew mode 100755\n")),
        ("an empty new file", format!("{GIT}new file mode 100644\nindex 0000000..e69de29\n")),
        ("a rename", git("similarity index 90%\nrename from docs/a.md\nrename to Makefile\n")),
        ("a rename without more", git("rename from Makefile\nrename to docs/a.md\n")),
        ("a copy", git("copy from secrets/token\ncopy to docs/a.md\n")),
        ("a dissimilarity", git("dissimilarity index 90%\n")),
        (
            "a binary patch",
            format!("{GIT}index 1234567..89abcde 100644\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n"),
        ),
        (
            "a binary file",
            format!("{GIT}index 1234567..89abcde 100644\nBinary files a/docs/a.md and b/docs/a.md differ\n"),
        ),
        ("ids that are none", git("index ../../x..y\n")),
        ("a line of git's that nobody knows", git("hook post-checkout\n")),
        ("an empty line among git's", git("\n")),
        // Hunks that lie.
        ("nothing", String::new()),
        ("a newline", "\n".to_owned()),
        ("no hunks", NAMES.to_owned()),
        ("git's line alone", GIT.to_owned()),
        ("fewer lines than it says", hunks("@@ -1,3 +1,3 @@\n a\n-b\n+c\n")),
        ("more lines than it says", hunks("@@ -1,1 +1,1 @@\n a\n-b\n+c\n")),
        ("more old lines than it says", hunks("@@ -1,1 +1,2 @@\n-a\n-b\n+c\n+d\n")),
        ("more new lines than it says", hunks("@@ -1,2 +1,1 @@\n-a\n+c\n+d\n-b\n")),
        ("more lines after all that it says", hunks("@@ -1 +1 @@\n-a\n+c\n+d\n")),
        ("a hunk within a hunk", hunks("@@ -1,4 +1,4 @@\n a\n@@ -2 +2 @@\n-b\n+c\n")),
        ("two hunks, the first too short", hunks("@@ -1,3 +1,3 @@\n a\n-b\n+c\n@@ -9 +9 @@\n-x\n+y\n")),
        ("overlapping hunks", hunks("@@ -1,3 +1,3 @@\n a\n-b\n+c\n d\n@@ -3 +3 @@\n-d\n+e\n")),
        ("overlapping on the new side", hunks("@@ -1 +1,3 @@\n-a\n+b\n+c\n+d\n@@ -5 +2 @@\n-x\n+y\n")),
        ("the same hunk twice", hunks(&format!("{HUNK}{HUNK}"))),
        ("hunks out of order", hunks("@@ -9 +9 @@\n-x\n+y\n@@ -1 +1 @@\n-a\n+b\n")),
        ("a hunk that changes nothing", hunks("@@ -1,2 +1,2 @@\n a\n b\n")),
        ("a hunk of no lines", hunks("@@ -1,0 +1,0 @@\n")),
        ("line 0", hunks("@@ -0,1 +0,1 @@\n-a\n+b\n")),
        ("a number that is negative", hunks("@@ --1 +1 @@\n-a\n+b\n")),
        ("a number with a sign", hunks("@@ -+1 ++1 @@\n-a\n+b\n")),
        ("a number that is too large", hunks("@@ -99999999999999999999 +1 @@\n-a\n+b\n")),
        ("a count that is too large", hunks("@@ -1,18446744073709551615 +1 @@\n-a\n+b\n")),
        ("a number that is none", hunks("@@ -one +two @@\n-a\n+b\n")),
        ("three numbers", hunks("@@ -1,1,1 +1 @@\n-a\n+b\n")),
        ("ranges the wrong way round", hunks("@@ +1 -1 @@\n-a\n+b\n")),
        ("no numbers", hunks("@@ ... @@\n-a\n+b\n")),
        ("no end of the numbers", hunks("@@ -1 +1\n-a\n+b\n")),
        ("words right after the numbers", hunks("@@ -1 +1 @@fn\n-a\n+b\n")),
        ("a space before a hunk", hunks(" @@ -1 +1 @@\n-a\n+b\n")),
        ("a line without its mark", hunks("@@ -1,3 +1,3 @@\n a\n-b\n+c\nd\n")),
        ("a tab in place of its mark", hunks("@@ -1,3 +1,3 @@\n a\n-b\n+c\n\td\n")),
        ("words between hunks", hunks("@@ -1 +1 @@\n-a\n+b\nand then\n@@ -9 +9 @@\n-x\n+y\n")),
        ("words after the last hunk", hunks("@@ -1 +1 @@\n-a\n+b\nThanks!\n")),
        ("the end of a mail", hunks("@@ -1 +1 @@\n-a\n+b\n-- \n2.47.3\n")),
        ("an empty line after it", hunks("@@ -1 +1 @@\n-a\n+b\n\n")),
        ("a lost hunk behind words", hunks("@@ -1 +1 @@\n-a\n+b\nx\n@@ -9 +9 @@\n-x\n+y\n")),
        // Ends of lines and files.
        ("no newline at its own end", hunks("@@ -1 +1 @@\n-a\n+b")),
        ("cut off in a hunk", hunks("@@ -1,3 +1,3 @@\n a\n-b")),
        ("made on Windows", hunks(HUNK).replace('\n', "\r\n")),
        ("a carriage return after a name", format!("--- a/docs/a.md\r\n+++ b/docs/a.md\n{HUNK}")),
        ("a carriage return after the numbers", hunks("@@ -1 +1 @@\r\n-a\n+b\n")),
        ("a carriage return after git's line", format!("diff --git a/docs/a.md b/docs/a.md\r\n{NAMES}{HUNK}")),
        ("a carriage return after a mode", git("old mode 100644\r\nnew mode 100755\n")),
        ("a line that hides itself", hunks("@@ -1 +1 @@\n-a\n+rm -rf /\rharmless\n")),
        ("two carriage returns", hunks("@@ -1 +1 @@\n-a\n+b\r\r\n")),
        ("carriage returns in place of newlines", hunks(HUNK).replace('\n', "\r")),
        ("a NUL", hunks("@@ -1 +1 @@\n-a\n+b\0c\n")),
        ("no newline, said before any line", hunks(&format!("@@ -1 +1 @@\n{NO_NEWLINE}-a\n+b\n"))),
        ("no newline after an empty line", hunks(&format!("@@ -1 +1,2 @@\n a\n+\n{NO_NEWLINE}"))),
        ("no newline, said twice", hunks(&format!("@@ -1 +1 @@\n-a\n+b\n{NO_NEWLINE}{NO_NEWLINE}"))),
        ("no newline, and another old line", hunks(&format!("@@ -1,2 +1 @@\n-a\n{NO_NEWLINE}-b\n+c\n"))),
        ("no newline, and another new line", hunks(&format!("@@ -1 +1,2 @@\n-a\n+b\n{NO_NEWLINE}+c\n"))),
        ("no newline in the middle", hunks(&format!("@@ -1,3 +1,3 @@\n a\n{NO_NEWLINE}-b\n+c\n d\n"))),
        ("no newline, and another hunk", hunks(&format!("@@ -1 +1 @@\n-a\n+b\n{NO_NEWLINE}@@ -9 +9 @@\n-x\n+y\n"))),
        ("no newline, in another language", hunks("@@ -1 +1 @@\n-a\n+b\n\\ Kein Zeilenumbruch am Dateiende.\n")),
        ("no newline, in other words", hunks("@@ -1 +1 @@\n-a\n+b\n\\ No newline\n")),
        ("a backslash and nothing", hunks("@@ -1 +1 @@\n-a\n+b\n\\\n")),
        // Files made and deleted.
        ("makes a file and has old lines", made("@@ -1 +1 @@\n-a\n+b\n")),
        ("makes a file with context", made("@@ -1 +1,2 @@\n a\n+b\n")),
        ("makes a file in two hunks", made("@@ -0,0 +1 @@\n+a\n@@ -0,0 +9 @@\n+b\n")),
        ("makes a file from its second line on", made("@@ -0,0 +2 @@\n+a\n")),
        ("makes a file after a line", made("@@ -1,0 +1 @@\n+a\n")),
        ("deletes a file and has new lines", gone("@@ -1 +1 @@\n-a\n+b\n")),
        ("deletes a file with context", gone("@@ -1,2 +1 @@\n a\n-b\n")),
        ("deletes a file from its second line on", gone("@@ -2 +0,0 @@\n-a\n")),
        ("deletes a file and keeps a line", gone("@@ -1 +1,0 @@\n-a\n")),
    ]
}

/// What it is, and patches as they are sent.
fn patches() -> Vec<(&'static str, Value)> {
    let large = "x".repeat((1 << 20) + 1);
    let binary = format!("\0{}", "x".repeat(256 << 10));
    let many: Vec<Value> = (0..201).map(|at| json!({"path": format!("docs/{at}.md"), "content": ""})).collect();
    let heavy: Vec<Value> =
        (0..9).map(|at| json!({"path": format!("docs/{at}.md"), "content": "x".repeat(1 << 20)})).collect();
    let both = |first: Value, second: Value| json!([first, second]);
    let file = |path: &str| json!({"path": path, "content": "x"});
    vec![
        ("none at all", json!([])),
        ("too many", json!(many)),
        ("too much in all", json!(heavy)),
        ("nothing to do", json!([{"path": "docs/a.md"}])),
        ("nothing to do, said so", json!([{"path": "docs/a.md", "delete": false}])),
        ("content and diff", json!([{"path": "docs/a.md", "content": "x", "diff": "x"}])),
        ("content and deletion", json!([{"path": "docs/a.md", "content": "x", "delete": true}])),
        ("diff and deletion", json!([{"path": "docs/a.md", "diff": "x", "delete": true}])),
        ("all three", json!([{"path": "docs/a.md", "content": "x", "diff": "x", "delete": true}])),
        ("an encoding of nothing", json!([{"path": "docs/a.md", "delete": true, "encoding": "utf-8"}])),
        (
            "an encoding of a diff",
            json!([{"path": "docs/a.md", "diff": format!("{NAMES}{HUNK}"), "encoding": "base64"}]),
        ),
        ("a deleted program", json!([{"path": "docs/a.md", "delete": true, "executable": true}])),
        (
            "a mode that is said twice",
            json!([{"path": "docs/a.md", "executable": false,
            "diff": format!("{GIT}old mode 100644\nnew mode 100755\n{NAMES}{HUNK}")}]),
        ),
        (
            "a program that a diff deletes",
            json!([{"path": "docs/a.md", "executable": true,
            "diff": "--- a/docs/a.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"}]),
        ),
        ("too large a content", json!([{"path": "docs/a.md", "content": large}])),
        ("too large a diff", json!([{"path": "docs/a.md", "diff": large}])),
        (
            "too large in base64",
            json!([{"path": "docs/a.md", "content": "AAAA".repeat(400_000), "encoding": "base64"}]),
        ),
        ("too large for what is no text", json!([{"path": "docs/a.md", "content": binary}])),
        ("base64 that is none", json!([{"path": "docs/a.md", "content": "!", "encoding": "base64"}])),
        ("base64 without its end", json!([{"path": "docs/a.md", "content": "QQ", "encoding": "base64"}])),
        ("base64 of addresses", json!([{"path": "docs/a.md", "content": "__-_", "encoding": "base64"}])),
        ("base64 on two lines", json!([{"path": "docs/a.md", "content": "QUFB\nQUFB", "encoding": "base64"}])),
        ("the same path twice", both(file("docs/a.md"), file("docs/a.md"))),
        ("the same path by a detour", both(file("docs/a.md"), file("./docs//a.md"))),
        ("a path deleted and made", both(json!({"path": "docs/a.md", "delete": true}), file("docs/a.md"))),
        ("two paths that differ by letter case", both(file("docs/a.md"), file("docs/A.md"))),
        ("two folders that differ by letter case", both(file("docs/x/a.md"), file("docs/X/b.md"))),
        ("two paths that are one when folded", both(file("docs/straße.md"), file("docs/STRASSE.md"))),
        ("a file and a folder", both(file("docs/a"), file("docs/a/b"))),
        ("a folder and a file", both(file("docs/a/b/c"), file("docs/a"))),
        ("a file deleted for a folder", both(json!({"path": "docs/a", "delete": true}), file("docs/a/b"))),
        ("two faults in two patches", both(file("Makefile"), json!({"path": "docs/a.md"}))),
        ("two faults in one patch", json!([{"path": ".git/x", "delete": true, "executable": true}])),
    ]
}

fn with_diff(diff: &str) -> PatchInput {
    PatchInput { path: "docs/a.md".to_owned(), diff: Some(diff.to_owned()), ..PatchInput::default() }
}

#[test]
fn each_diff_is_refused_with_its_reason() {
    let policy = super::policy();
    let mut told = String::new();
    for (what, diff) in diffs() {
        let faults = super::faults(&[with_diff(&diff)], &policy).unwrap_or_else(|| panic!("{what} passed:\n{diff}"));
        assert!(faults.starts_with("    patches[0].diff: line "), "{what}: {faults}");
        told.push_str(&format!("{what}\n{faults}"));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn each_patch_is_refused_with_its_reason() {
    let policy = super::policy();
    let mut told = String::new();
    for (what, patches) in patches() {
        let inputs: Vec<PatchInput> = serde_json::from_value(patches).unwrap();
        let faults = super::faults(&inputs, &policy).unwrap_or_else(|| panic!("{what} passed"));
        told.push_str(&format!("{what}\n{faults}"));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_has_another_shape_is_no_patch() {
    for (input, says) in [
        (json!({"content": "x"}), "missing field `path`"),
        (json!({"path": "a", "mode": "120000"}), "unknown field `mode`"),
        (json!({"path": "a", "encoding": "utf-16"}), "unknown variant `utf-16`, expected `utf-8` or `base64`"),
        (json!({"path": ["a"]}), "expected a string"),
        (json!({"path": "a", "delete": "yes"}), "expected a boolean"),
        (json!("a"), "expected struct PatchInput"),
    ] {
        let error = serde_json::from_value::<PatchInput>(input).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_hundred_faults_are_told_of_more() {
    let inputs: Vec<PatchInput> =
        (0..150).map(|at| PatchInput { path: format!("x/{at}"), ..PatchInput::default() }).collect();
    let faults = super::faults(&inputs, &super::policy()).unwrap();
    assert_eq!(faults.lines().count(), 100);
    assert!(faults.ends_with("patches: and 201 more faults that are not told here; mend these first\n"), "{faults}");
}

/// What they were made of is right, so that each of them is refused for what it says.
#[test]
fn what_keeps_the_rules_passes() {
    let modes = "old mode 100644\nnew mode 100755\nindex 1234567..89abcde\n";
    for diff in [
        format!("{NAMES}{HUNK}"),
        format!("{GIT}{NAMES}{HUNK}"),
        format!("{GIT}index 1234567..89abcde 100644\n{NAMES}{HUNK}"),
        format!("{GIT}{modes}{NAMES}{HUNK}"),
        format!("--- docs/a.md\t2026-01-01 00:00:00\n+++ docs/a.md\t2026-01-01 00:00:00\n{HUNK}"),
        format!("--- \"a/docs/a\\056md\"\n+++ \"b/docs/a.md\"\n{HUNK}"),
        format!("{NAMES}@@ -1 +1 @@ fn main() {{\n-a\n+b\n"),
        format!("{NAMES}@@ -1,3 +1,2 @@\n a\n\n-b\n"),
        format!("{NAMES}@@ -1 +1 @@\n-a\r\n+b\r\n"),
        format!("{NAMES}@@ -1 +1 @@\n-a\n{NO_NEWLINE}+b\n{NO_NEWLINE}"),
        format!("{NAMES}@@ -1 +1 @@\n--- a/Makefile\n+++ b/Makefile\n"),
        format!(
            "{GIT}new file mode 100755\nindex 0000000..1234567\n--- /dev/null\n+++ b/docs/a.md\n@@ -0,0 +1 @@\n+a\n"
        ),
        format!(
            "{GIT}deleted file mode 100644\nindex 1234567..0000000\n--- a/docs/a.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
        ),
    ] {
        assert_eq!(super::faults(&[with_diff(&diff)], &super::policy()), None, "{diff}");
    }
    for patch in [
        json!({"path": "./docs//a.md", "content": ""}),
        json!({"path": "docs/a.md", "content": "AAH/", "encoding": "base64", "executable": true}),
        json!({"path": "docs/a.md", "content": "x".repeat(1 << 20)}),
        json!({"path": "docs/a.md", "delete": true}),
        json!({"path": "docs/a.md", "diff": format!("{NAMES}{HUNK}"), "executable": true}),
    ] {
        let input: PatchInput = serde_json::from_value(patch).unwrap();
        assert_eq!(super::faults(&[input], &super::policy()), None);
    }
}
