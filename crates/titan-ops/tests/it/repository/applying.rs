//! Patches put onto a commit.

use std::collections::BTreeMap;

use proptest::prelude::*;
use titan_ops::repository::{ChangeStatus, Files, RepositoryError};

use super::kit::{Kit, content, content_of_mode, deletion, diff, faults, is_empty};

const NOBODY: &str = "1234567890123456789012345678901234567890";

fn base(kit: &Kit) -> String {
    kit.write("README.md", "one\ntwo\nthree\n");
    kit.write("bin/run", "#!/bin/sh\n");
    kit.mode("bin/run", 0o755);
    kit.write("docs/a.md", "a\n");
    kit.write("picture.png", b"\x89PNG\0\xff");
    kit.link("link", "README.md");
    kit.submodule("sub", NOBODY);
    kit.commit()
}

#[test]
fn contents_diffs_and_deletions_become_a_tree() {
    let kit = Kit::new();
    let base = base(&kit);
    let patches = [
        diff("README.md", "@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three\n"),
        content("bin/run", "#!/bin/sh\nexit 0\n"),
        content("new/folder/x.txt", "x"),
        content_of_mode("new/program", "#!/bin/sh\n", Some(true)),
        deletion("docs/a.md"),
        content("picture.png", b"\0\x01"),
    ];
    let applied = kit.mirror.apply(&base, &patches).unwrap();
    let changed: Vec<(&str, ChangeStatus, u32, bool)> =
        applied.files.iter().map(|file| (&*file.path, file.status, file.mode, file.binary)).collect();
    assert_eq!(
        changed,
        [
            ("README.md", ChangeStatus::Modified, 0o100_644, false),
            ("bin/run", ChangeStatus::Modified, 0o100_755, false),
            ("docs/a.md", ChangeStatus::Deleted, 0, false),
            ("new/folder/x.txt", ChangeStatus::Added, 0o100_644, false),
            ("new/program", ChangeStatus::Added, 0o100_755, false),
            ("picture.png", ChangeStatus::Modified, 0o100_644, true),
        ]
    );
    // Git itself makes the same of the files.
    kit.write("README.md", "one\nzwei\nthree\n");
    kit.write("bin/run", "#!/bin/sh\nexit 0\n");
    kit.write("new/folder/x.txt", "x");
    kit.write("new/program", "#!/bin/sh\n");
    kit.mode("new/program", 0o755);
    kit.remove("docs/a.md");
    kit.write("picture.png", b"\0\x01");
    assert_eq!(kit.tree(), applied.tree);
    // And a forge would be told this.
    let Files { files, deletions } = kit.mirror.files_between(&base, &applied.tree).unwrap();
    assert_eq!(deletions, ["docs/a.md"]);
    let told: Vec<(&str, &[u8], bool)> =
        files.iter().map(|file| (&*file.path, &*file.content, file.executable)).collect();
    assert_eq!(
        told,
        [
            ("README.md", &b"one\nzwei\nthree\n"[..], false),
            ("bin/run", b"#!/bin/sh\nexit 0\n", true),
            ("new/folder/x.txt", b"x", false),
            ("new/program", b"#!/bin/sh\n", true),
            ("picture.png", b"\0\x01", false),
        ]
    );
    assert!(is_empty(&kit.repository().parent().unwrap().join("scratch")), "nothing is left of the index");
}

#[test]
fn the_same_patches_make_the_same_tree() {
    let kit = Kit::new();
    let base = base(&kit);
    let patches = [content("README.md", "other\n"), deletion("bin/run")];
    assert_eq!(kit.mirror.apply(&base, &patches).unwrap(), kit.mirror.apply(&base, &patches).unwrap());
}

#[test]
fn a_mode_alone_is_a_change() {
    let kit = Kit::new();
    let base = base(&kit);
    let applied = kit.mirror.apply(&base, &[content_of_mode("bin/run", "#!/bin/sh\n", Some(false))]).unwrap();
    assert_eq!((applied.files[0].old_mode, applied.files[0].mode), (0o100_755, 0o100_644));
}

#[test]
fn a_hunk_that_stands_elsewhere_is_told() {
    let kit = Kit::new();
    let base = base(&kit);
    let applied = kit.mirror.apply(&base, &[diff("README.md", "@@ -1,2 +1,2 @@\n-two\n+zwei\n three\n")]).unwrap();
    let shifts: Vec<String> = applied.shifts.iter().map(|(path, shift)| format!("{path}: {shift}")).collect();
    assert_eq!(shifts.len(), 1);
    assert!(shifts[0].starts_with("README.md: hunk 1 says line 1"), "{shifts:?}");
}

