//! The files of a tree in a folder; and trees that were made to do harm there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use titan_core::git::NO_FILES;
use titan_ops::repository::{CheckedOut, RepositoryError};

use super::kit::{Kit, faults, is_empty};

const NOBODY: &str = "1234567890123456789012345678901234567890";

#[test]
fn files_are_written_as_they_were_committed() {
    let kit = Kit::new();
    kit.write(".gitattributes", "* text eol=crlf\n*.md ident\n");
    kit.write("a.md", "$Id$\none\n");
    kit.write("bin/run", "#!/bin/sh\n");
    kit.mode("bin/run", 0o755);
    kit.write("deep/er/größe.bin", b"\0\xff\n");
    kit.link("deep/er/up", "../../a.md");
    kit.link("bin/beside", "run");
    let commit = kit.commit();
    let folder = kit.empty("out");
    let done = kit.mirror.check_out(&commit, &folder).unwrap();
    assert_eq!(done.files, 6);
    assert_eq!(fs::read(folder.join("a.md")).unwrap(), b"$Id$\none\n");
    assert_eq!(fs::read(folder.join("deep/er/größe.bin")).unwrap(), b"\0\xff\n");
    assert_eq!(fs::read(folder.join("deep/er/up")).unwrap(), b"$Id$\none\n");
    let mode = |path: &str| fs::symlink_metadata(folder.join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("a.md"), mode("bin/run"), mode("deep"), mode("deep/er")), (0o644, 0o755, 0o755, 0o755));
    assert!(!folder.join(".git").exists());
    let why = kit.mirror.check_out(&commit, &folder).unwrap_err();
    assert!(matches!(&why, RepositoryError::Refused(why) if why.contains("not empty")), "{why:?}");
    let none = kit.mirror.check_out(NO_FILES, &kit.empty("none")).unwrap();
    assert_eq!(none, CheckedOut { files: 0, bytes: 0 });
}

/// A tree, and what is said of it.
type Hostile = (&'static str, fn(&Kit, &str) -> String, &'static str);

const HOSTILE: [Hostile; 27] = [
    ("a folder of git's", |kit, blob| beneath(kit, ".git", blob), ".git: holds \".git\", which is git's own"),
    ("in other letters", |kit, blob| beneath(kit, ".GiT", blob), "git's own"),
    ("a file of git's", |kit, blob| file(kit, ".git", blob), "git's own"),
    (
        "deep down",
        |kit, blob| {
            let tree = beneath(kit, ".git", blob);
            folder(kit, "a", &tree)
        },
        "a/.git: holds",
    ),
    ("its short name", |kit, blob| beneath(kit, "GIT~1", blob), "git's own"),
    ("with a dot", |kit, blob| beneath(kit, ".git.", blob), "git's own"),
    ("with a space", |kit, blob| beneath(kit, ".git ", blob), "git's own"),
    ("a stream of it", |kit, blob| beneath(kit, ".git::$INDEX_ALLOCATION", blob), "git's own"),
    ("with a character that is not seen", |kit, blob| beneath(kit, ".g\u{200c}it", blob), "git's own"),
    ("the folder above", |kit, blob| beneath(kit, "..", blob), "holds \"..\""),
    ("a file of that name", |kit, blob| file(kit, "..", blob), "holds \"..\""),
    ("the folder itself", |kit, blob| beneath(kit, ".", blob), "holds \".\""),
    ("a backslash", |kit, blob| file(kit, "..\\x", blob), "no name on every system"),
    ("a file without a name", |kit, blob| file(kit, "", blob), "git cannot read the tree"),
    ("a folder without a name", |kit, blob| beneath(kit, "", blob), "git cannot read the tree"),
    ("a long name", |kit, blob| file(kit, &"x".repeat(300), blob), "more than 255 bytes"),
    ("a submodule", |kit, _| kit.raw_tree(&[("160000", NOBODY, "sub")]), "sub: is a submodule"),
    ("a link out", |kit, _| link(kit, "../x"), "which leads out"),
    ("a link to the root", |kit, _| link(kit, "/etc/passwd"), "must be relative"),
    ("a link that turns back", |kit, _| link(kit, "a/../../x"), "at its beginning only"),
    ("a link to nothing", |kit, _| link(kit, ""), "to nothing"),
    ("letters alone", |kit, blob| kit.raw_tree(&[("100644", blob, "README"), ("100644", blob, "readme")]), "only by"),
    (
        "letters of a folder",
        |kit, blob| {
            let tree = file(kit, "x", blob);
            kit.raw_tree(&[("040000", &tree, "A"), ("040000", &tree, "a")])
        },
        "only by",
    ),
    (
        "twice the same",
        |kit, blob| kit.raw_tree(&[("100644", blob, "x"), ("100644", blob, "x")]),
        "stands in the tree twice",
    ),
    (
        "a file and a folder",
        |kit, blob| {
            let tree = file(kit, "y", blob);
            kit.raw_tree(&[("100644", blob, "x"), ("040000", &tree, "x")])
        },
        "stands in the tree twice",
    ),
    (
        "a link and what is beneath it",
        |kit, blob| {
            let tree = file(kit, "passwd", blob);
            let target = kit.blob(b"sub");
            kit.raw_tree(&[("120000", &target, "x"), ("040000", &tree, "x")])
        },
        "stands in the tree twice",
    ),
    (
        "deeper than anybody needs",
        |kit, blob| (0..70).fold(file(kit, "x", blob), |tree, _| folder(kit, "d", &tree)),
        "at most 64 names",
    ),
];

