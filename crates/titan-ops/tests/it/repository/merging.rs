//! Merges as trials: what goes together, what does not and where, and what is taken back.

use chrono::{DateTime, Utc};
use titan_ops::repository::{Merged, RepositoryError};

use super::kit::Kit;

const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";
const THREE: &str = "3333333333333333333333333333333333333333";

const LINES: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn base(kit: &Kit) -> String {
    kit.write("text", LINES);
    kit.write("other", LINES.replace('e', "E"));
    kit.write("binary", b"\0\x01\x02");
    kit.write("last", "a\nb\n");
    kit.write("folder/a", "a\n".repeat(20));
    kit.write("folder/b", "b\n".repeat(20));
    kit.link("link", "text");
    kit.submodule("sub", ONE);
    kit.commit()
}

type Side = fn(&Kit);

/// What both sides do to the same files, and one of the paths that this is told of.
const CONFLICTS: [(&str, Side, Side, &str); 22] = [
    ("the same line", |kit| replace(kit, "three", "3"), |kit| replace(kit, "three", "III"), "text"),
    ("lines beside each other", |kit| replace(kit, "three", "3"), |kit| replace(kit, "four", "4"), "text"),
    ("both add to the end", |kit| append(kit, "nine\n"), |kit| append(kit, "IX\n"), "text"),
    ("both make it", |kit| kit.write("new", "a\n"), |kit| kit.write("new", "b\n"), "new"),
    ("changed and deleted", |kit| replace(kit, "one", "1"), |kit| kit.remove("text"), "text"),
    ("deleted and changed", |kit| kit.remove("text"), |kit| replace(kit, "one", "1"), "text"),
    ("renamed and deleted", |kit| kit.rename("text", "new"), |kit| kit.remove("text"), "new"),
    ("deleted and renamed", |kit| kit.remove("text"), |kit| kit.rename("text", "new"), "new"),
    ("renamed to two names", |kit| kit.rename("text", "new"), |kit| kit.rename("text", "next"), "new"),
    ("two renamed to one name", |kit| kit.rename("text", "new"), |kit| kit.rename("other", "new"), "new"),
    ("renamed to what the other makes", |kit| kit.rename("text", "new"), |kit| kit.write("new", "n\n"), "new"),
    (
        "renamed and changed alike",
        |kit| {
            replace(kit, "three", "3");
            kit.rename("text", "new");
        },
        |kit| replace(kit, "three", "III"),
        "new",
    ),
    (
        "a folder in the place of a changed file",
        |kit| {
            kit.remove("text");
            kit.write("text/a", "a\n");
        },
        |kit| replace(kit, "one", "1"),
        "text",
    ),
    ("a file and a folder of one name", |kit| kit.write("new", "a\n"), |kit| kit.write("new/a", "a\n"), "new"),
    ("both change what is no text", |kit| kit.write("binary", b"\0a"), |kit| kit.write("binary", b"\0b"), "binary"),
    ("both turn a link", |kit| kit.link("link", "other"), |kit| kit.link("link", "last"), "link"),
    ("a link in the place of a changed file", |kit| kit.link("text", "other"), |kit| replace(kit, "one", "1"), "text"),
    (
        "made with two modes",
        |kit| kit.write("new", "a\n"),
        |kit| {
            kit.write("new", "a\n");
            kit.mode("new", 0o755);
        },
        "new",
    ),
    (
        "the ends of all lines and one of the lines",
        |kit| kit.write("text", LINES.replace('\n', "\r\n")),
        |kit| replace(kit, "three", "3"),
        "text",
    ),
    ("the last newline and the last line", |kit| kit.write("last", "a\nb"), |kit| kit.write("last", "a\nc\n"), "last"),
    ("both move a submodule", |kit| kit.submodule("sub", TWO), |kit| kit.submodule("sub", THREE), "sub"),
    (
        "a file for a folder that was renamed",
        |kit| {
            kit.rename("folder/a", "new/a");
            kit.rename("folder/b", "new/b");
        },
        |kit| kit.write("folder/c", "c\n"),
        "new/c",
    ),
];

fn replace(kit: &Kit, from: &str, to: &str) {
    kit.write("text", LINES.replace(from, to));
}

fn append(kit: &Kit, line: &str) {
    kit.write("text", format!("{LINES}{line}"));
}

#[test]
fn every_kind_of_conflict_is_told_by_its_paths() {
    let kit = Kit::new();
    let base = base(&kit);
    for (what, ours, theirs, path) in CONFLICTS {
        let (ours, theirs) = (kit.on(&base, ours), kit.on(&base, theirs));
        for (from, to) in [(&ours, &theirs), (&theirs, &ours)] {
            let Merged::Conflicts(paths) = kit.mirror.merge(from, to).unwrap() else { panic!("{what}: no conflict") };
            assert!(paths.iter().any(|found| found == path), "{what}: {paths:?}");
        }
        // The same when the other side is only a tree, as a proposal's is.
        let tree = kit.mirror.tree_of(&theirs).unwrap();
        let moved = kit.mirror.three_way(&base, &ours, &tree).unwrap();
        assert!(
            matches!(&moved, Merged::Conflicts(paths) if paths.iter().any(|found| found == path)),
            "{what}: {moved:?}"
        );
    }
}

