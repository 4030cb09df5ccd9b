//! That what is committed is what git makes of the same change, and that nobody's commits are written over.

use titan_ops::forge::{Forge, ForgeError, NewCommit, NewFile};

use crate::site::{BRANCH, Site, commit, executable, file};

#[tokio::test]
async fn the_tree_is_that_of_git() {
    let site = Site::start();
    let github = site.github();
    let binary =
        NewFile { path: "bin.dat".to_owned(), content: (0..=255).cycle().take(9000).collect(), executable: false };
    let shapes: Vec<(&str, Vec<NewFile>, Vec<&str>)> = vec![
        ("plain", vec![file("README.md", "# Tea\n"), file("a/b/c/d.txt", "deep\n")], vec![]),
        ("nothing in it", vec![file("empty.txt", "")], vec!["old.txt"]),
        ("no text", vec![binary], vec![]),
        ("odd names", vec![file("docs/grüner Tee #1%.md", "ä\r\n"), file("docs/\"quoted\".md", "x")], vec![]),
        ("the last of a folder", vec![], vec!["docs/old.md"]),
        ("a new program", vec![executable("run.sh", "#!/bin/sh\n"), file("README.md", "x\n")], vec!["old.txt"]),
        ("a program is changed", vec![executable("scripts/go.sh", "#!/bin/sh\necho tea\n")], vec![]),
        ("a program is one no more", vec![file("scripts/go.sh", "#!/bin/sh\n")], vec![]),
        ("a program is deleted", vec![], vec!["scripts/go.sh"]),
        ("a link becomes a file", vec![file("link", "a file\n")], vec![]),
    ];
    for (n, (what, files, deletions)) in shapes.into_iter().enumerate() {
        let new = NewCommit { branch: format!("titan/ops/{n}"), ..commit(&site.main, files, &deletions) };
        let head = github.commit(&new).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(site.tree(&head), site.tree_by_git(&new), "{what}");
        assert_eq!(site.git(&["log", "-1", "--format=%B", &head]), "Brew tea\n\nBecause it is cold.", "{what}");
        assert_eq!(github.head(&new.branch).await.unwrap(), Some(head), "{what}");
    }
}

#[tokio::test]
async fn a_second_commit_goes_onto_the_first() {
    let site = Site::start();
    let github = site.github();
    for files in [vec![file("a.md", "1\n")], vec![executable("b.sh", "2\n")], vec![file("c.md", "3\n")]] {
        let parent = github.head(BRANCH).await.unwrap().unwrap_or_else(|| site.main.clone());
        let new = commit(&parent, files, &[]);
        let head = github.commit(&new).await.unwrap();
        assert_eq!(site.tree(&head), site.tree_by_git(&new));
        assert_eq!(site.git(&["rev-parse", &format!("{head}^")]), parent);
    }
}

#[tokio::test]
async fn nobody_is_written_over() {
    let site = Site::start();
    let github = site.github();
    let first = github.commit(&commit(&site.main, vec![file("a.md", "1\n")], &[])).await.unwrap();
    let human = site.push(BRANCH, "by-hand.txt", "hello\n");
    for files in [vec![file("a.md", "2\n")], vec![executable("a.sh", "2\n")]] {
        let error = github.commit(&commit(&first, files, &[])).await.unwrap_err();
        let moved = ForgeError::Moved { branch: BRANCH.to_owned(), expected: first.clone(), found: human.clone() };
        assert_eq!(error, moved);
    }
    assert_eq!(github.head(BRANCH).await.unwrap(), Some(human));
}

#[tokio::test]
async fn what_cannot_be_committed_is_refused_with_the_reason() {
    let site = Site::start();
    let github = site.github();
    let of = |files, deletions: &[&str]| commit(&site.main, files, deletions);
    for (new, says) in [
        (of(vec![], &[]), "1 to 1000 files"),
        (of(vec![], &["not-there.txt"]), "for deletion which does not exist"),
        (of(vec![executable("a.sh", "")], &["not-there.txt"]), "Git"),
        (of(vec![file(".git/config", "")], &[]), "path"),
        (NewCommit { branch: "a b".to_owned(), ..of(vec![file("a", "")], &[]) }, "no name of a branch"),
    ] {
        let error = github.commit(&new).await.unwrap_err();
        assert!(matches!(error, ForgeError::Refused(_)), "{error:?}");
        assert!(error.to_string().contains(says), "{error} says nothing of {says}");
    }
    let unknown = commit(&"a".repeat(40), vec![file("a.md", "")], &[]);
    let unknown = NewCommit { branch: "titan/ops/8".to_owned(), ..unknown };
    let error = github.commit(&unknown).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotFound(_)), "{error:?}");
}