#[test]
fn all_that_does_not_fit_is_told_by_its_place() {
    let kit = Kit::new();
    let base = base(&kit);
    let patches = [
        deletion("docs/none.md"),
        content("link", "x"),
        content("sub", "x"),
        deletion("link"),
        content("docs", "x"),
        content("README.md/x", "x"),
        content("link/x", "x"),
        content("sub/x", "x"),
        diff("docs/none.md", "@@ -1 +1 @@\n-a\n+b\n"),
        diff("docs/a.md", "@@ -1 +1 @@\n-b\n+c\n"),
        diff("picture.png", "@@ -1 +1 @@\n-b\n+c\n"),
        content("fine.md", "x"),
    ];
    let told = faults(kit.mirror.apply(&base, &patches));
    let wanted = [
        "patches[0].path: is not in the repository",
        "patches[1].path: is a symbolic link",
        "patches[2].path: is a submodule",
        "patches[3].path: is a symbolic link",
        "patches[4].path: is a folder",
        "patches[5].path: lies beneath README.md, which is a file",
        "patches[6].path: lies beneath link, which is a symbolic link",
        "patches[7].path: lies beneath sub, which is a submodule",
        "patches[8].diff: is not there",
        "patches[9].diff: hunk 1",
        "patches[10].diff: is no text",
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (told, wanted) in told.iter().zip(wanted) {
        assert!(told.starts_with(wanted), "{told} should begin with {wanted}");
    }
}

#[test]
fn what_changes_nothing_is_a_fault() {
    let kit = Kit::new();
    let base = base(&kit);
    let told = faults(kit.mirror.apply(&base, &[content("docs/a.md", "a\n"), content("bin/run", "#!/bin/sh\n")]));
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("patches: change nothing"), "{told:?}");
    // One that changes something makes up for one that does not.
    let applied = kit.mirror.apply(&base, &[content("docs/a.md", "a\n"), content("x", "y")]).unwrap();
    assert_eq!(applied.files.len(), 1);
}

#[test]
fn many_faults_are_told_as_a_hundred() {
    let kit = Kit::new();
    let base = base(&kit);
    let patches: Vec<_> = (0..150).map(|at| deletion(&format!("none/{at}"))).collect();
    let told = faults(kit.mirror.apply(&base, &patches));
    assert_eq!(told.len(), 100);
    assert!(told[99].contains("and 51 more faults"), "{}", told[99]);
}

#[test]
fn a_base_that_is_not_there_or_no_id() {
    let kit = Kit::new();
    base(&kit);
    for base in [NOBODY, "HEAD", "main", "--all", "", "12345"] {
        let why = kit.mirror.apply(base, &[content("x", "y")]).unwrap_err();
        assert!(matches!(why, RepositoryError::NotFound(_)), "{base}: {why:?}");
    }
}

#[test]
fn attributes_of_the_repository_change_no_byte() {
    let kit = Kit::new();
    kit.write(".gitattributes", "* text eol=crlf\n*.md ident\n");
    kit.write("a.txt", "a\n");
    let base = kit.commit();
    let applied = kit.mirror.apply(&base, &[content("x.md", "$Id$\r\nx\r\n"), content("y.txt", "y\n")]).unwrap();
    assert_eq!(kit.mirror.file(&applied.tree, "x.md", 100).unwrap().unwrap(), b"$Id$\r\nx\r\n");
    assert_eq!(kit.mirror.file(&applied.tree, "y.txt", 100).unwrap().unwrap(), b"y\n");
}

type Tree = BTreeMap<&'static str, (Vec<u8>, bool)>;

const PATHS: [&str; 8] = ["a", "b.txt", "d/a", "d/e/f", "d/e.x", "x y", "größe/茶", "-dash"];

fn trees() -> impl Strategy<Value = (Tree, Tree)> {
    let content =
        prop::sample::select(vec![&b""[..], b"a\n", b"a", b"a\r\nb\n", b"\0\xff", b"longer\nthan\nthe\nothers\n"]);
    let file = (content.prop_map(<[u8]>::to_vec), any::<bool>());
    let paths = prop::sample::select(PATHS.to_vec());
    let tree = prop::collection::btree_map(paths, file, 1..8);
    (tree.clone(), tree)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_content_of_each_file_makes_the_tree_that_git_makes((from, to) in trees()) {
        prop_assume!(from != to);
        let kit = Kit::new();
        let put = |tree: &Tree| {
            for (path, (bytes, executable)) in tree {
                kit.write(path, bytes);
                kit.mode(path, if *executable { 0o755 } else { 0o644 });
            }
        };
        put(&from);
        let base = kit.commit();
        let mut patches: Vec<_> = to
            .iter()
            .map(|(path, (bytes, executable))| content_of_mode(path, bytes, Some(*executable)))
            .collect();
        let gone: Vec<&str> = from.keys().filter(|path| !to.contains_key(*path)).copied().collect();
        patches.extend(gone.iter().map(|path| deletion(path)));
        let applied = kit.mirror.apply(&base, &patches).unwrap();
        gone.iter().for_each(|path| kit.remove(path));
        put(&to);
        prop_assert_eq!(kit.tree(), applied.tree.clone());
        let paths: Vec<String> = to.keys().map(|path| (*path).to_owned()).collect();
        prop_assert_eq!(kit.mirror.paths(&applied.tree).unwrap().into_iter().collect::<Vec<_>>(), paths);
    }
}