fn file(kit: &Kit, name: &str, blob: &str) -> String {
    kit.raw_tree(&[("100644", blob, name)])
}

fn folder(kit: &Kit, name: &str, tree: &str) -> String {
    kit.raw_tree(&[("040000", tree, name)])
}

fn beneath(kit: &Kit, name: &str, blob: &str) -> String {
    let tree = file(kit, "config", blob);
    folder(kit, name, &tree)
}

fn link(kit: &Kit, target: &str) -> String {
    let target = kit.blob(target.as_bytes());
    kit.raw_tree(&[("120000", &target, "link")])
}

#[test]
fn trees_that_lead_elsewhere_are_refused_before_anything_is_written() {
    let kit = Kit::new();
    let blob = kit.blob(b"[core]\n\tfsmonitor = id\n");
    for (at, (what, make, says)) in HOSTILE.into_iter().enumerate() {
        let tree = make(&kit, &blob);
        let out = kit.empty(&format!("out-{at}"));
        let why = match kit.mirror.check_out(&tree, &out) {
            Err(RepositoryError::Refused(why)) => why,
            faulty => faults(faulty).join("; "),
        };
        assert!(why.contains(says), "{what}: {why}");
        assert!(is_empty(&out), "{what}");
        assert!(!kit.work().join("config").exists());
    }
}

#[test]
fn all_faults_of_a_tree_are_told() {
    let kit = Kit::new();
    let blob = kit.blob(b"../../x");
    let tree = kit.raw_tree(&[("100644", &blob, ".git"), ("120000", &blob, "link"), ("160000", NOBODY, "sub")]);
    let told = faults(kit.mirror.check_out(&tree, &kit.empty("out")));
    assert_eq!(told.len(), 2, "{told:?}");
    let tree = kit.raw_tree(&[("120000", &blob, "a"), ("120000", &blob, "b"), ("100644", &blob, "c")]);
    assert_eq!(faults(kit.mirror.check_out(&tree, &kit.empty("links"))).len(), 2);
}

#[test]
fn what_is_missing_leaves_no_half_of_a_tree_unnoticed() {
    let kit = Kit::new();
    let tree = kit.raw_tree(&[("100644", NOBODY, "x")]);
    let why = kit.mirror.check_out(&tree, &kit.empty("out")).unwrap_err();
    assert!(matches!(why, RepositoryError::Refused(_) | RepositoryError::Broken(_)), "{why:?}");
}
