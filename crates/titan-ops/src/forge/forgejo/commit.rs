//! One commit on a branch, by the route that writes many files at once.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::Forgejo;
use super::answers::{Tree, TreeEntry, Written};
use super::branches::moved;
use crate::forge::changes::checked;
use crate::forge::failure::Failed;
use crate::forge::{ForgeError, NewCommit, NewFile};

const PLAIN: &str = "100644";
const EXECUTABLE: &str = "100755";

impl Forgejo {
    pub(super) async fn make_commit(&self, new: &NewCommit) -> Result<String, ForgeError> {
        checked(new)?;
        let head = self.head_of(&new.branch).await?;
        if let Some(head) = &head
            && *head != new.parent
        {
            return Err(moved(&new.branch, &new.parent, head.clone()));
        }
        let files = operations(new, &self.entries(new).await?)?;
        if head.is_none() {
            self.make_branch(&new.branch, &new.parent).await?;
        }
        let body = json!({ "branch": new.branch, "message": new.message(), "files": files });
        let written: Written = match self.client.send(Method::POST, "/contents", &body).await {
            Ok(written) => written,
            Err(failed) => return Err(self.why_not(new, failed).await),
        };
        // It is on the branch now, but perhaps on top of what somebody pushed in between.
        let parents: Vec<_> = written.commit.parents.iter().map(|parent| parent.sha.as_str()).collect();
        if parents != [new.parent.as_str()] {
            return Err(moved(&new.branch, &new.parent, written.commit.sha));
        }
        Ok(written.commit.sha)
    }

    /// What lies at the paths of the commit before it.
    async fn entries(&self, new: &NewCommit) -> Result<BTreeMap<String, TreeEntry>, ForgeError> {
        let wanted: Vec<_> = new.files.iter().map(|file| &file.path).chain(&new.deletions).collect();
        let rest = format!("/git/trees/{}", new.parent);
        let query = [("recursive", "true"), ("per_page", "1000")];
        let all = self.client.list(&rest, &query, |page: Tree| page.tree, |_| false).await?;
        let named = all.into_iter().map(|entry| (entry.path.clone(), entry));
        Ok(named.filter(|(path, _)| wanted.contains(&path)).collect())
    }

    /// Files that are not as they were are refused for several reasons; where the branch stands tells them apart.
    async fn why_not(&self, new: &NewCommit, failed: Failed) -> ForgeError {
        if !failed.is_refusal() {
            return failed.error;
        }
        match self.head_of(&new.branch).await {
            Ok(Some(head)) if head != new.parent => moved(&new.branch, &new.parent, head),
            Ok(_) => failed.error,
            Err(error) => error,
        }
    }
}

fn operations(new: &NewCommit, before: &BTreeMap<String, TreeEntry>) -> Result<Vec<Value>, ForgeError> {
    let files = new.files.iter().map(|file| {
        let content = STANDARD.encode(&file.content);
        match before.get(&file.path) {
            Some(entry) if has_mode(file, &entry.mode) => {
                Ok(json!({ "operation": "update", "path": file.path, "content": content, "sha": entry.sha }))
            }
            None if !file.executable => Ok(json!({ "operation": "create", "path": file.path, "content": content })),
            _ => Err(ForgeError::Refused(format!(
                "{}: Forgejo cannot change what kind of file it is, nor make an executable one; push that by git",
                file.path
            ))),
        }
    });
    let deletions = new.deletions.iter().map(|path| match before.get(path) {
        Some(entry) => Ok(json!({ "operation": "delete", "path": path, "sha": entry.sha })),
        None => Err(ForgeError::Refused(format!("{path} cannot be deleted: it is not there"))),
    });
    files.chain(deletions).collect()
}

fn has_mode(file: &NewFile, mode: &str) -> bool {
    mode == if file.executable { EXECUTABLE } else { PLAIN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_mode_or_is_refused() {
        let entry = |path: &str, mode: &str| {
            (path.to_owned(), TreeEntry { path: path.to_owned(), mode: mode.to_owned(), sha: "5ha".to_owned() })
        };
        let before = BTreeMap::from([entry("plain", PLAIN), entry("run", EXECUTABLE), entry("link", "120000")]);
        let of = |path: &str, executable: bool| {
            let file = NewFile { path: path.to_owned(), content: b"tea".to_vec(), executable };
            let (branch, parent) = ("b".to_owned(), "p".to_owned());
            let (headline, body) = ("h".to_owned(), String::new());
            operations(&NewCommit { branch, parent, headline, body, files: vec![file], deletions: Vec::new() }, &before)
        };
        let update = |path| Ok(vec![json!({"operation": "update", "path": path, "content": "dGVh", "sha": "5ha"})]);
        assert_eq!(of("plain", false), update("plain"));
        assert_eq!(of("run", true), update("run"));
        assert_eq!(of("new", false), Ok(vec![json!({"operation": "create", "path": "new", "content": "dGVh"})]));
        for (path, executable) in [("plain", true), ("run", false), ("new", true), ("link", false)] {
            let error = of(path, executable).unwrap_err().to_string();
            assert!(error.starts_with(path) && error.contains("push that by git"), "{error}");
        }
    }
}
