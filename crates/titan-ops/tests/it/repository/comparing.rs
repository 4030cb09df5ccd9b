//! What differs, as data and as people read it; and what stands where.

use titan_core::ops::tree::TreeChange;
use titan_ops::repository::{ChangeStatus, FileChange, Renames, RepositoryError};

use super::kit::Kit;

fn two(kit: &Kit) -> (String, String) {
    kit.write("a.md", "one\ntwo\nthree\nfour\n");
    kit.write("gone", "g\n");
    kit.write("binary", b"\0\x01");
    kit.write("run", "r\n");
    kit.write("typed", "t\n");
    let from = kit.commit();
    let to = kit.on(&from, |kit| {
        kit.rename("a.md", "docs/größe.md");
        kit.remove("gone");
        kit.write("binary", b"\0\x02");
        kit.mode("run", 0o755);
        kit.remove("typed");
        kit.link("typed", "run");
        kit.write("a new file", "n");
    });
    (from, to)
}

fn short(change: &FileChange) -> (Option<&str>, &str, ChangeStatus, Option<u64>, Option<u64>) {
    (change.old_path.as_deref(), &change.path, change.status, change.additions, change.deletions)
}

#[test]
fn each_change_is_told_for_rules_and_for_people() {
    use ChangeStatus::{Added, Deleted, Modified, Renamed, TypeChanged};
    let kit = Kit::new();
    let (from, to) = two(&kit);
    let apart = kit.mirror.changes(&from, &to, Renames::Apart).unwrap();
    assert_eq!(
        apart.iter().map(short).collect::<Vec<_>>(),
        [
            (None, "a new file", Added, Some(1), Some(0)),
            (None, "a.md", Deleted, Some(0), Some(4)),
            (None, "binary", Modified, None, None),
            (None, "docs/größe.md", Added, Some(4), Some(0)),
            (None, "gone", Deleted, Some(0), Some(1)),
            (None, "run", Modified, Some(0), Some(0)),
            (None, "typed", TypeChanged, Some(1), Some(1)),
        ]
    );
    assert_eq!((apart[2].binary, apart[5].old_mode, apart[5].mode), (true, 0o100_644, 0o100_755));
    let ruled =
        TreeChange { old_path: "typed".to_owned(), path: "typed".to_owned(), old_mode: 0o100_644, mode: 0o120_000 };
    assert_eq!(TreeChange::from(&apart[6]), ruled);
    let found = kit.mirror.changes(&from, &to, Renames::Found).unwrap();
    let renamed = found.iter().find(|change| change.status == Renamed).unwrap();
    assert_eq!(short(renamed), (Some("a.md"), "docs/größe.md", Renamed, Some(0), Some(0)));
    assert_eq!(kit.mirror.changes(&to, &to, Renames::Apart).unwrap(), []);
    let nowhere = kit.mirror.changes(&from, &"1".repeat(40), Renames::Apart).unwrap_err();
    assert!(matches!(nowhere, RepositoryError::NotFound(_)));
}

#[test]
fn a_diff_is_shown_up_to_its_limit() {
    let kit = Kit::new();
    let (from, to) = two(&kit);
    let whole = kit.mirror.diff(&from, &to, 100_000).unwrap();
    assert!(!whole.truncated);
    for part in [
        "rename from a.md\nrename to docs/größe.md\n",
        "Binary files a/binary and b/binary differ\n",
        "old mode 100644\nnew mode 100755\n",
        "--- /dev/null\n+++ b/a new file\t\n@@ -0,0 +1 @@\n+n\n\\ No newline at end of file\n",
        "new file mode 120000\n",
    ] {
        assert!(whole.text.contains(part), "{part:?} in\n{}", whole.text);
    }
    let cut = kit.mirror.diff(&from, &to, 300).unwrap();
    assert!(cut.truncated && cut.text.len() <= 300 && cut.text.ends_with('\n'), "{cut:?}");
    assert!(whole.text.starts_with(&cut.text));
    let exact = kit.mirror.diff(&from, &to, whole.text.len() as u64).unwrap();
    assert_eq!(exact, whole);
    let none = kit.mirror.diff(&from, &to, 5).unwrap();
    assert!(none.truncated && none.text.is_empty());
}