#[test]
fn what_goes_together_is_merged() {
    let kit = Kit::new();
    let base = base(&kit);
    let ours = kit.on(&base, |kit| replace(kit, "one", "1"));
    let theirs = kit.on(&base, |kit| {
        replace(kit, "eight", "8");
        kit.write("new", "n\n");
        kit.remove("last");
    });
    let wanted = kit.on(&base, |kit| {
        kit.write("text", LINES.replace("one", "1").replace("eight", "8"));
        kit.write("new", "n\n");
        kit.remove("last");
    });
    let wanted = Merged::Tree(kit.mirror.tree_of(&wanted).unwrap());
    assert_eq!(kit.mirror.merge(&ours, &theirs).unwrap(), wanted);
    let tree = kit.mirror.tree_of(&theirs).unwrap();
    assert_eq!(kit.mirror.three_way(&base, &ours, &tree).unwrap(), wanted);
    // A base that has not moved: the tree is what it was.
    assert_eq!(kit.mirror.three_way(&base, &base, &tree).unwrap(), Merged::Tree(tree));
}

/// The proposal's base is what it is brought from, also when the branch was begun anew and does not stand on it.
#[test]
fn the_base_is_the_one_that_is_named() {
    let kit = Kit::new();
    let base = base(&kit);
    kit.git(&["checkout", "--quiet", "--orphan", "anew"]);
    replace(&kit, "one", "1");
    let anew = kit.commit();
    let theirs = kit.on(&base, |kit| replace(kit, "eight", "8"));
    let tree = kit.mirror.tree_of(&theirs).unwrap();
    let Merged::Tree(moved) = kit.mirror.three_way(&base, &anew, &tree).unwrap() else { panic!("a conflict") };
    let text = kit.mirror.file(&moved, "text", 1000).unwrap().unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), LINES.replace("one", "1").replace("eight", "8"));
    let why = kit.mirror.merge(&anew, &theirs).unwrap_err();
    assert!(matches!(&why, RepositoryError::Refused(why) if why.contains("no history in common")), "{why:?}");
}

#[test]
fn attributes_of_the_repository_merge_nothing() {
    let kit = Kit::new();
    kit.write(".gitattributes", "* merge=union\n");
    let base = base(&kit);
    let (ours, theirs) = (kit.on(&base, |kit| replace(kit, "one", "1")), kit.on(&base, |kit| replace(kit, "one", "I")));
    assert_eq!(kit.mirror.merge(&ours, &theirs).unwrap(), Merged::Conflicts(vec!["text".to_owned()]));
}

#[test]
fn a_commit_is_the_same_when_it_is_made_again() {
    let kit = Kit::new();
    let base = base(&kit);
    let tree = kit.mirror.tree_of(&base).unwrap();
    let make = |message: &str, second: i64| kit.mirror.commit_of_tree(&tree, &[&base], message, at(second)).unwrap();
    let commit = make("Merge a proposal\n\nWhy: größer", 1_700_000_000);
    assert_eq!(make("Merge a proposal\n\nWhy: größer", 1_700_000_000), commit);
    assert_ne!(make("Merge a proposal\n\nWhy: größer", 1_700_000_001), commit);
    assert_eq!(kit.mirror.tree_of(&commit).unwrap(), tree);
    let log = kit.mirror.log(&base, &commit, 10).unwrap();
    assert_eq!((log.len(), &*log[0].id, &*log[0].author, &*log[0].title), (1, &*commit, "Titan", "Merge a proposal"));
    assert_eq!(log[0].at, at(1_700_000_000));
    assert_eq!(kit.git(&["show", "--no-patch", "--format=%B", &commit]), "Merge a proposal\n\nWhy: größer");
    // A message says nothing but itself, and what is named must be there.
    let sly = make("x\0y\r\nauthor Eve <eve@example.com> 0 +0000", 0);
    assert_eq!(
        kit.git(&["show", "--no-patch", "--format=%an %s", &sly]),
        "Titan xy author Eve <eve@example.com> 0 +0000"
    );
    for (tree, parents) in [(ONE, vec![]), (&*tree, vec![ONE]), ("HEAD", vec![])] {
        let why = kit.mirror.commit_of_tree(tree, &parents, "x", at(0)).unwrap_err();
        assert!(matches!(why, RepositoryError::NotFound(_)), "{why:?}");
    }
}

#[test]
fn a_merge_is_taken_back_whole() {
    let kit = Kit::new();
    let base = base(&kit);
    let branch = kit.on(&base, |kit| replace(kit, "one", "1"));
    let branch = kit.on(&branch, |kit| kit.write("new", "n\n"));
    let main = kit.on(&base, |kit| kit.write("other", "else\n"));
    let Merged::Tree(tree) = kit.mirror.merge(&main, &branch).unwrap() else { panic!("a conflict") };
    for (how, parents) in [("merged", vec![&*main, &*branch]), ("squashed", vec![&*main])] {
        let merge = kit.mirror.commit_of_tree(&tree, &parents, "Merge", at(1)).unwrap();
        let before = kit.mirror.tree_of(&main).unwrap();
        assert_eq!(kit.mirror.revert_tree(&merge, &merge).unwrap(), Merged::Tree(before), "{how}");
        // What came later stays.
        let later = kit.on(&merge, |kit| kit.write("later", "l\n"));
        let Merged::Tree(reverted) = kit.mirror.revert_tree(&merge, &later).unwrap() else { panic!("a conflict") };
        let wanted = kit.on(&main, |kit| kit.write("later", "l\n"));
        assert_eq!(reverted, kit.mirror.tree_of(&wanted).unwrap(), "{how}");
        // Unless it has changed the same.
        let later = kit.on(&merge, |kit| kit.write("text", LINES.replace("one", "uno")));
        let wanted = Merged::Conflicts(vec!["text".to_owned()]);
        assert_eq!(kit.mirror.revert_tree(&merge, &later).unwrap(), wanted, "{how}");
    }
    for (commit, head, says) in [(&branch, &main, "does not stand on"), (&base, &base, "first commit")] {
        let why = kit.mirror.revert_tree(commit, head).unwrap_err();
        assert!(matches!(&why, RepositoryError::Refused(why) if why.contains(says)), "{why:?}");
    }
}