#[test]
fn a_diff_of_one_file() {
    let kit = Kit::new();
    let (from, to) = two(&kit);
    let of = |path: &str, old_path| kit.mirror.diff_of_file(&from, &to, path, old_path, 10_000).unwrap().text;
    assert!(of("gone", None).contains("deleted file mode 100644"));
    assert_eq!(of("gone", None).matches("diff --git").count(), 1);
    assert!(of("docs/größe.md", None).contains("new file mode"));
    assert!(of("docs/größe.md", Some("a.md")).contains("rename from a.md"));
    // Nothing is a pattern, and nothing leads elsewhere.
    for path in ["*", "nothing", "", ".", "../gone", "/etc/passwd", ":(top)gone", "docs/", "a\0b"] {
        assert_eq!(of(path, None), "", "{path:?}");
    }
}

#[test]
fn attributes_of_the_repository_hide_nothing() {
    let kit = Kit::new();
    kit.write(".gitattributes", "*.lock -diff\n*.txt diff=tool\n");
    kit.write("a.lock", "a\n");
    let from = kit.commit();
    let to = kit.on(&from, |kit| kit.write("a.lock", "b\n"));
    assert_eq!(kit.mirror.changes(&from, &to, Renames::Apart).unwrap()[0].additions, Some(1));
    assert!(kit.mirror.diff(&from, &to, 10_000).unwrap().text.contains("-a\n+b\n"));
}

#[test]
fn files_are_read_up_to_a_limit() {
    let kit = Kit::new();
    kit.write("a", "abc");
    kit.write("d/b", "b");
    kit.link("link", "a");
    let commit = kit.commit();
    let read = |path: &str| kit.mirror.file(&commit, path, 3).unwrap();
    assert_eq!(read("a").as_deref(), Some(&b"abc"[..]));
    assert_eq!(read("d/b").as_deref(), Some(&b"b"[..]));
    for path in ["none", "d", "link", "", "d/", "../a", "/a", "*", "a\nb", "a\0", "d/b/c"] {
        assert_eq!(read(path), None, "{path:?}");
    }
    let why = kit.mirror.file(&commit, "a", 2).unwrap_err();
    assert!(matches!(&why, RepositoryError::Refused(why) if why.contains("at most 2 bytes, and has 3")), "{why:?}");
    let tree = kit.mirror.tree_of(&commit).unwrap();
    assert_eq!(kit.mirror.tree_of(&tree).unwrap(), tree);
    assert_eq!(kit.mirror.paths(&tree).unwrap().into_iter().collect::<Vec<_>>(), ["a", "d/b", "link"]);
}

#[test]
fn what_stands_on_what() {
    let kit = Kit::new();
    let first = kit.commit_of(&[("a", "1")]);
    let second = kit.commit_of(&[("a", "2")]);
    let third = kit.commit_of(&[("a", "3")]);
    assert!(kit.mirror.is_ancestor(&first, &third).unwrap());
    assert!(kit.mirror.is_ancestor(&third, &third).unwrap());
    assert!(!kit.mirror.is_ancestor(&third, &first).unwrap());
    let log =
        |most| kit.mirror.log(&first, &third, most).unwrap().into_iter().map(|entry| entry.id).collect::<Vec<_>>();
    assert_eq!(log(10), [third.clone(), second]);
    assert_eq!(log(1), [third]);
    let why = kit.mirror.is_ancestor(&first, &"1".repeat(40)).unwrap_err();
    assert!(matches!(why, RepositoryError::NotFound(_)), "{why:?}");
}

#[tokio::test]
async fn async_callers_are_not_held_up() {
    let kit = Kit::new();
    let commit = kit.commit_of(&[("a", "1")]);
    let bytes = kit.mirror.with(move |mirror| mirror.file(&commit, "a", 10)).await.unwrap();
    assert_eq!(bytes.as_deref(), Some(&b"1"[..]));
}
